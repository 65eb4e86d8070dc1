from typing import Any

import numpy as np
import pytest
from drill import BASELINE, make_plan, nulls_phase, read
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


def planned(
    *faults: dict[str, Any], arrivals: str = "constant", profile: dict[str, Any] | None = None
) -> tuple[Plan, Schedule]:
    expect = [{"alert": "NullsHigh", "within": "10s", "fault": faults[0]["kind"]}]
    phase = nulls_phase(duration="60s", faults=list(faults), expect=expect, load={"profile": profile})
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


# Arrivals of drills with faults on them, taken before rates could vary.
@pytest.mark.parametrize(
    ("arrivals", "fault", "count", "expected"),
    [
        ("poisson", {"kind": "surge", "factor": 3.5}, 4817, "07ba5c5f4ce0"),
        ("poisson", {"kind": "retry_storm", "share": "30%"}, 2637, "ba18860d4d46"),
        ("poisson", {"kind": "traffic_loss", "share": "30%"}, 1408, "5f5de0083253"),
        ("constant", {"kind": "surge", "factor": 3.5}, 4760, "bc5a6dd90304"),
        ("constant", {"kind": "retry_storm", "share": "30%"}, 2533, "02efccb1a3f3"),
        ("constant", {"kind": "traffic_loss", "share": "30%"}, 1360, "a380dc657e9b"),
    ],
)
def test_faults_on_a_plain_rate_give_the_schedule_that_they_always_gave(
    arrivals: str, fault: dict[str, Any], count: int, expected: str
) -> None:
    phase = {"name": "x", "duration": "20s", "load": {"factor": 1.7}, "faults": [fault]}
    plan = make_plan(read(BASELINE, phase, load={"rate": "40/s", "arrivals": arrivals}))
    assert (plan.segments[3].count, plan.segments[3].arrivals_sha256[:12]) == (count, expected)


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_what_a_fault_adds_follows_the_profile_of_the_load(arrivals: str) -> None:
    pause = {"kind": "pause", "at": "20s", "for": "20s"}
    _, schedule = planned(SURGE, arrivals=arrivals, profile=pause)
    added = schedule.touched["nulls/surge"]
    assert added.sum() == pytest.approx(1600, rel=0.1)
    assert not ((schedule.at >= 20) & (schedule.at < 40)).any()
    assert len(set(schedule.at.tolist())) == len(schedule)


def test_every_request_knows_which_planned_arrival_it_is() -> None:
    for faults in ([SURGE], [LOSS], [RETRIES], [SURGE, LOSS, RETRIES]):
        plan, schedule = planned(*faults, arrivals="poisson")
        own = schedule.planned >= 0
        assert schedule.planned[own].tolist() == list(range(int(own.sum())))
        load = arrival_times(plan.segments[K].arrivals, plan.seed, K, 60.0)
        assert schedule.at[own].tolist() == load.tolist()
