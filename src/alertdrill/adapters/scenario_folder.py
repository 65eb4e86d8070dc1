"""The scenarios below a folder, told apart from the fragments that they include and from YAML of other kinds."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.yaml_fragments import Fragments
from alertdrill.adapters.yaml_include import written_out
from alertdrill.adapters.yaml_nodes import INCLUDE, Node, NotYaml, compose_all
from alertdrill.adapters.yaml_source import NotOpened, Source, read_text
from alertdrill.core.errors import BadInput

SUFFIXES = (".yaml", ".yml")
OF_A_SCENARIO = frozenset({"target", "phases", INCLUDE})
"""Every scenario has one of these keys; files of other programs have none of them."""


@dataclass(frozen=True)
class ScenarioFolder:
    """What is below a folder.

    Attributes:
        scenarios: files that are scenarios, or that cannot be read, so that nobody can tell: sorted by path.
        passed_by: other YAML, such as rule files; fragments are not among them.
    """

    scenarios: tuple[Path, ...]
    passed_by: tuple[Path, ...]


def read_scenario_folder(folder: Path) -> ScenarioFolder:
    """Look at every `*.yaml` and `*.yml` below a folder. Hidden files and folders, and links to folders, are left out.

    Files whose name begins with `_`, and files that another one includes, are fragments.
    """
    files = [path for path in sorted(_yaml_files(folder)) if not path.name.startswith("_")]
    trees = {path: _tree(path) for path in files}
    fragments = {name for path, tree in trees.items() for name in _included(path, tree)}
    whole = [path for path in files if os.path.realpath(path) not in fragments]
    scenarios = tuple(path for path in whole if _is_scenario(trees[path]))
    return ScenarioFolder(scenarios, tuple(path for path in whole if path not in scenarios))


def _yaml_files(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(where, name) for name in names if not name.startswith(".") and name.endswith(SUFFIXES))


@dataclass(frozen=True)
class _Tree:
    """A file as it was read; no roots if it is empty, None if it cannot be read."""

    source: Source
    roots: tuple[Node, ...] | None


def _tree(path: Path) -> _Tree:
    text = ""
    try:
        text = read_text(path)
        return _Tree(Source(path, text), tuple(compose_all(text, str(path))[0]))
    except (NotOpened, NotYaml, BadInput):
        return _Tree(Source(path, text), None)


def _is_scenario(tree: _Tree) -> bool:
    if tree.roots is None:
        return True
    return any(isinstance(root.value, dict) and OF_A_SCENARIO & root.value.keys() for root in tree.roots)


def _included(path: Path, tree: _Tree) -> Iterator[str]:
    """The files that one includes, directly or not, by their real paths; mistakes in them are told when it is read."""
    if not tree.roots or not tree.roots[0].includes:
        return
    fragments = Fragments(tree.source, tree.roots[0])
    with contextlib.suppress(BadInput):
        written_out(tree.roots[0], fragments)
    own = os.path.realpath(path)
    yield from (found for one in fragments.sources.values() if (found := os.path.realpath(one.path)) != own)
