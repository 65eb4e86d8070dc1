"""Reads YAML files, scenarios above all: every mistake at once, each with its line."""

import codecs
import os
from collections.abc import Iterable
from pathlib import Path

from alertdrill.adapters.bundled import bundled_targets
from alertdrill.adapters.yaml_nodes import Duplicate, Node, NotYaml, Spot, compose, split_lines
from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.core.scenario.finding import Finding, path_text, show
from alertdrill.core.scenario.reading import Model, Reading, read_model, read_scenario
from alertdrill.core.scenario.scenario import Scenario

MAX_BYTES = 1_000_000


def load_scenario(path: Path) -> Scenario:
    """The scenario in a YAML file.

    Raises:
        BadInput: with every mistake of the file, in the order of its lines.
    """
    page = _Page(path)
    reading = read_scenario(page.root.plain())
    page.refuse([*reading.findings, *_missing_files(reading, path), *_unknown_target(reading)])
    assert reading.scenario is not None, "a scenario without mistakes can be read"
    return reading.scenario


def load_model(path: Path, model: type[Model]) -> Model:
    """Any other YAML file, as the model that describes it.

    Raises:
        BadInput: with every mistake of the file, in the order of its lines.
    """
    page = _Page(path)
    found, findings = read_model(page.root.plain(), model)
    page.refuse(findings)
    assert found is not None, "a file without mistakes can be read"
    return found


def locate(path: Path, findings: Iterable[Finding]) -> list[Mistake]:
    """Findings about a file that has been read, as mistakes with line, column and the quoted source line."""
    page = _Page(path)
    return [page.of_finding(finding) for finding in findings]


def beside(scenario: Path, file: str) -> Path:
    """The file that a scenario names: relative names are relative to the scenario file."""
    return scenario.parent / file


class _Page:
    """One file: its tree, and its lines, for mistakes that quote them."""

    def __init__(self, path: Path) -> None:
        text = _read_text(path)
        self._file = str(path)
        self._lines = split_lines(text)
        try:
            root, self._duplicates = compose(text)
        except NotYaml as error:
            raise BadInput([self.mistake("", error.spot, error.got, error.expected, error.fix)]) from None
        if root is None:
            expected, fix = "a mapping of keys", "start from a bundled one, such as seed-disaster"
            raise BadInput([self.mistake("", None, "an empty file", expected, fix)])
        self.root = root

    def refuse(self, findings: list[Finding]) -> None:
        """Raise BadInput if there is any mistake, those of YAML included."""
        mistakes = [self.of_finding(finding) for finding in findings]
        mistakes += [self.of_duplicate(duplicate) for duplicate in self._duplicates]
        if mistakes:
            raise BadInput(sorted(mistakes, key=lambda mistake: (mistake.line or 0, mistake.column or 0)))

    def mistake(self, where: str, spot: Spot | None, got: str, expected: str, fix: str) -> Mistake:
        if spot is None:
            return Mistake(where, got, expected, fix, file=self._file)
        source = self._lines[spot.line - 1] if spot.line <= len(self._lines) else None
        return Mistake(where, got, expected, fix, spot.line, spot.column, source, self._file)

    def of_finding(self, finding: Finding) -> Mistake:
        spot, node = _locate(finding, self.root)
        found = show(finding.path[-1]) if finding.at_key else _show(node) if node else "nothing"
        got = finding.got or found
        return self.mistake(path_text(finding.path), spot, got, finding.expected, finding.fix)

    def of_duplicate(self, duplicate: Duplicate) -> Mistake:
        got = f"{show(duplicate.path[-1])} a second time"
        expected = f"each key once (the first is in line {duplicate.first.line})"
        return self.mistake(path_text(duplicate.path), duplicate.spot, got, expected, "remove one of the two")


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


def _missing_files(reading: Reading, scenario: Path) -> Iterable[Finding]:
    for where, name in reading.files:
        path = beside(scenario, name)
        if "\0" in name or len(name) > 1000 or not path.is_file():
            near = [p.name for p in path.parent.iterdir()] if len(name) < 1000 and path.parent.is_dir() else []
            close = nearest(path.name, near)
            fix = f"write {Path(name).parent / close}" if close else "check the path: it is relative to this scenario"
            yield Finding(where, "a file that is there", fix)


def _unknown_target(reading: Reading) -> Iterable[Finding]:
    known = bundled_targets()
    name = reading.bundled_target
    if name is not None and name not in known:
        close = nearest(name, known)
        fix = f"write {close or ' or '.join(known)}"
        yield Finding(("target", "bundled"), f"a bundled target ({', '.join(known)})", fix)


def _read_text(path: Path) -> str:
    data = _read_bytes(path)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BadInput([_unreadable(path, "UTF-16 text", "UTF-8 text", "save the file as UTF-8")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        got = f"the byte 0x{data[error.start]:02x} in line {line}"
        raise BadInput([_unreadable(path, got, "UTF-8 text", "save the file as UTF-8", line)]) from None


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        got = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise BadInput([_unreadable(path, got.lower(), "a scenario file", "check the path")]) from None
    if len(data) > MAX_BYTES:
        got = f"{max(size, len(data)) / 1e6:.1f} MB"
        raise BadInput([_unreadable(path, got, f"at most {MAX_BYTES // 10**6} MB", "is this a scenario?")])
    return data


def _unreadable(path: Path, got: str, expected: str, fix: str, line: int | None = None) -> Mistake:
    return Mistake("", got, expected, fix, line, file=str(path))
