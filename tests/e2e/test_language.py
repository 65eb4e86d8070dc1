"""One drill with what the language can say: profiles, slices, selection, patterns, auto, loads of phases, arrivals."""

import json
import subprocess
from typing import Any

import pytest

from tests.e2e.drills import ALERTDRILL, Drill

pytestmark = pytest.mark.drill("language")


def fault(drill: Drill, name: str) -> Any:
    return next(one for one in drill.result["faults"] if one["id"] == name)


def test_every_alert_fires_as_the_configuration_allows(drill: Drill) -> None:
    """`within: auto` holds in 95 of 100 drills; late are those with an evaluation just before each scrape."""
    verdicts = {one["phase"]: one["verdict"] for one in drill.result["expectations"]}
    assert set(verdicts) == {"ramped", "errors", "storm", "silence"}
    assert set(verdicts.values()) <= {"detected", "late"}, drill.output
    assert verdicts["silence"] == "detected"


def test_auto_became_numbers(drill: Drill) -> None:
    plan = json.loads((drill.folder / "plan.json").read_bytes())
    phases = {phase["name"]: phase for phase in plan["scenario"]["phases"]}
    assert "auto" not in json.dumps(phases)
    for name in ("ramped", "errors", "storm"):
        one = drill.expectation(name)
        assert one["floor_s"] <= one["ttd_s"] <= one["worst_s"]
        assert one["floor_s"] < one["within_s"]
        assert (one["verdict"] == "detected") == (one["ttd_s"] <= one["within_s"])


def test_a_ramp_touches_more_and_more_and_the_result_says_how_strong_it_was(drill: Drill) -> None:
    one = drill.expectation("ramped")
    assert 0 < one["dose_at_firing"] <= 1
    assert one["full_dose_at"] is None or 4 < one["full_dose_at"] - one["fault_start"] < 7
    touched = [record for record in drill.journal if record["record"] == "touched"]
    plan = json.loads((drill.folder / "plan.json").read_bytes())
    nulls = next(one for one in plan["injections"] if one["id"] == "ramped/nulls")
    assert nulls["fault"]["features"] == ["amount", "amount_24h"]
    assert nulls["chosen"]
    assert any(record["injection"] == "ramped/nulls" for record in touched)


def test_a_pulse_starts_late(drill: Drill) -> None:
    plan = json.loads((drill.folder / "plan.json").read_bytes())
    (errors,) = [one for one in plan["injections"] if one["phase"] == "errors"]
    started = next(
        r["start_at"] for r in drill.journal if r["record"] == "segment_started" and r["k"] == errors["segment"]
    )
    assert 1 <= drill.expectation("errors")["fault_start"] - started < 1.5


def test_phases_have_loads_of_their_own(drill: Drill) -> None:
    plan = json.loads((drill.folder / "plan.json").read_bytes())
    rates = {one["name"]: one["arrivals"]["rate_per_s"] for one in plan["segments"] if one["kind"] == "phase"}
    assert rates == {"baseline": 50, "ramped": 100, "errors": 100, "storm": 50, "silence": 100}


def test_retries_and_lost_requests_are_accounted_for(drill: Drill) -> None:
    closed = {record["k"]: record for record in drill.journal if record["record"] == "segment_closed"}
    plan = json.loads((drill.folder / "plan.json").read_bytes())
    at = {one["name"]: one["k"] for one in plan["segments"] if one["kind"] == "phase"}
    storm, silence = fault(drill, "retry_storm"), fault(drill, "traffic_loss")
    assert storm["touched"] == storm["planned"] > 0.3 * storm["requests"]
    lost = closed[at["silence"]]
    assert (lost["sent"], lost["suppressed"]) == (0, lost["scheduled"])
    assert silence["touched"] == silence["planned"] == lost["suppressed"] > 0


def test_the_drill_can_be_judged_again(drill: Drill) -> None:
    before = (drill.folder / "result.json").read_bytes()
    again = subprocess.run([*ALERTDRILL, "check", str(drill.folder)], capture_output=True, text=True, check=False)
    assert again.returncode == drill.exit_code, again.stdout + again.stderr
    assert (drill.folder / "result.json").read_bytes() == before
