import pytest
from drill import BASELINE, RULES, T0_S, UP, Drill, expect, group, nulls_phase, rule

from alertdrill.core import journal as records
from alertdrill.core.plan import SegmentKind
from alertdrill.core.result import DrillVerdict, ProhibitionResult

NEVER_SLOW = [{"alert": "Slow"}]
P95 = {"__name__": "p95", "job": "monitor", "instance": "m:1"}


def first(drill: Drill) -> ProhibitionResult:
    return drill.judge().prohibitions[0]


def outcome(one: ProhibitionResult) -> tuple[str, str | None]:
    return one.verdict.value, one.reason.code.value if one.reason else None


def watched(**changes: object) -> Drill:
    """A drill in which Slow must not fire during nulls."""
    return Drill(BASELINE, nulls_phase(must_not_fire=NEVER_SLOW), **changes).detect()


def slow(drill: Drill, at_ms: int) -> Drill:
    at = drill.evaluation(at_ms)
    return drill.fire(at, at + 2000, at + 4000, alert="Slow", job="monitor")


def test_an_alert_that_kept_silent_is_quiet() -> None:
    drill = watched()
    assert outcome(first(drill)) == ("quiet", None)
    assert first(drill).matcher == {"alert": "Slow"}
    assert drill.judge().verdict is DrillVerdict.PASSED


def test_silence_beside_a_fault_that_never_came_says_nothing() -> None:
    drill = watched().drop(records.Touched)
    assert outcome(first(drill)) == ("inconclusive", "fault_not_delivered")


def test_silence_up_to_the_end_of_a_recording_that_ends_within_the_tail_says_nothing() -> None:
    drill = watched()
    tail_ms = drill.case().tail_ms
    assert outcome(first(drill.cut(drill.last_ms() + tail_ms - 500))) == ("inconclusive", "evaluation_gap")
    text = first(drill).reason.text  # type: ignore[union-attr]
    assert text.startswith("the recording ends 0.5 s before the rule could be told to be silent")


def test_silence_for_one_tail_after_the_last_effect_is_enough() -> None:
    drill = watched()
    assert outcome(first(drill.cut(drill.last_ms() + drill.case().tail_ms)))[0] == "quiet"


def test_silence_beside_a_control_is_silence() -> None:
    control = nulls_phase(faults=[{"kind": "nulls", "features": ["amount"], "share": 0}], must_not_fire=NEVER_SLOW)
    assert outcome(first(Drill(BASELINE, control))) == ("quiet", None)


@pytest.mark.parametrize("after_s", [3, 27])
def test_a_prohibited_alert_in_the_phase_or_its_tail_is_a_false_alarm(after_s: int) -> None:
    drill = watched()
    slow(drill, drill.start_ms() + after_s * 1000)
    one = first(drill)
    assert outcome(one) == ("false_alarm", None)
    assert [(episode.alert, episode.phase) for episode in one.episodes] == [("Slow", "nulls")]
    assert drill.judge().verdict is DrillVerdict.FAILED


def test_a_prohibited_alert_that_was_only_pending_is_quiet() -> None:
    drill = watched()
    at = drill.evaluation(drill.start_ms() + 3000)
    assert outcome(first(drill.fire(at, None, at + 1000, alert="Slow", job="monitor"))) == ("quiet", None)


def test_a_false_alarm_of_a_fault_that_touched_nothing_is_one_all_the_same() -> None:
    control = nulls_phase(faults=[{"kind": "nulls", "features": ["amount"], "share": 0}], must_not_fire=NEVER_SLOW)
    drill = Drill(BASELINE, control)
    slow(drill, drill.segment_ms(SegmentKind.PHASE, "nulls") + 5000)
    assert outcome(first(drill)) == ("false_alarm", None)


def test_an_expectation_wins_over_a_prohibition() -> None:
    drill = Drill(nulls_phase(must_not_fire=[{"labels": {"severity": "P1"}}])).detect()
    assert outcome(first(drill)) == ("quiet", None)


