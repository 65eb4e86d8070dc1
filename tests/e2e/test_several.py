"""Several scenarios of one command: at the same time, interrupted, and stopped by the first that does not pass."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.e2e.drills import ALERTDRILL, Drill, scenario
from tests.e2e.marked_drill import MarkedDrill, eventually

INTERRUPTED, INCONCLUSIVE, ABORTED = 130, 3, 4
GONE_WITHIN_S = 3.0
GONE_AFTER_KILL_S = 8.0


@pytest.mark.drill("side_by_side")
def test_drills_at_the_same_time_each_have_their_verdict_and_evidence(drill: Drill) -> None:
    folder = drill.folder.parents[2]
    run = json.loads((folder / "run.json").read_bytes())
    assert (drill.exit_code, run["exit_code"], run["of"]) == (0, 0, 2), drill.output
    first, second = (one["result"] for one in run["drills"])
    assert [first["scenario"], second["scenario"]] == ["amount", "distance_km"]
    assert max(first["started_at"], second["started_at"]) < min(first["ended_at"], second["ended_at"])
    for one in run["drills"]:
        assert one["result"] == json.loads((Path(one["folder"]) / "result.json").read_bytes())
        done = subprocess.run([*ALERTDRILL, "check", one["folder"]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "result.json is what this evidence gives" in done.stdout
    assert [Path(one).name for one in run["passed_by"]] == ["rules.yml"]
    suites = ElementTree.parse(folder / "run.junit").getroot().findall("testsuite")
    assert [one.get("name") for one in suites] == ["amount", "distance_km"]


@pytest.mark.drill("side_by_side")
def test_a_recording_of_what_is_expected_lacks_what_other_rules_in_scope_read(drill: Drill) -> None:
    selectors = " ".join(drill.samples["source"]["selectors"])
    assert "model_feature_values_total" in selectors
    assert "model_malformed_requests_total" not in selectors


@pytest.mark.drill("side_by_side")
def test_each_line_of_drills_at_the_same_time_says_of_which_it_is(drill: Drill) -> None:
    lines = re.findall(r"^ +[0-9.]+ s  (amount|distance_km) +(.+)$", drill.output, re.MULTILINE)
    assert len(lines) == len(re.findall(r"^ +[0-9.]+ s  ", drill.output, re.MULTILINE))
    for name in ("amount", "distance_km"):
        said = [text for label, text in lines if label == name]
        assert [text for text in said if text.startswith(("phase", "settle"))] == ["phase nulls", "settle"]
    assert "2 scenarios: 2 passed" in drill.output


Disturb = Callable[[MarkedDrill], None]


def _signals(*numbers: signal.Signals) -> Disturb:
    def disturb(drill: MarkedDrill) -> None:
        for number in numbers:
            drill.process.send_signal(number)
            time.sleep(0.05)

    return disturb


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[MarkedDrill]:
    """Two drills at the same time, and a third that waits for its turn, once faults of both of them act."""
    with _running(tmp_path, "--jobs", "2") as drill:
        drill.wait_for(lambda: len(_touched(drill)) == 2, "no fault in both drills")
        yield drill


def _running(folder: Path, *more: str) -> MarkedDrill:
    """Three drills, those of `more` between the first and the others."""
    others: list[str] = []
    for name in ("second", "third"):
        (folder / name).mkdir()
        (folder / name / "rules.yml").symlink_to(folder / "drill" / "rules.yml")
        others.append(str(folder / name / "scenario.yaml"))
    return MarkedDrill(folder / "drill", *more, *others, "--json", str(folder / "run.json"), copies=others)


def _touched(drill: MarkedDrill) -> set[Path]:
    journals = [one / "journal.jsonl" for one in drill.results()]
    return {one for one in journals if one.exists() and "touched" in one.read_text(errors="replace")}


@pytest.mark.long
@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM,)])
def test_interrupted_drills_are_all_gone_within_three_seconds(
    tmp_path: Path, pair: MarkedDrill, signals: tuple[signal.Signals, ...]
) -> None:
    began = time.monotonic()
    _signals(*signals)(pair)
    assert pair.ended(20.0) == INTERRUPTED, pair.output
    assert time.monotonic() - began < GONE_WITHIN_S
    assert pair.nothing_runs(0.5), pair.running()
    assert "Traceback" not in pair.output
    run = json.loads((tmp_path / "run.json").read_bytes())
    assert [one["status"] for one in run["drills"]] == ["no_result", "no_result", "not_run"]
    for folder in pair.results():
        assert _check(folder) == INCONCLUSIVE


@pytest.mark.long
def test_drills_whose_controller_is_killed_leave_no_process(pair: MarkedDrill) -> None:
    pair.process.send_signal(signal.SIGKILL)
    assert pair.nothing_runs(GONE_AFTER_KILL_S), pair.running()
    assert [_check(folder) for folder in pair.results()] == [INCONCLUSIVE] * 2


@pytest.mark.long
def test_a_drill_that_is_killed_is_told_and_the_other_goes_on(pair: MarkedDrill) -> None:
    victim = pair.pids("job")[0]
    os.kill(victim, signal.SIGKILL)
    told = eventually(lambda: "and without a result" in pair.output, 10.0)
    alive = len(pair.pids("job"))
    _signals(signal.SIGINT)(pair)
    assert pair.ended(20.0) == INTERRUPTED, pair.output
    assert (told, alive) == (True, 2), pair.output  # the third took its place
    assert pair.nothing_runs(0.5), pair.running()


@pytest.mark.long
def test_the_first_that_does_not_pass_stops_those_that_run(tmp_path: Path) -> None:
    stop = "stop_conditions: [{query: 'vector(1)', is: '== 1', for: 1s}]"
    broken = scenario(tmp_path, "  - {name: baseline, duration: 30s}", stop)
    with _running(tmp_path, broken, "--jobs", "2", "--fail-fast") as drill:
        assert drill.ended(90.0) == ABORTED, drill.output
        assert drill.nothing_runs(0.5), drill.running()
    run: Any = json.loads((tmp_path / "run.json").read_bytes())
    assert [one["status"] for one in run["drills"]] == ["stopped", "ended", "not_run", "not_run"], drill.output
    assert {one["why"] for one in run["drills"]} == {None, "--fail-fast: control did not pass"}


def _check(folder: Path) -> int:
    done = subprocess.run([*ALERTDRILL, "check", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode
