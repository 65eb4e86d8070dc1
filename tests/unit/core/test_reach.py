import pytest
from drill import BASELINE, nulls_phase, read
from planned import the_plan

from alertdrill.core.reach import Reach, held_up, reaches
from alertdrill.core.touch import Touch


def reach(*faults: dict[str, object], background_per_s: float = 0.0, **changes: object) -> tuple[Reach, ...]:
    plan = the_plan(read(BASELINE, nulls_phase(faults=list(faults), expect=[], **changes)))
    plan = plan.model_copy(update={"background_per_s": background_per_s})
    return reaches(plan, Touch(plan))


NULLS = {"kind": "nulls", "features": ["amount"], "share": "50%"}


def test_touched_requests_are_counted_among_those_of_the_phase() -> None:
    (one,) = reach(NULLS)
    assert one.requests == 400
    assert 160 < one.touched < 240
    assert one.share_of_ours == one.share_seen == one.touched / 400
    assert (one.first_s, one.strongest) == (0.025, 1.0)


def test_the_traffic_of_others_dilutes_a_share() -> None:
    (one,) = reach(NULLS, background_per_s=60.0)
    assert one.background == 1200
    assert one.share_seen == pytest.approx(one.share_of_ours / 4)


def test_requests_that_a_fault_suppresses_are_nobody_else_s() -> None:
    lost, nulls = reach({"kind": "traffic_loss", "share": "50%"}, NULLS)
    assert lost.requests == 400
    assert nulls.requests == 400 - lost.touched
    assert nulls.touched <= nulls.requests


def test_requests_that_a_fault_adds_count() -> None:
    surge, _ = reach({"kind": "surge", "factor": 3}, NULLS)
    assert surge.requests == 400 + surge.touched
    assert 700 < surge.touched < 900


def test_the_strength_is_the_most_that_a_request_of_the_phase_gets() -> None:
    ramp = {"kind": "ramp", "over": "40s"}
    late = {"kind": "step", "at": "30s"}
    (half,) = reach(NULLS | {"profile": ramp})
    (never,) = reach(NULLS | {"profile": late})
    assert half.strongest == pytest.approx(0.5, abs=0.01)
    assert (never.strongest, never.touched, never.first_s, never.last_s) == (0.0, 0, None, None)


def test_a_phase_without_requests_has_shares_of_nothing() -> None:
    (one,) = reach(NULLS, load={"factor": 0})
    assert (one.requests, one.share_of_ours, one.share_seen) == (0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (NULLS, ("nulls/latency",)),
        ({"kind": "connection_reset", "share": "10%", "place": "model"}, ("nulls/latency",)),
        ({"kind": "surge", "factor": 2}, ()),
    ],
)
def test_a_fault_at_a_dependency_can_be_held_up_by_those_before_it(
    other: dict[str, object], names: tuple[str, ...]
) -> None:
    slow = {"kind": "latency", "delay": "1s", "share": "50%", "place": "dependency"}
    assert held_up(the_plan(read(BASELINE, nulls_phase(faults=[slow, other], expect=[])))) == names