def test_an_expected_alert_with_other_labels_can_be_prohibited() -> None:
    drill = Drill(nulls_phase(must_not_fire=[{"alert": "NullsHigh", "labels": {"feature": "hour"}}])).detect()
    assert outcome(first(drill)) == ("quiet", None)
    assert outcome(first(drill.detect(feature="hour"))) == ("false_alarm", None)


@pytest.mark.parametrize(
    ("begin_s", "verdict"),
    [(2, ("inconclusive", "evaluation_gap")), (27, ("inconclusive", "evaluation_gap")), (31, ("quiet", None))],
)
def test_silence_needs_evaluations_from_the_phase_s_start_to_the_end_of_its_tail(
    begin_s: int, verdict: tuple[str, str | None]
) -> None:
    drill = watched()
    at = drill.start_ms() + begin_s * 1000
    assert outcome(first(drill.hole(at, at + 2500, "nulls:ratio5s", "ALERTS"))) == verdict


def test_silence_needs_scrapes_of_the_rule_s_inputs() -> None:
    drill = watched()
    drill.record(P95, [drill.start_ms()])
    assert outcome(first(drill)) == ("quiet", None)
    at = drill.start_ms() + 4000
    assert outcome(first(drill.hole(at, at + 2500, "up"))) == ("inconclusive", "scrape_gap")


def test_silence_of_a_rule_that_is_not_loaded_proves_nothing() -> None:
    drill = Drill(nulls_phase(must_not_fire=[{"alert": "Slwo"}])).detect()
    assert outcome(first(drill)) == ("inconclusive", "rule_not_loaded")
    assert drill.judge().verdict is DrillVerdict.INCONCLUSIVE


def test_a_phase_behind_a_shut_gate_was_not_watched() -> None:
    drill = watched().change(records.Gate, open=False, why="Slow still active").drop(records.Touched)
    drill.drop(records.SegmentStarted, lambda r: r.k == 3)
    assert outcome(first(drill)) == ("inconclusive", "settle_timeout")


def test_a_phase_that_was_not_reached_was_not_watched() -> None:
    drill = watched().drop(records.SegmentStarted, lambda r: r.k == 3).drop(records.Gate)
    assert outcome(first(drill)) == ("inconclusive", "interrupted")


def test_without_a_steady_state_nothing_was_watched() -> None:
    drill = Drill(must_not_fire=NEVER_SLOW).drop(records.SteadyState)
    assert outcome(first(drill)) == ("inconclusive", "interrupted")
    assert drill.judge().verdict is not DrillVerdict.PASSED


def test_a_baseline_answers_for_what_fires_in_it() -> None:
    drill = Drill(BASELINE | {"must_not_fire": NEVER_SLOW}, nulls_phase()).detect()
    assert outcome(first(drill)) == ("quiet", None)
    slow(drill, drill.segment_ms(SegmentKind.PHASE, "baseline") + 2000)
    assert outcome(first(drill)) == ("false_alarm", None)


def test_a_prohibition_of_the_drill_covers_gates_and_every_phase() -> None:
    for at_s in (5.0, 15.0, 30.0):
        drill = Drill(must_not_fire=[{"labels": {"severity": "P0"}}]).detect()
        assert outcome(first(drill)) == ("quiet", None)
        at = drill.evaluation(round((T0_S + at_s) * 1000))
        drill.fire(at, at, at + 2000, alert="Down", job="monitor")
        assert outcome(first(drill)) == ("false_alarm", None)
        assert first(drill).phase is None


def test_a_prohibition_of_the_drill_spares_exceptions_and_what_fired_before_it_counted() -> None:
    drill = Drill(must_not_fire=[{"labels": {"severity": "P0"}, "except": ["Down"]}, {"alert": "Slow"}]).detect()
    at = drill.evaluation(drill.start_ms() + 3000)
    drill.fire(at, at, at + 2000, alert="Down", job="monitor")
    slow(drill, round(T0_S * 1000))
    assert [one.verdict.value for one in drill.judge().prohibitions] == ["inconclusive", "quiet"]


# What nobody expected


