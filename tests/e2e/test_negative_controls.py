import subprocess

import pytest

from tests.e2e.drills import ALERTDRILL, Drill, scenario
from tests.e2e.recipes import NULLS


@pytest.mark.drill("rule_deleted")
def test_a_deleted_rule_is_missed_and_the_other_three_are_still_drilled(drill: Drill) -> None:
    verdicts = {one["phase"]: one["verdict"] for one in drill.result["expectations"]}
    assert verdicts == {"drift": "detected", "nulls": "missed", "malformed": "detected", "slow": "detected"}
    assert drill.expectation("nulls")["reason"]["code"] == "rule_not_loaded"
    assert drill.exit_code == 1


@pytest.mark.drill("threshold_raised")
def test_a_threshold_out_of_reach_is_missed_and_says_how_far_the_signal_came(drill: Drill) -> None:
    one = drill.expectation("nulls")
    assert (one["verdict"], one["reason"]["code"]) == ("missed", "never_pending")
    assert "needs > 0.9" in one["reason"]["text"]
    assert "threshold < 0.2" in one["reason"]["decide_it_by"]
    assert drill.exit_code == 1


@pytest.mark.drill("shares_zero")
def test_faults_with_share_zero_touch_nothing_and_own_nothing(drill: Drill) -> None:
    result = drill.result
    assert {one["reason"]["code"] for one in result["expectations"]} == {"nothing_touched"}
    assert [one["touched"] for one in result["faults"]] == [0, 0, 0, 0]
    assert (result["also_fired"], result["false_alarms"]) == ([], [])
    assert (result["verdict"], drill.exit_code) == ("passed", 0)


@pytest.mark.drill("bypassed")
def test_a_bypassed_injector_proves_nothing(drill: Drill) -> None:
    one = drill.expectation("slow")
    assert (one["verdict"], one["reason"]["code"]) == ("inconclusive", "fault_not_delivered")
    assert drill.exit_code == 3


@pytest.mark.drill("already_firing")
def test_an_alert_that_fired_before_the_fault_did_not_detect_it_and_blocks_nobody(drill: Drill) -> None:
    one = drill.expectation("always")
    assert (one["verdict"], one["reason"]["code"]) == ("inconclusive", "already_firing")
    assert drill.expectation("nulls")["verdict"] == "detected"
    assert drill.exit_code == 3


@pytest.mark.drill("prometheus_killed")
def test_a_prometheus_that_is_killed_is_neither_a_miss_nor_a_detection(drill: Drill) -> None:
    assert drill.expectation("nulls")["verdict"] == "inconclusive"
    assert any(trouble.startswith("engine_gone") for trouble in drill.result["troubles"])
    assert drill.exit_code == 3
    assert "Traceback" not in drill.output


@pytest.mark.drill("below_floor")
def test_a_deadline_below_the_floor_is_late_when_run(drill: Drill) -> None:
    one = drill.expectation("nulls")
    assert (one["verdict"], one["reason"]["code"]) == ("late", "too_late")
    assert "floor" in drill.output
    assert drill.exit_code == 1


def test_a_deadline_below_the_floor_is_refused_by_plan(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = scenario(tmp_path_factory.mktemp("plan"), NULLS.replace("within: 10s", "within: 1s"))
    done = subprocess.run([*ALERTDRILL, "plan", path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "phases[0].expect[0].within" in done.stdout
    assert "the floor" in done.stdout
