import pytest

from alertdrill.core.plan import Plan
from alertdrill.core.touch import Touch
from tests.e2e.drills import Drill

pytestmark = [pytest.mark.drill("https_target"), pytest.mark.long]


def test_a_delay_before_an_https_target_is_detected(drill: Drill) -> None:
    assert drill.exit_code == 0, drill.output
    assert drill.expectation("slow")["verdict"] == "detected", drill.output


@pytest.mark.parametrize("injection", ["edge/latency", "slow/latency"])
def test_what_was_held_before_an_https_target_is_what_was_planned(drill: Drill, injection: str) -> None:
    plan = Plan.model_validate_json((drill.folder / "plan.json").read_bytes())
    planned = next(one for one in plan.injections if one.id == injection)
    closed = next(r for r in drill.journal if r["record"] == "segment_closed" and r["k"] == planned.segment)
    assert closed["sent"] == closed["scheduled"] > 200
    touched = [i for r in drill.journal if r["record"] == "touched" and r["injection"] == injection for i in r["i"]]
    assert sorted(touched) == Touch(plan).mask(planned, 0, closed["sent"]).nonzero()[0].tolist()


def test_every_request_to_an_https_target_was_answered(drill: Drill) -> None:
    records = [r for r in drill.journal if r["record"] in ("segment_closed", "segment_drained")]
    assert sum(r["failed"] for r in records) == 0
    sent = sum(r["sent"] for r in records if r["record"] == "segment_closed")
    assert sum(r["answered"] for r in records) == sent > 1000
