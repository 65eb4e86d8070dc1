"""pytest collects drills: `*.drill.yml` is run once, and each expectation and prohibition in it is a test.

Drills run in a process of their own (`alertdrill run`), so that neither pytest's plugins nor Locust's disturb them, and
so that Ctrl-C ends both. Nothing of alertdrill is imported before a drill is collected.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from alertdrill.core.result import Result
    from alertdrill.report.checks import Check

SUFFIXES = (".drill.yml", ".drill.yaml")
BAD_INPUT = 2
_RULES = re.compile(r"^groups\s*:", re.MULTILINE)
_TAG = re.compile(r"\W")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--drill-results DIR`."""
    group = parser.getgroup("alertdrill", "alertdrill: drills of alerts")
    group.addoption(
        "--drill-results", metavar="DIR", default="results", help="where drills keep their evidence (results)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Know xdist's marker where xdist is not installed."""
    config.addinivalue_line("markers", "xdist_group(name): tests that `--dist loadgroup` leaves to one worker")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A drill is a file `*.drill.yml` that is no rule file: rules of a drill profile are named so too."""
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
        names = _names(self.path)
        for name in names:
            yield DrillItem.from_parent(self, name=name)
        whole: DrillItem = DrillItem.from_parent(self, name=WHOLE)
        whole.others = frozenset(names)
        yield whole

    def told(self) -> Told:
        """What the drill came to; it is run when this is first asked."""
        if self._told is None:
            self._told = run(self.path, Path(self.config.getoption("--drill-results")))
        return self._told


WHOLE = "drill"


class DrillItem(pytest.Item):
    """One expectation or prohibition, or the rest of a drill."""

    others: frozenset[str] = frozenset()

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.add_marker(pytest.mark.xdist_group(str(self.path)))
        for tag in _tags(self.path):
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
        return self.path, None, f"{self.path.name}: {self.name}"


def _is(check: "Check", name: str) -> bool:
    """Whether a check is about what an item names: the same, or one of the label sets of `match: all`."""
    bare = name.partition("{")[0]
    return check.name == name or check.name.startswith((f"{bare}/", f"{bare}{{"))


def _names(path: Path) -> list[str]:
    from alertdrill.adapters.yaml_file import load_scenario
    from alertdrill.core.errors import BadInput
    from alertdrill.report.checks import names_of

    try:
        return list(names_of(load_scenario(path)))
    except BadInput as error:
        raise pytest.Collector.CollectError(str(error)) from None


def _tags(path: Path) -> Iterator[str]:
    from alertdrill.adapters.yaml_file import load_scenario

    for tag in load_scenario(path).tags:
        yield _TAG.sub("_", tag)


def run(path: Path, results: Path, options: Sequence[str] = ()) -> Told:
    """Run a drill: `alertdrill run` with further options.

    Raises:
        KeyboardInterrupt: the user stopped it, and it has cleaned up.
    """
    from alertdrill.core.result import Result
    from alertdrill.report.checks import of_drill

    with tempfile.TemporaryDirectory(prefix="alertdrill-pytest-") as scratch:
        json = Path(scratch) / "result.json"
        command = [sys.executable, "-m", "alertdrill", "run", str(path), "--results", str(results), "--json", str(json)]
        drill = subprocess.Popen(
            [*command, "--quiet", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace",
        )  # fmt: skip
        try:
            said, _ = drill.communicate()
        except BaseException:
            drill.terminate()  # it cleans up, as after Ctrl-C, which it has mostly heard itself
            drill.communicate()
            raise
        if not json.exists():
            return Told(None, said.strip())
        result = Result.model_validate_json(json.read_bytes())
    return Told(result, said.strip(), of_drill(result, {}).checks)


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
