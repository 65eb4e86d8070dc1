import json
from typing import Any

import numpy as np
import pytest
from drill import BASELINE, SCHEMA, group, nulls_phase, rule
from planned import KNOWN, TAIL_S
from recorded_drills import RECORDED, log, numbered, recorded, recorded_plan
from sample import sample

from alertdrill.core.log_fit import played_s, too_dense, too_fast, too_long, too_quick
from alertdrill.core.payloads import Payloads
from alertdrill.core.plan import Plan, Segment, SegmentKind, make_segments
from alertdrill.core.prospect import assumed_starts
from alertdrill.core.scenario.finding import TOP
from alertdrill.core.scope import RuleBook
from alertdrill.core.touch import Touch
from alertdrill.core.traffic import PlannedTraffic
from alertdrill.protocols.rows import Column

SURGE = {"kind": "surge", "factor": 3}


def phase(*faults: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"name": "one", "duration": "20s", "faults": list(faults), **changes}


def amounts(plan: Plan, k: int, rows: Any = None) -> list[Any]:
    payloads = Payloads(plan, numbered(1200) if rows is None else rows)
    return [json.loads(body)["amount"] for body in payloads.block(k, 0, plan.segments[k].count).bodies]


def of_kind(plan: Plan, kind: SegmentKind) -> Segment:
    return next(one for one in plan.segments if one.kind is kind)


PLAN = recorded_plan(recorded(BASELINE, phase()), log())
LAST = PLAN.phase_segment("one").k


def test_phases_play_the_log_one_part_after_the_other() -> None:
    assert amounts(PLAN, PLAN.phase_segment("baseline").k) == [1000.0 + i for i in range(200)]
    assert amounts(PLAN, LAST) == [1200.0 + i for i in range(400)]
    assert Touch(PLAN).schedule(LAST).at.tolist() == pytest.approx([i / 20 for i in range(400)])


def test_all_else_plays_the_log_from_its_beginning_over_and_over() -> None:
    short = recorded_plan(recorded(phase()), log(400))
    for kind in (SegmentKind.STEADY, SegmentKind.SETTLE):
        segment = of_kind(short, kind)
        assert segment.count > 400
        assert amounts(short, segment.k, numbered(400)) == [1000.0 + i % 400 for i in range(segment.count)]


def test_the_plan_alone_says_when_and_what() -> None:
    again = Plan.model_validate_json(PLAN.model_dump_json())
    assert again == PLAN
    assert amounts(again, LAST) == amounts(PLAN, LAST)


def test_what_a_surge_adds_is_drawn_from_the_log_and_the_log_stays_in_order() -> None:
    plan = recorded_plan(recorded(BASELINE, phase(SURGE)), log())
    k = plan.phase_segment("one").k
    schedule, sent = Touch(plan).schedule(k), np.array(amounts(plan, k))
    own = schedule.planned >= 0
    assert sent[own].tolist() == [1200.0 + i for i in range(400)]
    added = sent[~own] - 1000
    assert 0 <= added.min() < 100
    assert 1100 < added.max() < 1200
    assert len(added) == pytest.approx(800, rel=0.15)


def test_retries_and_losses_keep_the_rows_where_they_are() -> None:
    faults = [{"kind": "retry_storm", "share": "30%", "retries": 2}, {"kind": "traffic_loss", "share": "20%"}]
    plan = recorded_plan(recorded(BASELINE, phase(*faults)), log())
    k = plan.phase_segment("one").k
    schedule, sent = Touch(plan).schedule(k), np.array(amounts(plan, k))
    assert sent[schedule.planned >= 0].tolist() == [1200.0 + i for i in range(400)]
    assert sent.tolist() == sent[schedule.origin].tolist()


