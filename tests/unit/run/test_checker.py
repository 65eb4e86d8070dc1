"""Verdicts of whole drills, and that judging is a function of its evidence."""

import pytest
from drill import BASELINE, T0_S, Drill, expect, nulls_phase

from alertdrill.core import journal as records
from alertdrill.core.journal import from_lines, to_line
from alertdrill.core.plan import Plan, SegmentKind
from alertdrill.core.recording import from_json, to_json
from alertdrill.core.result import DrillVerdict
from alertdrill.run.checker import judge, open_questions

CONTROL = nulls_phase(faults=[{"kind": "nulls", "features": ["amount"], "share": 0}])
STOPPED = records.Trouble(at=T0_S + 50, kind="stop_condition", what="up == 0 for 5 s")
INTERRUPTED = records.Trouble(at=T0_S + 50, kind="interrupted", what="interrupted by the user")


def missed() -> Drill:
    return Drill()


def detected() -> Drill:
    return Drill().detect()


@pytest.mark.parametrize(
    ("drill", "verdict"),
    [
        (detected(), DrillVerdict.PASSED),
        (missed(), DrillVerdict.FAILED),
        (Drill(BASELINE, CONTROL), DrillVerdict.PASSED),
        (Drill(BASELINE), DrillVerdict.PASSED),
        (missed().drop(records.Touched).drop(records.SegmentStarted, lambda r: r.k == 3), DrillVerdict.INCONCLUSIVE),
        (detected().add(INTERRUPTED), DrillVerdict.INCONCLUSIVE),
        (missed().add(INTERRUPTED), DrillVerdict.FAILED),
        (missed().add(STOPPED), DrillVerdict.ABORTED),
        (detected().drop(records.Ended), DrillVerdict.INCONCLUSIVE),
    ],
    ids=[
        "detected",
        "missed",
        "control",
        "no-faults",
        "not-reached",
        "interrupted",
        "proven-miss",
        "stopped",
        "partial",
    ],
)
def test_the_worst_that_happened_is_the_verdict(drill: Drill, verdict: DrillVerdict) -> None:
    assert drill.judge().verdict is verdict


def test_a_proven_miss_stays_failed_beside_an_inconclusive_expectation() -> None:
    drill = Drill(nulls_phase("one"), nulls_phase("two"))
    drill.drop(records.Touched, lambda r: r.injection.startswith("two/"))
    result = drill.judge()
    assert [one.verdict.value for one in result.expectations] == ["missed", "inconclusive"]
    assert result.verdict is DrillVerdict.FAILED


def test_a_share_of_0_that_was_not_written_passes_nothing() -> None:
    few = nulls_phase(faults=[{"kind": "nulls", "features": ["amount"], "share": 1e-9}])
    result = Drill(BASELINE, few).judge()
    assert result.expectations[0].reason is not None
    assert result.expectations[0].reason.code.value == "nothing_touched"
    assert result.verdict is DrillVerdict.INCONCLUSIVE


def test_an_alert_under_a_control_is_not_attributed_to_it() -> None:
    drill = Drill(BASELINE, CONTROL)
    at = drill.evaluation(drill.segment_ms(SegmentKind.PHASE, "nulls") + 4000)
    result = drill.fire(at, at + 2000, at + 5000).judge()
    assert result.expectations[0].verdict.value == "inconclusive"
    assert [one.alert for one in result.false_alarms] == ["NullsHigh"]
    assert result.verdict is DrillVerdict.FAILED


def test_judging_twice_gives_the_same_bytes() -> None:
    drill = Drill(
        nulls_phase(must_not_fire=[{"alert": "Slow"}]), must_not_fire=[{"labels": {"severity": "P0"}}]
    ).detect()
    at = drill.start_ms()
    drill.fire(at + 3000, at + 5000, at + 9000, alert="Slow", job="monitor").add(INTERRUPTED)
    once = drill.judge().to_json()
    assert drill.judge().to_json() == once
    plan = Plan.model_validate_json(drill.plan.model_dump_json())
    journal = from_lines([to_line(one) for one in drill.journal])
    assert judge(plan, journal, from_json(to_json(drill.recording()))).to_json() == once


def test_the_order_of_series_does_not_matter() -> None:
    drill = Drill(nulls_phase(expect=[expect(labels={})])).detect(feature="hour").detect(feature="amount")
    once = drill.judge().to_json()
    drill.series.reverse()
    assert drill.judge().to_json() == once


def test_faults_and_load_are_accounted_for() -> None:
    result = detected().judge()
    (fault,) = result.faults
    assert (fault.id, fault.kind, fault.unit, fault.requests) == ("nulls", "nulls", "row", 400)
    assert fault.touched == fault.planned
    assert fault.share_seen == pytest.approx(fault.touched / 400, abs=1e-4)
    assert result.load.requested_rate == result.load.achieved_rate == pytest.approx(20.0, abs=0.1)
    assert result.load.sent == result.load.answered
    assert len(result.load.payload_sha256) == 5


def test_traffic_of_others_dilutes_what_the_target_saw() -> None:
    drill = detected()
    drill.plan = drill.plan.model_copy(update={"background_per_s": 60.0})
    (fault,) = drill.judge().faults
    assert fault.share_seen == pytest.approx(fault.touched / 1600, rel=0.02)


def test_troubles_and_clock_are_shown() -> None:
    result = detected().add(INTERRUPTED).judge()
    assert result.troubles == ("interrupted: interrupted by the user",)
    assert (result.clock.offset_s, result.clock.error_s) == (0.0, 0.001)


def test_the_engine_is_asked_about_crossings_of_expected_alerts_alone() -> None:
    drill = detected()
    pending = drill.case().episodes[0].pending_at
    drill.hole(pending - 4000, pending, "nulls:ratio5s")
    asked = open_questions(drill.plan, drill.journal, drill.recording())
    assert [pending - one.time_ms for one in asked] == [3299, 2299, 1299, 299]
    other = Drill().detect(feature="hour").hole(pending - 4000, pending, "nulls:ratio5s")
    assert open_questions(other.plan, other.journal, other.recording()) == ()


def test_the_earliest_answer_is_where_the_waterfall_puts_the_crossing() -> None:
    drill = detected()
    pending = drill.case().episodes[0].pending_at
    drill.hole(pending - 2000, pending, "nulls:ratio5s")
    newest = {hop.hop: hop.seconds for hop in drill.expectation().waterfall}
    asked = open_questions(drill.plan, drill.journal, drill.recording())
    assert len(asked) == 2
    for one in asked:
        drill.add(records.Answer(at=T0_S, query=one.query, time_ms=one.time_ms, labels=({"feature": "amount"},)))
    earliest = {hop.hop: hop.seconds for hop in drill.expectation().waterfall}
    assert round(newest["crossed"] - earliest["crossed"], 3) == 1.0
    assert sum(newest.values()) == pytest.approx(sum(earliest.values()))
