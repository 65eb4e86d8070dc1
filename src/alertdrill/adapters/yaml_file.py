"""Reads YAML files, scenarios above all: every mistake at once, each with its line."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import islice
from operator import getitem
from pathlib import Path, PurePath
from typing import Any

from alertdrill.adapters.bundled import bundled_targets
from alertdrill.adapters.yaml_fragments import Fragments
from alertdrill.adapters.yaml_include import written_out
from alertdrill.adapters.yaml_nodes import INCLUDE, Duplicate, Node, NotYaml, Spot, compose
from alertdrill.adapters.yaml_source import NotOpened, Source, is_name, nearest_file, read_text
from alertdrill.core.errors import SHOWN_MISTAKES, BadInput, Mistake, nearest
from alertdrill.core.scenario.finding import Finding, path_text, show
from alertdrill.core.scenario.reading import MAX_FINDINGS, Model, Reading, read_model, read_scenario
from alertdrill.core.scenario.scenario import Scenario

SCENARIO = "scenario"


def load_scenario(path: Path) -> Scenario:
    """The scenario in a YAML file, with the fragments that it includes.

    Files that a fragment names are named as the scenario would name them: relative to the scenario file.

    Raises:
        BadInput: with every mistake of the file and its fragments, file by file in the order of the lines.
    """
    page = _Page(path)
    page.include()
    values = page.root.plain()
    reading = read_scenario(values)
    missing = islice(_missing_files(reading, page), MAX_FINDINGS)
    page.refuse([*reading.findings, *missing, *_unknown_target(reading)])
    scenario = read_model(values, Scenario)[0] if _moved(values, reading, page) else reading.scenario
    assert scenario is not None, "a scenario without mistakes can be read"
    return scenario


def load_model(path: Path, model: type[Model], kind: str) -> Model:
    """Any other YAML file, as the model that describes it; it includes nothing.

    Args:
        path: of the file.
        model: that describes it.
        kind: what mistakes call such a file, as in "a schema file".

    Raises:
        BadInput: with every mistake of the file, in the order of its lines.
    """
    page = _Page(path, kind)
    found, findings = read_model(page.root.plain(), model)
    page.refuse(findings)
    assert found is not None, "a file without mistakes can be read"
    return found


def locate(path: Path, findings: Iterable[Finding]) -> list[Mistake]:
    """Findings about a scenario that has been read, as mistakes with file, line, column and the quoted source line."""
    page = _Page(path)
    page.include()
    return [page.of_finding(finding) for finding in findings]


def beside(scenario: Path, file: str) -> Path:
    """The file that a scenario names: relative names are relative to the scenario file."""
    return scenario.parent / file


class _Page:
    """One file and what it includes: its tree, and its lines, for mistakes that quote them."""

    def __init__(self, path: Path, kind: str = SCENARIO) -> None:
        try:
            self.main = Source(path, read_text(path))
        except NotOpened as error:
            raise BadInput([Mistake("", error.got, f"a {kind} file", "check the path", file=str(path))]) from None
        self._sources = {self.main.file: self.main}
        try:
            root, self._duplicates = compose(self.main.text, self.main.file)
        except NotYaml as error:
            raise BadInput([self.main.mistake("", error.spot, error.got, error.expected, error.fix)]) from None
        if root is None:
            fix = "start from a bundled one, such as seed-disaster" if kind == SCENARIO else f"write the {kind} in it"
            raise BadInput([self.main.mistake("", None, "an empty file", "a mapping of keys", fix)])
        self.root = root

    def include(self) -> None:
        """Write the fragments of a scenario out.

        Raises:
            BadInput: there are mistakes in its includes; with all others that these cannot have caused.
        """
        if not self.root.includes:
            return
        fragments = Fragments(self.main, self.root)
        root = written_out(self.root, fragments)
        self._sources, self._duplicates = fragments.sources, [*self._duplicates, *fragments.duplicates]
        if root is not None:
            self.root = root
        if fragments.mistakes:
            findings = [] if root is None else read_model(root.plain(), Scenario)[1]
            self.refuse([one for one in findings if _stands(one, self.root)], fragments.mistakes)

    def refuse(self, findings: Iterable[Finding], mistakes: Iterable[Mistake] = ()) -> None:
        """Raise BadInput if there is any mistake, those of YAML included; each once, however often it is included."""
        findings = tuple(findings)
        secret = {one.path for one in findings if one.hidden}
        shown = (one._replace(got=one.got or "what is not shown") if one.path in secret else one for one in findings)
        found = [*mistakes, *(self.of_finding(finding) for finding in shown)]
        found += [self._of_duplicate(duplicate) for duplicate in self._duplicates[:MAX_FINDINGS]]
        once: dict[Mistake, Mistake] = {}
        for one in _without_secrets(found):
            once.setdefault(replace(one, where=""), one)
        files = {file: position for position, file in enumerate(self._sources)}
        if once:
            raise BadInput(sorted(once.values(), key=lambda one: _rank(one, files)))

    def of_finding(self, finding: Finding) -> Mistake:
        spot, node = _locate(finding, self.root)
        found = show(finding.path[-1]) if finding.at_key else _show(node) if node else "nothing"
        got = finding.got or found
        source = self._sources[spot.file]
        mistake = source.mistake(path_text(finding.path), spot, got, finding.expected, finding.fix)
        return replace(mistake, source=None) if finding.hidden else mistake

    def _of_duplicate(self, duplicate: Duplicate) -> Mistake:
        got = f"{show(duplicate.path[-1])} a second time"
        expected = f"each key once (the first is in line {duplicate.first.line})"
        fix = "write one list of files" if duplicate.path[-1] == INCLUDE else "remove one of the two"
        return self._sources[duplicate.spot.file].mistake(path_text(duplicate.path), duplicate.spot, got, expected, fix)

    def source_at(self, path: tuple[str | int, ...]) -> Source:
        """The file in which the value at a path is written."""
        node = self.root
        for key in path:
            child = node.child(key)
            assert child is not None, "only values that are there name files"
            node = child
        return self._sources[node.spot.file]


def _without_secrets(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """The mistakes without a quoted line on which another one must not be quoted."""
    hidden = {(one.file, one.line) for one in mistakes if one.line is not None and one.source is None}
    return [replace(one, source=None) if (one.file, one.line) in hidden else one for one in mistakes]


def _rank(mistake: Mistake, files: Mapping[str, int]) -> tuple[int, int, int]:
    return files.get(mistake.file or "", len(files)), mistake.line or 0, mistake.column or 0


def _locate(finding: Finding, root: Node) -> tuple[Spot, Node | None]:
    """Where a finding stands: its value or key, else the innermost part that is there; and its node, if it is there."""
    node, spot = root, root.spot
    for position, key in enumerate(finding.path):
        child = node.child(key)
        if child is None:
            return spot, None
        spot = child.spot
        if finding.at_key and position == len(finding.path) - 1:
            spot = node.keys.get(str(key), spot)
        node = child
    return spot, node


def _show(node: Node) -> str:
    """A value as the user wrote it, if it is a number; else as text in quotes, or what kind of value it is."""
    number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return node.text[:60] if number else show(node.plain())


def _stands(finding: Finding, root: Node) -> bool:
    """Whether a finding would stand whatever is in the fragments that could not be read.

    Such a fragment can add keys to the mapping that includes it and to the mappings in that, which may change what
    these, and the mapping around them, must have; what is in a list is as it is written there.
    """
    node, partial = root, root.partial
    for key in finding.path:
        child = node.child(key)
        if child is None:
            return not partial
        partial = child.partial or (partial and not isinstance(node.value, list))
        node = child
    inside = node.value.values() if isinstance(node.value, dict) else ()
    return not partial and not any(child.partial for child in inside)


def _moved(values: Any, reading: Reading, page: _Page) -> bool:
    """Whether fragments in other folders name files; in `values` these are then relative to the scenario."""
    moved = False
    for where, name in reading.files:
        base = page.source_at(where).base
        if base != PurePath():
            *above, last = where
            parent = reduce(getitem, above, values)
            parent[last], moved = str(base / name), True
    return moved


def _missing_files(reading: Reading, page: _Page) -> Iterable[Finding]:
    told = 0
    for where, name in reading.files:
        source = page.source_at(where)
        path = beside(source.path, name)
        if not is_name(name) or not os.path.isfile(path):
            told += 1
            if is_name(name) and os.path.isdir(path):
                yield Finding(where, "a file, not a folder", "name a file in it")
                continue
            close = nearest_file(path) if is_name(name) and told <= SHOWN_MISTAKES else None
            here = "this scenario" if source is page.main else "this file"
            fix = f"write {Path(name).parent / close}" if close else f"check the path: it is relative to {here}"
            yield Finding(where, "a file that is there", fix)


def _unknown_target(reading: Reading) -> Iterable[Finding]:
    known = bundled_targets()
    name = reading.bundled_target
    if name is not None and name not in known:
        close = nearest(name, known)
        fix = f"write {close or ' or '.join(known)}"
        yield Finding(("target", "bundled"), f"a bundled target ({', '.join(known)})", fix)
