"""pytest collects drills: `*.drill.yml` is run once, and each expectation and prohibition in it is a test.

Recordings too, where `alertdrill_rules` of the configuration says which rules are to be held against them: each is
replayed once, and each of its expectations is a test.

Drills run in a process of their own (`alertdrill run`), so that neither pytest's plugins nor Locust's disturb them, and
so that Ctrl-C ends both. Nothing of alertdrill is imported before a drill is collected.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from alertdrill.core.result import Result
    from alertdrill.report.checks import Check

SUFFIXES = (".drill.yml", ".drill.yaml")
RECORDING = "plan.json"
RULES = "alertdrill_rules"
_RULES = re.compile(r"^groups\s*:", re.MULTILINE)
_TAG = re.compile(r"\W")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--drill-results DIR`, and `alertdrill_rules` of the configuration file."""
    group = parser.getgroup("alertdrill", "alertdrill: drills of alerts")
    where = "where drills keep their evidence (default: results)"
    group.addoption("--drill-results", metavar="DIR", default="results", help=where)
    rules = "rule files or folders, relative to rootdir, to replay recordings with; none: recordings are not collected"
    parser.addini(RULES, rules, type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Know xdist's marker where xdist is not installed."""
    config.addinivalue_line("markers", "xdist_group(name): tests that `--dist loadgroup` leaves to one worker")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A drill is a file `*.drill.yml` that is no rule file: rules of a drill profile are named so too.

    A recording is a folder with `plan.json` and `samples.json.gz`.
    """
    if file_path.name == RECORDING and (file_path.parent / "samples.json.gz").exists() and parent.config.getini(RULES):
        recorded: pytest.Collector = RecordingFile.from_parent(parent, path=file_path, name=file_path.parent.name)
        return recorded
    if not file_path.name.endswith(SUFFIXES) or _RULES.search(file_path.read_text("utf-8", errors="replace")):
        return None
    found: pytest.Collector = DrillFile.from_parent(parent, path=file_path)
    return found


class DrillFailed(Exception):
    """A test of a drill that did not pass; the text is the verdict's."""


@dataclass(frozen=True)
class Told:
    """What a drill came to: its result, or why there is none."""

    result: "Result | None"
    said: str
    checks: "Sequence[Check]" = field(default=())


class DrillFile(pytest.File):
    """One scenario."""

    _told: Told | None = None

    def collect(self) -> Iterable[pytest.Item]:
        """One item an expectation, one a prohibition, and one for all that the drill tells beside them."""
        names, tags = self.read()
        for name in names:
            yield DrillItem.from_parent(self, name=name, tags=tags)
        yield DrillItem.from_parent(self, name=WHOLE, tags=tags, others=frozenset(names))

    def read(self) -> tuple[list[str], list[str]]:
        """What it expects and prohibits, and its tags as markers."""
        return _read(self.path)

    def told(self) -> Told:
        """What the drill came to; it is run when this is first asked."""
        if self._told is None:
            self._told = self.run()
        return self._told

    def run(self) -> Told:
        """Run it."""
        return run(self.path, Path(self.config.getoption("--drill-results")))


class RecordingFile(DrillFile):
    """One recording, held against the rules of the configuration."""

    def read(self) -> tuple[list[str], list[str]]:
        """What it expects, and its tags as markers."""
        return _recorded(self.path.parent)

    def run(self) -> Told:
        """Replay it."""
        return replayed(self.path.parent, [str(path) for path in self.config.getini(RULES)])


WHOLE = "drill"


class DrillItem(pytest.Item):
    """One expectation or prohibition, or the rest of a drill."""

    def __init__(self, tags: Sequence[str], others: frozenset[str] = frozenset(), **given: Any) -> None:
        super().__init__(**given)
        self.others = others
        self.add_marker(pytest.mark.xdist_group(str(self.path)))
        for tag in tags:
            self.config.addinivalue_line("markers", f"{tag}: tag of a drill")
            self.add_marker(tag)

    def runtest(self) -> None:
        """Fail with the verdict's text unless it passed."""
        from alertdrill.report.checks import Outcome

        assert isinstance(self.parent, DrillFile)
        told = self.parent.told()
        if told.result is None:
            raise DrillFailed(told.said)
        mine = [one for one in told.checks if _is(one, self.name)]
        if self.name == WHOLE:
            mine = [one for one in told.checks if not any(_is(one, name) for name in self.others)]
        elif not mine:
            raise DrillFailed(f"the drill ended without a verdict on it\n{told.said}")
        bad = [one.text for one in mine if one.outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE)]
        if bad:
            raise DrillFailed("\n".join(bad))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The verdict's text, and no traceback."""
        if isinstance(excinfo.value, DrillFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is: the scenario."""
        assert self.parent is not None
        return self.path, None, f"{self.parent.name}: {self.name}"


def _is(check: "Check", name: str) -> bool:
    """Whether a check is about what an item names: the same, or one of the label sets of `match: all`."""
    bare = name.partition("{")[0]
    return check.name == name or check.name.startswith((f"{bare}/", f"{bare}{{"))


def _read(path: Path) -> tuple[list[str], list[str]]:
    """Names of the checks of a scenario, and its tags as markers."""
    from alertdrill.adapters.yaml_file import load_scenario
    from alertdrill.core.errors import BadInput
    from alertdrill.report.checks import names_of

    try:
        scenario = load_scenario(path)
    except BadInput as error:
        raise pytest.Collector.CollectError(str(error)) from None
    return list(names_of(scenario)), [_TAG.sub("_", tag) for tag in scenario.tags]


def _recorded(folder: Path) -> tuple[list[str], list[str]]:
    """Ids of the expectations of a recording, and the tags of its scenario as markers."""
    from alertdrill.adapters.results_folder import ResultsFolder
    from alertdrill.core.asked import expectation_id
    from alertdrill.core.errors import BadInput

    try:
        scenario = ResultsFolder(folder).read()[0].scenario
    except BadInput as error:
        raise pytest.Collector.CollectError(str(error)) from None
    names = [expectation_id(phase, at) for phase in scenario.phases for at in range(len(phase.expect))]
    return names, [_TAG.sub("_", tag) for tag in scenario.tags]


def run(path: Path, results: Path, options: Sequence[str] = ()) -> Told:
    """Run a drill: `alertdrill run` with further options.

    Raises:
        KeyboardInterrupt: the user stopped it, and it has cleaned up.
    """
    from alertdrill.core.result import Result
    from alertdrill.report.checks import of_drill

    json, said = _alertdrill("run", str(path), "--results", str(results), *options)
    if json is None:
        return Told(None, said)
    result = Result.model_validate_json(json)
    return Told(result, said, of_drill(result, {}).checks)


def replayed(folder: Path, rules: Sequence[str], options: Sequence[str] = ()) -> Told:
    """Replay a recording under rules: `alertdrill replay` with further options.

    Raises:
        KeyboardInterrupt: the user stopped it.
    """
    from alertdrill.core.replay.comparison import ReplayResult
    from alertdrill.report.checks import of_replay

    json, said = _alertdrill("replay", str(folder), *(word for one in rules for word in ("--rules", one)), *options)
    if json is None:
        return Told(None, said)
    found = ReplayResult.model_validate_json(json)
    (suite,) = of_replay(found)
    return Told(found.recordings[0].result, said, suite.checks)


def _alertdrill(*words: str) -> tuple[bytes | None, str]:
    """What a command writes as JSON, None if it comes to no result; and what it says."""
    with tempfile.TemporaryDirectory(prefix="alertdrill-pytest-") as scratch:
        json = Path(scratch) / "result.json"
        command = [sys.executable, "-m", "alertdrill", *words, "--json", str(json), "--quiet"]
        started = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace",
        )  # fmt: skip
        try:
            said, _ = started.communicate()
        except BaseException:
            started.terminate()  # it cleans up, as after Ctrl-C, which it has mostly heard itself
            started.communicate()
            raise
        return json.read_bytes() if json.exists() else None, said.strip()


@pytest.fixture
def drill(request: pytest.FixtureRequest) -> "Callable[..., Result]":
    """Run a drill from a test: `drill("nulls.yaml", "--only", "nulls")` returns its result, whatever the verdict.

    The path is relative to the test's file; what follows are options of `alertdrill run`. Of bad input the test fails.
    """

    def drilled(scenario: str | Path, *options: str) -> "Result":
        path = request.path.parent / scenario
        results = Path(request.config.getoption("--drill-results"))
        told = run(path if path.exists() else Path(scenario), results, options)
        if told.result is None:
            pytest.fail(told.said, pytrace=False)
        return told.result

    return drilled


@pytest.fixture
def replay(request: pytest.FixtureRequest) -> "Callable[..., Result]":
    """Replay a recording from a test: `replay("recordings/nulls", "rules/")` returns its result under these rules.

    Paths are relative to the test's file. Of bad input the test fails.
    """

    def replayed_here(recording: str | Path, *rules: str | Path) -> "Result":
        beside = request.path.parent
        told = replayed(beside / recording, [str(beside / one) for one in rules])
        if told.result is None:
            pytest.fail(told.said, pytrace=False)
        return told.result

    return replayed_here
