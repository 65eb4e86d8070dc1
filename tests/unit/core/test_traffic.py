from collections.abc import Sequence

import numpy as np
import pytest
from drill import BASELINE, make_plan, nulls_phase, read
from sample import sample

from alertdrill.core import traffic
from alertdrill.core.touch import Touch
from alertdrill.core.traffic import HISTORY, PlannedTraffic
from alertdrill.drift.cells import Cells
from alertdrill.drift.e_detector import EDetector, log_threshold

FAULTS = [
    {"kind": "nulls", "features": ["amount"], "share": "20%"},
    {"kind": "malformed_json", "share": "30%"},
    {"kind": "latency", "id": "model", "delay": "400ms", "share": "30%"},
    {"kind": "latency", "id": "edge", "delay": "700ms", "share": "30%", "place": "edge"},
]
PHASE = nulls_phase(faults=FAULTS, expect=[{"alert": "NullsHigh", "within": "10s", "fault": "nulls"}])
PLAN = make_plan(read(BASELINE, PHASE))
STARTS = {0: 0.0, 1: 4.0, 2: 14.0, 3: 16.0}
COUNTS = {0: 80, 1: 200, 2: 40}
TOUCH = Touch(PLAN)
TRAFFIC = PlannedTraffic(PLAN, sample(), TOUCH)
PLANNED = TRAFFIC.until(3, STARTS, COUNTS)
FIRST = 80 + 200 + 40


def test_what_was_sent_before_and_the_whole_phase_are_planned_in_order() -> None:
    assert len(PLANNED.at) == FIRST + PLAN.segments[3].count
    assert np.all(np.diff(PLANNED.at) > 0)
    assert PLANNED.at[FIRST] == 16.025


def test_the_faults_of_the_phase_are_those_of_the_draws() -> None:
    n = PLAN.segments[3].count
    touched = {one.id: TOUCH.mask(one, 0, n) for one in PLAN.injections}
    assert PLANNED.malformed[FIRST:].tolist() == touched["nulls/malformed_json"].tolist()
    assert PLANNED.nulls("amount")[FIRST:].tolist() == touched["nulls/nulls"].tolist()
    assert (PLANNED.delay_s[FIRST:] > 0).tolist() == touched["nulls/model"].tolist()
    assert not PLANNED.malformed[:FIRST].any()
    assert not PLANNED.delay_s[:FIRST].any()


def test_nulls_of_the_sample_count_too() -> None:
    assert PLANNED.nulls("hour")[:FIRST].any()


def test_the_monitor_cannot_see_a_delay_in_front_of_it() -> None:
    assert set(PLANNED.delay_s.tolist()) == {0.0, 0.4}


def test_plans_judge_with_the_threshold_of_a_monitor_that_watches_features_and_predictions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thresholds = set[float]()

    class Noting(EDetector):
        def __init__(self, cells: Sequence[Cells], log_threshold: float, exact_reference: bool = False) -> None:
            thresholds.add(log_threshold)
            super().__init__(cells, log_threshold, exact_reference)

    monkeypatch.setattr(traffic, "EDetector", Noting)
    PlannedTraffic(PLAN, sample(), TOUCH).until(3, STARTS, COUNTS).evidence("amount")
    watched = sum(feature.watched for feature in PLAN.target.schema_.features)
    assert thresholds == {log_threshold(watched + 2)}


def test_evidence_is_worked_out_for_every_phase_of_the_monitor_s_clock() -> None:
    variants = PLANNED.evidence("amount")
    assert len(variants) == 10
    for instants, above in variants:
        assert len(instants) == len(above)
        assert np.all(np.diff(instants) > 0)
    firsts = [instants[above.argmax()] for instants, above in variants]
    assert all(above.any() for _, above in variants)
    assert min(firsts) > 16
    assert max(firsts) - min(firsts) < 1
    assert PLANNED.evidence("unknown") == ()


def test_segments_after_the_fault_s_and_unclosed_ones_are_left_out() -> None:
    again = TRAFFIC.until(3, {**STARTS, 4: 40.0}, {0: 80, 1: 200, 4: 9})
    assert len(again.at) == 80 + 200 + PLAN.segments[3].count


def test_history_is_bounded() -> None:
    scenario = read(BASELINE, PHASE, load={"rate": "500/s"}, limits={"max_rate": "500/s"})
    plan = make_plan(scenario)
    counts = {k: plan.segments[k].count for k in range(3)}
    assert sum(counts.values()) > HISTORY
    planned = PlannedTraffic(plan, sample(), Touch(plan)).until(3, {0: 0.0, 1: 60.0, 2: 70.0, 3: 100.0}, counts)
    assert len(planned.at) == HISTORY + plan.segments[3].count
