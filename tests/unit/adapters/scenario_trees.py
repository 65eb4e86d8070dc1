"""Scenarios gone wrong: random trees, trees changed along their structure, texts damaged byte by byte.

ALERTDRILL_FUZZ is the number of examples that each test draws of them (default 80).
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from alertdrill.adapters.bundled import find_scenario
from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.faults.base import Fault
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.generate import sections

FUZZ = settings(
    max_examples=int(os.environ.get("ALERTDRILL_FUZZ", "80")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LONGEST_MESSAGE = 5000
SEED_DISASTER = find_scenario("seed-disaster")
GOLDEN = Path(__file__).parents[2] / "golden" / "scenarios"
TEXTS = [SEED_DISASTER.read_bytes(), *(path.read_bytes() for path in sorted(GOLDEN.glob("*.yaml")))]
FRAGMENTS = {
    "keys.yaml": "duration: 2s\nshare: 10%\nlabels: {severity: P1}\n",
    "entries.yaml": "- {kind: nulls, features: [amount], share: 20%}\n",
    "again.yaml": "include: again.yaml\n",
    "wrong.yaml": "duration: 5\n  x: [\n",
}

DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

Place = tuple[Any, ...]


def _trees() -> list[Any]:
    """The bundled scenario, the golden ones that are YAML without aliases, and one of each fault."""
    found = []
    for text in TEXTS:
        try:
            found += [] if b"&" in text else [yaml.safe_load(text)]
        except (yaml.YAMLError, ValueError):
            continue
    return [*(tree for tree in found if isinstance(tree, dict)), *map(fault_tree, KINDS.values())]


def fault_tree(fault: type[Fault]) -> Any:
    """A scenario with the example of a fault's documentation."""
    phase = {"name": "one", "duration": "1s", "faults": yaml.safe_load(sections(fault)["Example"])}
    return {"version": 1, "name": "one", "target": {"bundled": "fraud"}, "load": {"rate": "100/s"}, "phases": [phase]}


def places(tree: Any, path: Place = ()) -> list[Place]:
    """Paths of every value in a tree, the top first."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


def at(tree: Any, path: Place) -> Any:
    """The value at a path."""
    return at(tree[path[0]], path[1:]) if path else tree


def replaced(tree: Any, path: Place, value: Any) -> Any:
    """A copy of the tree with another value at a path."""
    if not path:
        return value
    copy = tree.copy()
    copy[path[0]] = replaced(tree[path[0]], path[1:], value)
    return copy


def removed(tree: Any, path: Place) -> Any:
    """A copy of the tree without the key or entry at a path."""
    around = at(tree, path[:-1]).copy()
    del around[path[-1]]
    return replaced(tree, path[:-1], around)


def doubled(tree: Any, path: Place, key: str) -> Any:
    """A copy of the tree with a value twice: as a further entry of its list, or under another key too."""
    around = at(tree, path[:-1]).copy()
    if isinstance(around, list):
        around.insert(path[-1], around[path[-1]])
    else:
        around[key] = around[path[-1]]
    return replaced(tree, path[:-1], around)


def renamed(tree: Any, path: Place, key: str) -> Any:
    """A copy of the tree with a value under another key, or an entry as a mapping with that key."""
    around = at(tree, path[:-1])
    if isinstance(around, list):
        return replaced(tree, path, {key: around[path[-1]]})
    return replaced(tree, path[:-1], {key if name == path[-1] else name: value for name, value in around.items()})


def swapped(tree: Any, one: Place, other: Place) -> Any:
    """A copy of the tree with two values in each other's place, unless one is in the other."""
    if one[: len(other)] == other or other[: len(one)] == one:
        return tree
    return replaced(replaced(tree, one, at(tree, other)), other, at(tree, one))


def including(tree: Any, path: Place, named: Any) -> Any:
    """A copy of the tree with an include in the mapping at a path, or in place of another value there."""
    value = at(tree, path)
    return replaced(tree, path, {**(value if isinstance(value, dict) else {}), "include": named})


