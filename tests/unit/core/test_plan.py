import json

import numpy as np
from drill import BASELINE, SCHEMA, make_plan, nulls_phase, read

from alertdrill.core.plan import Plan, SegmentKind, make_segments
from alertdrill.core.timeline import arrival_times, fingerprint

PLAN = make_plan(read(BASELINE, nulls_phase(), {"name": "after", "duration": "5s"}))


def test_a_gate_stands_before_every_phase_with_faults_and_nowhere_else() -> None:
    kinds = [(one.kind, one.name) for one in PLAN.segments]
    assert kinds == [
        (SegmentKind.STEADY, "steady_state"),
        (SegmentKind.PHASE, "baseline"),
        (SegmentKind.GATE, "nulls"),
        (SegmentKind.PHASE, "nulls"),
        (SegmentKind.PHASE, "after"),
        (SegmentKind.SETTLE, "settle"),
    ]
    assert [one.k for one in PLAN.segments] == list(range(6))


def test_arrivals_of_a_segment_can_be_derived_again_and_proven() -> None:
    for segment in PLAN.segments:
        times = arrival_times(segment.arrivals, PLAN.seed, segment.k, segment.duration_s)
        assert (len(times), fingerprint(times)) == (segment.count, segment.arrivals_sha256)


def test_a_gate_can_last_a_tail_although_the_timeout_is_shorter() -> None:
    scenario = read(nulls_phase(), settle={"timeout": "2s"})
    gate = make_segments(scenario, SCHEMA, tail_s=30.0)[0][1]
    assert gate.duration_s > 30


def test_settle_waits_for_the_longest_deadline_to_resolve() -> None:
    slow = nulls_phase(expect=[{"alert": "NullsHigh", "within": "5s", "resolves_within": "100s"}])
    assert make_segments(read(slow), SCHEMA, 9.0)[0][-1].duration_s >= 100 + 9


def test_injections_are_tied_to_the_segment_of_their_phase() -> None:
    (one,) = PLAN.injections
    assert (one.id, one.segment, one.share, one.unit, one.place) == ("nulls/nulls", 3, 0.5, "row", None)
    assert PLAN.segment_injections(3) == (one,)
    assert PLAN.segment_injections(2) == ()
    assert PLAN.phase_segment("nulls").k == 3


def test_an_exchange_fault_has_a_place() -> None:
    slow = nulls_phase(faults=[{"kind": "latency", "id": "held", "delay": "1s", "share": 1, "place": "dependency"}])
    (one,) = make_plan(read(slow)).injections
    assert (one.id, one.place) == ("nulls/held", "dependency")


def test_a_plan_survives_its_file() -> None:
    text = PLAN.model_dump_json()
    again = Plan.model_validate_json(text)
    assert again == PLAN
    assert again.model_dump_json() == text
    assert json.loads(text)["schema"] == "alertdrill/plan/v1"


def test_one_scenario_is_one_plan() -> None:
    again = make_plan(read(BASELINE, nulls_phase(), {"name": "after", "duration": "5s"}))
    assert again == PLAN
    other = make_plan(read(BASELINE, nulls_phase(), load={"rate": "20/s"}))
    assert not np.isclose(other.segments[0].count, 0)
    assert other.segments[0].arrivals_sha256 != PLAN.segments[0].arrivals_sha256


def test_patterns_stand_for_the_features_that_a_fault_can_edit_and_names_for_themselves() -> None:
    def features(kind: str, *names: str, **more: object) -> tuple[str, ...]:
        fault = {"kind": kind, "id": "nulls", "features": list(names), "share": 1, **more}
        (one,) = make_plan(read(nulls_phase(faults=[fault]))).injections
        return one.fault.features

    assert features("nulls", "*") == SCHEMA.names()
    assert features("mean_shift", "*", by="1sd") == ("amount", "hour")
    assert features("nulls", "hour", "[ac]*") == ("hour", "amount", "country")
