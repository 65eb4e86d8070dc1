"""The plugin in a pytest of its own, in this process; the drill that it runs is evidence made by hand."""

from pathlib import Path

import pytest
from tests.unit.core.drill import Drill

from alertdrill import pytest_plugin
from alertdrill.adapters import yaml_file
from alertdrill.adapters.results_folder import ResultsFolder
from alertdrill.pytest_plugin import Told
from alertdrill.report.checks import Check, Outcome, of_drill

assert yaml_file  # what a run in this process imports first, it forgets at its end

pytest_plugins = ("pytester",)

SCENARIO = """\
version: 1
name: nulls
tags: [smoke, data-quality]
seed: 3
target: {bundled: fraud}
load: {rate: 20/s, arrivals: constant}
settle: {timeout: 20s}
phases:
  - {name: baseline, duration: 10s}
  - name: nulls
    duration: 20s
    faults: [{kind: nulls, features: [amount], share: 50%}]
    expect:
      - {alert: NullsHigh, labels: {feature: amount}, within: 10s}
must_not_fire:
  - {alert: Down}
"""
DETECTED, QUIET = 'nulls/NullsHigh{feature="amount"}', "must_not_fire Down"


@pytest.fixture
def ran(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was run; each drill detects, unless `miss` is in its name."""
    asked: list[Path] = []

    def run(path: Path, results: Path, options: tuple[str, ...] = ()) -> Told:
        asked.append(path)
        if "broken" in path.name:
            return Told(None, "Prometheus could not be started")
        drill = Drill(must_not_fire=[{"alert": "Down"}])
        if "miss" not in path.name:
            drill.detect()
        result = drill.judge()
        return Told(result, "", of_drill(result, {}).checks)

    monkeypatch.setattr(pytest_plugin, "run", run)
    return asked


def drills(pytester: pytest.Pytester, *arguments: str, **files: str) -> pytest.RunResult:
    for name, text in files.items():
        (pytester.path / f"{name}.drill.yml").write_text(text)
    others = [f"-pno:{name}" for name in ("asyncio", "hypothesispytest", "faker", "anyio", "xdist", "locust")]
    return pytester.runpytest_inprocess(*others, *arguments)


def test_each_expectation_and_prohibition_is_a_test_and_the_drill_runs_once(
    pytester: pytest.Pytester, ran: list[Path]
) -> None:
    found = drills(pytester, "-v", nulls=SCENARIO)
    found.assert_outcomes(passed=3)
    names = [f"nulls.drill.yml::{name}" for name in (DETECTED, QUIET, "drill")]
    for name in names:
        assert any(line.startswith(f"{name} PASSED") for line in found.outlines)
    assert [path.name for path in ran] == ["nulls.drill.yml"]


def test_a_failure_is_the_verdict_and_no_traceback(pytester: pytest.Pytester, ran: list[Path]) -> None:
    found = drills(pytester, miss=SCENARIO)
    found.assert_outcomes(passed=2, failed=1)
    text = found.stdout.str()
    assert 'MISSED NullsHigh{feature="amount"} ' in text
    assert "to decide it:" in text
    assert "Traceback" not in text
    assert "pytest_plugin.py" not in text


def test_a_drill_that_could_not_be_run_fails_each_of_its_tests(pytester: pytest.Pytester, ran: list[Path]) -> None:
    found = drills(pytester, broken=SCENARIO)
    found.assert_outcomes(failed=3)
    found.stdout.fnmatch_lines(["*Prometheus could not be started*"])


def test_a_test_without_a_verdict_fails(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest_plugin, "run", lambda *_: Told(Drill().judge(), "it ended early"))
    found = drills(pytester, nulls=SCENARIO)
    found.assert_outcomes(passed=1, failed=2)
    found.stdout.fnmatch_lines(["*the drill ended without a verdict on it*", "it ended early"])


def test_tests_are_chosen_by_name_and_by_tag(pytester: pytest.Pytester, ran: list[Path]) -> None:
    both = {"nulls": SCENARIO, "other": SCENARIO.replace("data-quality", "latency")}
    drills(pytester, "-k", "NullsHigh", **both).assert_outcomes(passed=2, deselected=4)
    drills(pytester, "--strict-markers", "-m", "data_quality", **both).assert_outcomes(passed=3, deselected=3)


def test_the_last_failures_alone_are_run_again(pytester: pytest.Pytester, ran: list[Path]) -> None:
    drills(pytester, miss=SCENARIO)
    drills(pytester, "--lf").assert_outcomes(failed=1)


def test_a_drill_with_mistakes_is_told_with_its_lines_and_no_traceback(pytester: pytest.Pytester) -> None:
    found = drills(pytester, wrong="version: 1\n")
    found.assert_outcomes(errors=1)
    text = found.stdout.str()
    assert "wrong.drill.yml:1:1: phases" in text
    assert "Traceback" not in text


def recording(pytester: pytest.Pytester) -> None:
    """Evidence of a drill that detected, and a configuration that holds it against rules."""
    drill = Drill(must_not_fire=[{"alert": "Down"}]).detect()
    folder = ResultsFolder.create(pytester.path / "recordings", "drill", "night")
    folder.write_plan(drill.plan)
    folder.journal.write_text("".join(one.model_dump_json() + "\n" for one in drill.journal))
    folder.write_samples(drill.recording())
    pytester.makeini("[pytest]\nalertdrill_rules = rules/a.yml rules/b.yml\n")


def test_each_expectation_of_a_recording_is_a_test_against_the_rules_of_the_configuration(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording(pytester)
    asked: list[tuple[Path, list[str]]] = []

    def replayed(folder: Path, rules: list[str], options: tuple[str, ...] = ()) -> Told:
        asked.append((folder, rules))
        lost = Check("nulls/NullsHigh", Outcome.FAILED, "lost", "lost nulls/NullsHigh: rules/a.yml:3 0.05→0.5")
        return Told(Drill().judge(), "", (lost,))

    monkeypatch.setattr(pytest_plugin, "replayed", replayed)
    found = drills(pytester, "-v")
    found.assert_outcomes(failed=1, passed=1)
    found.stdout.fnmatch_lines(["*night: nulls/NullsHigh*", "lost nulls/NullsHigh: rules/a.yml:3*"])
    root = pytester.path
    assert asked == [(root / "recordings/drill/night", [str(root / "rules/a.yml"), str(root / "rules/b.yml")])]


def test_recordings_are_passed_by_where_no_rules_are_named(pytester: pytest.Pytester) -> None:
    recording(pytester)
    pytester.makeini("[pytest]\n")
    assert drills(pytester).ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_recording_that_was_cut_is_told(pytester: pytest.Pytester) -> None:
    recording(pytester)
    (pytester.path / "recordings/drill/night/samples.json.gz").write_bytes(b"\x1f\x8b")
    found = drills(pytester)
    found.assert_outcomes(errors=1)
    assert "Traceback" not in found.stdout.str()


def test_rule_files_and_other_files_are_passed_by(pytester: pytest.Pytester) -> None:
    (pytester.path / "values.yml").write_text(SCENARIO)
    assert drills(pytester, alerts="# rules\ngroups: []\n").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_the_fixture_runs_a_drill_beside_the_test(pytester: pytest.Pytester, ran: list[Path]) -> None:
    pytester.makepyfile(
        test_it="""
        def test_it(drill):
            assert drill("nulls.yaml", "--only", "nulls").verdict == "passed"
        def test_broken(drill):
            drill("broken.yaml")
        """
    )
    found = drills(pytester)
    found.assert_outcomes(passed=1, failed=1)
    assert "Prometheus could not be started" in found.stdout.str()


def test_importing_the_plugin_imports_nothing_of_alertdrill() -> None:
    import subprocess
    import sys

    code = "import sys, alertdrill.pytest_plugin as p; print([m for m in sys.modules if m.startswith('alertdrill')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "['alertdrill', 'alertdrill.pytest_plugin']"