def retyped(value: Any) -> list[Any]:
    """What a value can become when its writer has another type in mind."""
    found = [str(value), [value], {"value": value}, None, value == ""]
    if isinstance(value, dict):
        found += [list(value.values()), list(value)]
    elif isinstance(value, list):
        found += [{str(position): entry for position, entry in enumerate(value)}, *value[:1]]
    elif isinstance(value, str):
        found += [len(value), value.strip("%/smh"), value.split()]
    return found


GOOD = yaml.safe_load(TEXTS[0])
TREES = _trees()
KEYS = sorted({path[-1] for tree in TREES for path in places(tree) if path and isinstance(path[-1], str)})

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(
        ["20%", "30s", "100/s", "nulls", "amount", "bundled", "managed", "== 0", "http://localhost", "\x1b"]
    )
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)
file_names = st.sampled_from([*FRAGMENTS, "gone.yaml", 5, ["keys.yaml", "again.yaml"], []])


@st.composite
def rearranged_trees(draw: st.DrawFn, sources: Sequence[Any] = TREES, changes: int = 4) -> Any:
    """A scenario with keys and entries removed, doubled, renamed or swapped, or with includes."""
    tree = draw(st.sampled_from(sources))
    for _ in range(draw(st.integers(1, changes))):
        one, other = draw(st.tuples(*[st.sampled_from(places(tree)[1:] or [()])] * 2))
        change = draw(st.sampled_from(["remove", "double", "rename", "swap", "include"]))
        if change == "include" or not one:
            tree = including(tree, one, draw(file_names))
        elif change == "swap":
            tree = swapped(tree, one, other)
        elif change == "remove":
            tree = removed(tree, one)
        else:
            tree = (doubled if change == "double" else renamed)(tree, one, draw(st.sampled_from(KEYS)))
    return tree


@st.composite
def mutated_trees(draw: st.DrawFn) -> Any:
    """A rearranged scenario in which some values are of another type, or random."""
    tree = draw(rearranged_trees() | rearranged_trees([GOOD], changes=1))
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(places(tree)))
        tree = replaced(tree, path, draw(st.sampled_from(retyped(at(tree, path))) | values))
    return tree


@st.composite
def damaged_texts(draw: st.DrawFn) -> bytes:
    """A scenario's text with stretches overwritten, cut out, doubled, or taken from another scenario."""
    text = draw(st.just(TEXTS[0]) | st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        other = draw(st.sampled_from(TEXTS))
        place = draw(st.integers(0, len(other)))
        junk = (
            st.binary(max_size=4)
            | st.text("{}[]:,#&*!|>'\"%@`\t\n -?~<", max_size=6).map(str.encode)
            | st.just(text[start:end] * 2)
            | st.just(other[place : place + 40])
        )
        text = text[:start] + draw(junk) + text[end:]
    return text


def written(tree: Any) -> bytes:
    """A tree as YAML."""
    text = yaml.dump(tree, Dumper=DUMPER, allow_unicode=True, sort_keys=False)
    return text.encode("utf-8", "surrogatepass")


def write_fragments(folder: Path) -> None:
    """Write the files that mutated scenarios include."""
    for name, text in FRAGMENTS.items():
        (folder / name).write_text(text)


def is_read(folder: Path, text: bytes) -> bool:
    """Whether a scenario is read; if not, what is wrong is said as it must be."""
    file = folder / "drill.yaml"
    file.write_bytes(text)
    mistakes: tuple[Mistake, ...] = ()
    try:
        load_scenario(file)
    except BadInput as error:
        mistakes = error.mistakes
    for mistake in mistakes:
        assert mistake.file
        assert mistake.line or not mistake.where
        assert mistake.got
        assert mistake.expected
        assert mistake.fix
        assert len(mistake.render().encode()) < LONGEST_MESSAGE
    return not mistakes
