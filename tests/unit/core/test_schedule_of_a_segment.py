from typing import Any

import numpy as np
import pytest
from drill import make_plan, nulls_phase, read
from hypothesis import given, settings
from hypothesis import strategies as st

from alertdrill.core.plan import Plan
from alertdrill.core.schedule import Schedule, newest_by
from alertdrill.core.timeline import arrival_times
from alertdrill.core.touch import Touch

K = 2  # steady state, gate, phase
SURGE = {"kind": "surge", "factor": 3}
LOSS = {"kind": "traffic_loss", "share": "30%"}
RETRIES = {"kind": "retry_storm", "share": "50%", "retries": 2}


def planned(*faults: dict[str, Any], arrivals: str = "constant") -> tuple[Plan, Schedule]:
    expect = [{"alert": "NullsHigh", "within": "10s", "fault": faults[0]["kind"]}]
    phase = nulls_phase(duration="60s", faults=list(faults), expect=expect)
    plan = make_plan(read(phase, load={"rate": "20/s", "arrivals": arrivals}))
    return plan, Touch(plan).schedule(K)


def test_without_arrival_faults_the_schedule_is_the_load_itself() -> None:
    plan, schedule = planned({"kind": "nulls", "features": ["amount"], "share": 1})
    segment = plan.segments[K]
    assert schedule.at.tolist() == arrival_times(segment.arrivals, plan.seed, K, segment.duration_s).tolist()
    assert schedule.sent.all()
    assert schedule.origin.tolist() == list(range(len(schedule)))
    assert schedule.touched == {}


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_a_surge_adds_arrivals_of_their_own(arrivals: str) -> None:
    _, schedule = planned(SURGE, arrivals=arrivals)
    assert len(schedule) == pytest.approx(3600, rel=0.1)
    assert schedule.touched["nulls/surge"].sum() == pytest.approx(2400, rel=0.1)
    assert len(set(schedule.at.tolist())) == len(schedule)
    assert schedule.origin.tolist() == list(range(len(schedule)))


def test_lost_arrivals_keep_their_index_and_are_not_sent() -> None:
    _, schedule = planned(LOSS)
    assert len(schedule) == 1200
    assert (~schedule.sent).tolist() == schedule.touched["nulls/traffic_loss"].tolist()
    assert abs((~schedule.sent).mean() - 0.3) < 0.05


def test_retries_point_at_their_first_attempt() -> None:
    _, schedule = planned(RETRIES)
    retries = schedule.origin != np.arange(len(schedule))
    assert retries.tolist() == schedule.touched["nulls/retry_storm"].tolist()
    assert retries.sum() == pytest.approx(1200, rel=0.1)
    first = schedule.origin[retries]
    assert np.all(schedule.at[first] < schedule.at[retries])
    assert not retries[first].any()


def test_a_lost_request_is_not_retried_and_faults_see_the_planned_arrivals_alone() -> None:
    _, schedule = planned(LOSS, RETRIES, SURGE)
    assert schedule.sent.tolist() == schedule.sent[schedule.origin].tolist()
    lost, retries, surge = (schedule.touched[f"nulls/{kind}"] for kind in ("traffic_loss", "retry_storm", "surge"))
    assert len(schedule) == 1200 + retries.sum() + surge.sum()
    assert not np.any(lost & surge)
    assert lost.tolist() == (~schedule.sent & ~retries).tolist()


@settings(max_examples=20)
@given(at=st.lists(st.floats(-5, 70), min_size=1, max_size=20))
def test_the_newest_request_by_an_instant(at: list[float]) -> None:
    _, schedule = PLANNED
    for instant, index in zip(at, newest_by(schedule)(np.array(at)).tolist(), strict=True):
        due = [i for i, when in enumerate(schedule.at.tolist()) if when <= instant]
        assert index == (due[-1] if due else 0)


PLANNED = planned(SURGE)


def test_further_constant_arrivals_do_not_fall_on_the_planned_ones() -> None:
    _, schedule = planned({"kind": "surge", "factor": 2})
    assert len(set(schedule.at.tolist())) == len(schedule)