def test_faults_on_samples_act_on_the_log() -> None:
    plan = recorded_plan(recorded(BASELINE, phase({"kind": "duplicates", "times": 4, "share": "100%"})), log())
    assert amounts(plan, plan.phase_segment("one").k) == [1200.0 + i // 4 * 4 for i in range(400)]
    back = {"kind": "replayed_rows", "back": "5s", "share": "100%"}
    plan = recorded_plan(recorded(BASELINE, phase(back)), log())
    late = amounts(plan, plan.phase_segment("one").k)
    assert late[101:] == [1200.0 + i for i in range(299)]
    gone = {"kind": "vanished_slice", "rows": {"amount": "< 1300"}, "share": "100%"}
    plan = recorded_plan(recorded(BASELINE, phase(gone)), log())
    assert min(amounts(plan, plan.phase_segment("one").k)) >= 1300


def test_a_fault_goes_as_far_as_the_target_s_own_sample_says() -> None:
    """The alerts compare with that sample: a shift of one deviation of the log would be another dose."""
    shift = {"kind": "mean_shift", "features": ["amount"], "by": "1sd", "share": "100%"}
    plan = recorded_plan(recorded(BASELINE, phase(shift)), log())
    by = np.array(amounts(plan, plan.phase_segment("one").k)) - 1200 - np.arange(400)
    own_sd = sample().columns["amount"].values.std(ddof=1)
    assert by == pytest.approx(np.full(400, own_sd))
    assert numbered(1200).columns["amount"].values.std(ddof=1) > 5 * own_sd


def test_times_alone_leave_the_rows_to_the_sample() -> None:
    scenario = recorded(BASELINE, phase(), load={**RECORDED, "log": {"file": "x", "send": "times"}})
    plan = recorded_plan(scenario, log(rows=False))
    assert plan.target.spreads is None
    rows = set(amounts(plan, LAST, sample()))
    assert rows <= set(sample().columns["amount"].values.tolist())
    assert Touch(plan).schedule(LAST).at.tolist() == Touch(PLAN).schedule(LAST).at.tolist()


def test_the_monitor_compares_a_log_with_the_target_s_own_sample() -> None:
    plan = recorded_plan(recorded(BASELINE, phase()), log())
    touch, rows = Touch(plan), sample().take(np.random.default_rng(3).integers(0, 400, 1200))
    starts, counts = assumed_starts(plan, touch, TAIL_S)
    amount = sample().columns["amount"]
    other = sample().with_column("amount", Column(amount.values + 20, amount.cells))
    for reference, drifts in ((sample(), False), (other, True)):
        traffic = PlannedTraffic(plan, rows, touch, reference).until(LAST, starts, counts)
        assert any(alarmed.any() for _, alarmed in traffic.evidence("amount")) is drifts


# Whether the drill can play it


def test_a_log_that_ends_before_the_phases_do_is_refused() -> None:
    assert list(too_long(recorded(BASELINE, phase()), log(600))) == []
    (one,) = too_long(recorded(BASELINE, phase()), log(590))
    assert (one.path, one.got) == ((TOP, "phases"), "phases that play 30s of the log together")
    assert one.expected == "at most 29s500ms, as long as the log lasts"
    fast = recorded(BASELINE, phase(load={"speed": 2}))
    assert [one.got for one in too_long(fast, log(600))] == ["phases that play 50s of the log together"]


def test_a_phase_has_a_speed_of_its_own_and_the_next_one_goes_on_from_there() -> None:
    scenario = recorded(BASELINE, phase(load={"speed": 2}), phase(name="two", duration="10s"))
    plan = recorded_plan(scenario, log())
    assert amounts(plan, plan.phase_segment("one").k) == [1200.0 + i for i in range(800)]
    assert amounts(plan, plan.phase_segment("two").k) == [2000.0 + i for i in range(200)]
    assert plan.phase_segment("one").arrivals.rate_per_s == pytest.approx(40)


def test_a_log_of_which_no_drill_could_play_a_second_is_refused_before_its_arrivals_are_made() -> None:
    dense = log(1000, per_s=1e6)
    (one,) = too_dense(recorded(phase()), TAIL_S, dense)
    assert one.path == (TOP, "load", "log", "file")
    assert one.got == "1000000/s in steady state and gates"
    assert "limits.max_rate to 1000000/s" in one.fix
    assert list(too_dense(recorded(phase()), TAIL_S, log())) == []


def test_a_burst_of_a_log_counts_against_the_limit() -> None:
    at = log()
    burst = type(at).of(np.sort(np.concatenate([at.at_us, np.arange(45_000_000, 45_700_000, 500)])), None)
    limits = {"max_rate": "100/s"}
    scenario = recorded(
        BASELINE, phase(), phase(name="two"), load={**RECORDED, "log": {"file": "x", "send": "times"}}, limits=limits
    )
    assert list(too_dense(scenario, TAIL_S, burst)) == []
    plan = recorded_plan(scenario, burst)
    (one,) = too_fast(plan, Touch(plan))
    assert one.got == "160/s in phase two"
    assert list(too_fast(PLAN, Touch(PLAN))) == []


def test_a_speed_of_a_phase_that_is_too_high_is_said_there() -> None:
    scenario = recorded(BASELINE, phase(load={"speed": 6}), limits={"max_rate": "100/s"})
    (one,) = too_dense(scenario, TAIL_S, log(5000))
    assert (one.path, one.got) == (("one", "load", "speed"), "120/s in phase one")


WINDOWED = group(rule("Windowed", "rate(x[5s]) > 1"))
PLAIN = group(rule("Plain", "x > 1"))
CHAINED = group(rule("x:rate", "rate(x[5s])", kind="recording"), rule("Chained", "x:rate > 1"))
WAITING = group(rule("Waiting", "x > 1", 2.0))


@pytest.mark.parametrize(
    ("rules", "refused"), [(WINDOWED, "Windowed"), (PLAIN, None), (CHAINED, "Chained"), (WAITING, "Waiting")]
)
def test_a_speed_does_not_go_with_alerts_that_look_at_windows_of_time(rules: Any, refused: str | None) -> None:
    name = next(one.name for one in rules.rules if one.type == "alerting")
    forbidden = [{"alert": name}]
    faster = recorded(BASELINE, phase(load={"speed": 2}), load=RECORDED | {"speed": 0.5}, must_not_fire=forbidden)
    found = list(too_quick(faster, RuleBook.of([rules])))
    if refused is None:
        assert found == []
    else:
        assert [one.path for one in found] == [(TOP, "load", "speed"), ("one", "load", "speed")]
        assert [one.got for one in found] == ["0.5", "2"]
        assert f"leave speed at 1: {refused} would" in found[0].fix
    plain = recorded(BASELINE, phase(load={"speed": 1}), must_not_fire=forbidden)
    assert list(too_quick(plain, RuleBook.of([rules]))) == []


def test_alerts_out_of_scope_do_not_mind_a_speed() -> None:
    assert list(too_quick(recorded(BASELINE, load=RECORDED | {"speed": 2}), RuleBook.of([WINDOWED]))) == []


def test_no_segment_plays_more_of_a_log_than_is_kept_of_it() -> None:
    for scenario in (
        recorded(BASELINE, phase()),
        recorded(BASELINE, phase(load={"speed": 7}), settle={"timeout": "30m"}),
        recorded(nulls_phase(duration="auto", expect=[{"alert": "NullsHigh", "within": "auto"}])),
    ):
        whole = log(200_000)
        cut = whole.until(played_s(scenario, TAIL_S))
        trial = scenario.model_copy(
            update={"phases": tuple(one.model_copy(update={"duration": 300.0}) for one in scenario.phases)}
        )
        for one in (trial, scenario) if "inf" not in repr(scenario.phases) else (trial,):
            full, part = (make_segments(one, SCHEMA, TAIL_S, of)[0] for of in (whole, cut))
            assert full == part


def test_prospects_are_worked_out_for_a_log_too() -> None:
    scenario = recorded(BASELINE, nulls_phase())
    plan = recorded_plan(scenario, log(), KNOWN)
    touch = Touch(plan)
    starts, counts = assumed_starts(plan, touch, TAIL_S)
    k = plan.phase_segment("nulls").k
    traffic = PlannedTraffic(plan, numbered(1200), touch, sample()).until(k, starts, counts)
    assert len(traffic.at) == sum(counts[j] for j in range(k)) + plan.segments[k].count