def test_an_alert_that_a_fault_explains_also_fired_and_does_not_fail() -> None:
    drill = Drill().detect()
    slow(drill, drill.start_ms() + 2000)
    result = drill.judge()
    assert [(one.alert, one.phase) for one in result.also_fired] == [("Slow", "nulls")]
    assert (result.false_alarms, result.background) == ((), ())
    assert result.verdict is DrillVerdict.PASSED


def test_what_also_fired_is_told_from_what_fired_before_any_fault() -> None:
    drill = Drill().detect()
    slow(drill, drill.start_ms() + 2000)
    assert [one.in_baseline for one in drill.judge().also_fired] == [False]
    slow(drill, drill.segment_ms(SegmentKind.PHASE, "baseline") + 1000)
    assert [one.in_baseline for one in drill.judge().also_fired] == [True]


def test_without_a_baseline_nobody_knows_what_fired_in_it() -> None:
    drill = Drill().detect()
    slow(drill, drill.start_ms() + 2000)
    drill.change(records.SteadyState, since=lambda one: one.since + 60)
    result = drill.judge()
    assert {one.in_baseline for one in (*result.also_fired, *result.background)} == {None}


def test_an_expected_alert_of_other_labels_also_fired() -> None:
    result = Drill().detect().detect(feature="hour").judge()
    assert [one.labels["feature"] for one in result.also_fired] == ["hour"]
    assert result.expectations[0].verdict.value == "detected"


def test_an_alert_in_scope_outside_every_tail_is_a_false_alarm() -> None:
    drill = Drill(monitoring={"scope": {"alerts": ["Slow"]}}).detect()
    slow(drill, drill.segment_ms(SegmentKind.PHASE, "baseline") + 3000)
    result = drill.judge()
    assert [(one.alert, one.phase) for one in result.false_alarms] == [("Slow", "baseline")]
    assert result.verdict is DrillVerdict.FAILED


def test_false_alarms_can_be_reported_alone() -> None:
    drill = Drill(monitoring={"scope": {"alerts": ["Slow"]}}, false_alarms="report").detect()
    slow(drill, drill.segment_ms(SegmentKind.PHASE, "baseline") + 3000)
    result = drill.judge()
    assert len(result.false_alarms) == 1
    assert result.verdict is DrillVerdict.PASSED


def test_a_pending_alert_alarms_nobody() -> None:
    drill = Drill(monitoring={"scope": {"alerts": ["Slow"]}}).detect()
    at = drill.evaluation(drill.segment_ms(SegmentKind.PHASE, "baseline") + 3000)
    assert drill.fire(at, None, at + 1000, alert="Slow", job="monitor").judge().false_alarms == ()


def test_an_alert_out_of_scope_outside_every_tail_is_background() -> None:
    drill = Drill().detect()
    slow(drill, drill.segment_ms(SegmentKind.PHASE, "baseline") + 3000)
    result = drill.judge()
    assert [one.alert for one in result.background] == ["Slow"]
    assert result.verdict is DrillVerdict.PASSED


def test_late_sends_of_our_own_load_stand_beside_an_alarm() -> None:
    drill = Drill(monitoring={"scope": {"alerts": ["Slow"]}}).detect()
    start = drill.segment_ms(SegmentKind.PHASE, "baseline")
    slow(drill, start + 3000)
    sent = tuple(start / 1000 + s for s in (2.0, 2.5, 30.0))
    drill.add(records.Late(at=T0_S, k=1, i=(1, 2, 3), sent_at=sent, late_s=(0.3, 1.2, 5.0)))
    assert drill.judge().false_alarms[0].host_stalls == (1.2, 0.3)


def test_rules_that_no_prohibition_speaks_of_need_not_be_healthy() -> None:
    rules = group(*RULES.rules, rule("Elsewhere", 'x{job="other"} > 1', severity="P2"))
    drill = Drill(nulls_phase(must_not_fire=NEVER_SLOW, expect=[expect()]), rules=rules).detect()
    drill.record({"__name__": "x", "job": "other", "instance": "o:1"}, [drill.from_ms])
    drill.record(UP | {"job": "other", "instance": "o:1"}, [drill.from_ms])
    assert outcome(first(drill)) == ("quiet", None)
