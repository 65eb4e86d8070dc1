"""Every verdict of an expectation, and every reason why it is not `detected`."""

from dataclasses import replace

import pytest
from drill import BASELINE, INPUT, RATIO, RULES, T0_S, UP, Drill, expect, group, nulls_phase, outcome, process, rule

from alertdrill.core import journal as records
from alertdrill.core.plan import SegmentKind
from alertdrill.core.result import DrillVerdict


def of_phase(k: int) -> object:
    return lambda record: record.k == k


def unhealthy(at_s: float) -> records.Rules:
    rules = tuple(
        replace(one, health="err", last_error="boom") if one.name == "NullsHigh" else one for one in RULES.rules
    )
    return records.Rules(at=at_s, groups=(replace(RULES, rules=rules),))


def resolving(within: str = "12s") -> dict[str, object]:
    return nulls_phase(expect=[expect(resolves_within=within)])


def notifying(within: str = "6s") -> dict[str, object]:
    return nulls_phase(expect=[expect(notifies={"within": within})])


def nulls(**asked: object) -> Drill:
    return Drill(nulls_phase(expect=[expect(**asked)]))


def pending_ms(drill: Drill) -> int:
    return drill.case().episodes[0].pending_at


# detected


def test_an_alert_that_fires_in_time_is_detected() -> None:
    drill = Drill().detect()
    one = drill.expectation()
    assert outcome(one) == ("detected", None)
    assert one.fault_start == drill.start_ms() / 1000
    assert one.ttd_s == (pending_ms(drill) + 2000 - drill.start_ms()) / 1000
    assert round(sum(hop.seconds for hop in one.waterfall), 3) == one.ttd_s
    assert (one.detection, one.resolution, one.notification) == ("detected", "resolved", None)
    assert drill.judge().verdict is DrillVerdict.PASSED


def test_the_first_of_several_episodes_is_the_detection() -> None:
    drill = Drill(nulls_phase(expect=[expect(labels={})])).detect(feature="amount")
    at = drill.evaluation(drill.start_ms() + 4000)
    drill.fire(at, at + 2000, at + 30_000, feature="hour")
    assert drill.expectation().evidence["alert_labels"]["feature"] == "amount"


def test_floor_expected_and_worst_come_from_the_recorded_fill() -> None:
    drill = Drill().detect()
    drill.add(records.Fill(at=T0_S, expectation="nulls/NullsHigh", low_s=0.5, likely_s=0.6, high_s=1.0))
    one = drill.expectation()
    assert (one.floor_s, one.expected_s, one.worst_s) == (2.5, 3.4, 5.01)
    assert one.ttd_s is not None
    assert 2.5 <= one.ttd_s <= 5.01


def test_missed_evaluations_before_firing_are_shown_as_the_engine_s_gap() -> None:
    drill = Drill()
    at = drill.evaluation(drill.start_ms() + 1200)
    drill.fire(at, at + 6000, drill.evaluation(drill.last_ms() + 4000)).hole(at, at + 6000)
    one = drill.expectation()
    assert outcome(one) == ("detected", None)
    assert {hop.hop: hop.seconds for hop in one.waterfall}["engine_gap"] == 4.0


# inconclusive: before anything was looked at


def test_an_alert_active_at_steady_state_was_not_raised_by_the_fault() -> None:
    active = (("alertname", "NullsHigh"), ("feature", "amount"), ("severity", "P1"))
    drill = Drill().detect().change(records.SteadyState, active=(active,))
    assert outcome(drill.expectation()) == ("inconclusive", "already_firing")


def test_an_alert_active_just_before_the_fault_was_not_raised_by_it() -> None:
    drill = Drill()
    before = drill.evaluation(drill.start_ms() - 1000)
    drill.fire(before, before + 2000, before + 10_000)
    assert outcome(drill.expectation()) == ("inconclusive", "already_firing")


def test_an_alert_that_resolved_just_before_the_fault_may_be_raised_again() -> None:
    drill = Drill()
    before = drill.evaluation(drill.start_ms()) - 2000
    drill.fire(before - 3000, before - 1000, before).detect()
    assert before + 1000 < drill.start_ms()
    assert outcome(drill.expectation()) == ("detected", None)


def test_a_gate_that_stayed_shut_is_a_settle_timeout() -> None:
    drill = Drill().change(records.Gate, open=False, why="Slow still active after 20 s")
    assert outcome(drill.expectation()) == ("inconclusive", "settle_timeout")


def test_a_phase_that_was_never_reached_was_interrupted() -> None:
    drill = Drill().drop(records.SegmentStarted, of_phase(3)).drop(records.Touched)
    drill.add(records.Trouble(at=T0_S + 20, kind="interrupted", what="interrupted by the user"))
    one = drill.expectation()
    assert outcome(one) == ("inconclusive", "interrupted")
    assert one.reason is not None
    assert one.reason.text == "interrupted by the user"


def test_a_fault_that_chose_no_request_touched_nothing() -> None:
    control = nulls_phase(faults=[{"kind": "nulls", "features": ["amount"], "share": 0}])
    one = Drill(BASELINE, control).expectation()
    assert outcome(one) == ("inconclusive", "nothing_touched")
    assert one.control


def test_a_fault_without_confirmed_effects_was_not_delivered() -> None:
    assert outcome(Drill().detect().drop(records.Touched).expectation()) == ("inconclusive", "fault_not_delivered")


def test_a_fault_delivered_in_part_was_not_delivered() -> None:
    drill = Drill().detect()
    drill.change(records.Touched, i=lambda r: r.i[:-5], effect_at=lambda r: r.effect_at[:-5])
    assert outcome(drill.expectation()) == ("inconclusive", "fault_not_delivered")


def test_a_fault_that_hit_requests_of_its_own_choice_was_not_delivered_as_planned() -> None:
    drill = Drill().detect()
    at = T0_S + 30
    drill.add(records.Touched(at=at, injection="nulls/nulls", k=3, i=tuple(range(400)), effect_at=(at,) * 400))
    one = drill.expectation()
    assert outcome(one) == ("inconclusive", "fault_not_delivered")
    assert one.reason is not None
    assert "not planned" in one.reason.text


def test_traffic_that_dies_proves_nothing() -> None:
    drill = Drill().detect().change(records.SegmentClosed, of_phase(3), within_100ms=395)
    assert outcome(drill.expectation()) == ("inconclusive", "load_under_rate")
    drill.change(records.SegmentClosed, of_phase(3), within_100ms=396)
    assert outcome(drill.expectation()) == ("detected", None)


def test_traffic_that_the_target_turns_away_before_anything_is_broken_proves_nothing() -> None:
    drill = Drill().detect().change(records.SegmentClosed, of_phase(0), answered=400, rate_limited=20)
    one = drill.expectation()
    assert outcome(one) == ("inconclusive", "load_under_rate")
    assert one.reason is not None
    assert "were answered 429 (too many) before anything was broken" in one.reason.text
    assert drill.judge().load.rate_limited == 20
    drill.change(records.SegmentClosed, of_phase(0), rate_limited=1)
    assert outcome(drill.expectation()) == ("detected", None)


def test_traffic_that_is_not_let_in_proves_nothing() -> None:
    drill = Drill().detect().change(records.SegmentClosed, of_phase(0), denied=lambda one: one.answered)
    drill.change(records.SegmentClosed, of_phase(1), denied=lambda one: one.answered)
    one = drill.expectation()
    assert outcome(one) == ("inconclusive", "load_under_rate")
    assert one.reason is not None
    assert "were answered 401 or 403 (not let in)" in one.reason.text
    assert "target.headers" in one.reason.decide_it_by
    drill.change(records.SegmentClosed, of_phase(0), denied=1).change(records.SegmentClosed, of_phase(1), denied=0)
    assert outcome(drill.expectation()) == ("detected", None)


def test_what_the_target_turns_away_once_something_is_broken_can_be_what_the_fault_did() -> None:
    drill = Drill().detect().change(records.SegmentClosed, of_phase(3), rate_limited=200)
    assert outcome(drill.expectation()) == ("detected", None)


def test_a_phase_that_the_load_did_not_close_proves_nothing() -> None:
    drill = Drill().detect().drop(records.SegmentClosed, of_phase(3))
    assert outcome(drill.expectation()) == ("inconclusive", "load_under_rate")
    one = drill.add(records.Trouble(at=T0_S + 30, kind="child_died", what="load was killed")).expectation()
    assert one.reason is not None
    assert one.reason.text == "the load did not send all of the phase: load was killed"
    assert "idle" not in one.reason.decide_it_by


def test_a_phase_that_ended_with_its_engine_is_not_the_load_s_doing() -> None:
    drill = Drill().detect().drop(records.SegmentClosed, of_phase(3))
    drill.add(records.Trouble(at=T0_S + 30, kind="engine_gone", what="Prometheus died during the drill"))
    assert outcome(drill.expectation()) == ("inconclusive", "query_failed")


def test_a_control_without_traffic_is_no_control() -> None:
    control = nulls_phase(faults=[{"kind": "nulls", "features": ["amount"], "share": 0}])
    drill = Drill(BASELINE, control).change(records.SegmentClosed, of_phase(3), within_100ms=0)
    assert outcome(drill.expectation()) == ("inconclusive", "load_under_rate")
    assert drill.judge().verdict is DrillVerdict.INCONCLUSIVE


@pytest.mark.parametrize(("offset_s", "error_s"), [(0.2, 0.001), (0.0, 0.2)])
def test_clocks_that_moved_or_were_read_badly_are_doubt(offset_s: float, error_s: float) -> None:
    drill = Drill().detect().add(records.Clock(at=T0_S + 50, offset_s=offset_s, error_s=error_s))
    one = drill.expectation()
    assert outcome(one) == ("inconclusive", "clock_doubt")
    assert one.reason is not None
    assert ("moved by 0.199 s" if offset_s else "to within 0.200 s only") in one.reason.text


def test_a_clock_that_was_read_slowly_once_has_not_moved() -> None:
    one = Drill().detect().add(records.Clock(at=T0_S + 50, offset_s=1.9, error_s=2.0)).expectation()
    assert one.reason is not None
    assert "moved" not in one.reason.text


def test_a_clock_that_was_never_read_is_doubt() -> None:
    assert outcome(Drill().detect().drop(records.Clock).expectation()) == ("inconclusive", "clock_doubt")


def test_rules_that_were_never_read_are_no_proof() -> None:
    assert outcome(Drill().drop(records.Rules).expectation()) == ("inconclusive", "query_failed")


# inconclusive: something else raised the signal


def crossed_early(drill: Drill) -> Drill:
    """Half a second between the first effect and its answer; the scrape and the evaluation lie between them."""
    at = drill.start_ms() / 1000
    drill.change(records.Served, served_at=lambda r: (at + 2.5, *r.served_at[1:]))
    drill.change(records.Served, served_at=lambda r: tuple(t if t > at + 2.4 else at + 2.5 for t in r.served_at))
    pending = drill.evaluation(drill.start_ms() + 1200)
    return drill.fire(pending, pending + 2000, drill.evaluation(drill.last_ms() + 4000))


def test_a_condition_that_held_before_anything_was_served_is_not_the_fault_s_doing() -> None:
    one = crossed_early(Drill()).expectation()
    assert outcome(one) == ("inconclusive", "crossed_before_served")
    assert all(hop.seconds >= 0 for hop in one.waterfall)
    assert round(sum(hop.seconds for hop in one.waterfall), 3) == one.ttd_s


def test_without_a_known_scrape_the_pending_evaluation_is_the_crossing() -> None:
    drill = crossed_early(Drill())
    drill.series = [one for one in drill.series if one.labels["__name__"] != INPUT["__name__"]]
    one = drill.expectation()
    assert outcome(one) == ("inconclusive", "crossed_before_served")
    assert all(hop.seconds >= 0 for hop in one.waterfall)


def test_where_nothing_was_ever_answered_a_scrape_before_the_fault_is_not_its_doing() -> None:
    drill = Drill().drop(records.Served)
    shift = (100 - drill.start_ms()) % 1000  # to have the pending evaluation see a scrape that ended before the fault
    move = (shift + 50) / 1000
    drill.change(records.Touched, effect_at=lambda r: tuple(at + move for at in r.effect_at))
    pending = drill.evaluation(drill.start_ms())
    assert pending - drill.start_ms() < 300
    drill.fire(pending, pending + 2000, drill.evaluation(drill.last_ms() + 4000))
    assert outcome(drill.expectation()) == ("inconclusive", "crossed_before_served")


# missed


def test_silence_of_a_healthy_rule_is_missed() -> None:
    one = Drill().expectation()
    assert outcome(one) == ("missed", "never_pending")
    assert one.reason is not None
    for part in ("never pending in 10 s", "signal peaked 0.01, needs > 0.05", "10/10 scrapes", "/400 requests touched"):
        assert part in one.reason.text
    assert "threshold < 0.01" in one.reason.decide_it_by
    assert Drill().judge().verdict is DrillVerdict.FAILED


def test_a_rule_that_is_evaluated_too_seldom_to_speak_in_time_is_missed_and_said_so() -> None:
    seldom = replace(RULES, interval_s=30.0)
    drill = Drill(rules=seldom)
    drill.hole(drill.start_ms() - 100, drill.start_ms() + 12_000, "nulls:ratio5s")
    one = drill.expectation()
    assert outcome(one) == ("missed", "never_pending")
    assert one.reason is not None
    assert "not evaluated once from the fault to its deadline: it is every 30 s" in one.reason.text
    assert "more often than every 30 s" in one.reason.decide_it_by


def test_a_window_far_longer_than_the_fault_is_named_as_what_kept_a_rule_silent() -> None:
    ratio = rule("nulls:ratio5s", RATIO.replace("[5s]", "[40s]"), kind="recording")
    one = Drill(rules=replace(RULES, rules=(ratio, *RULES.rules[1:]))).expectation()
    assert outcome(one) == ("missed", "never_pending")
    assert one.reason is not None
    assert "the rule looks back 40s, the fault lasted 19.9 s" in one.reason.text
    assert "a shorter window" in one.reason.decide_it_by


def test_pending_without_firing_is_missed() -> None:
    drill = Drill()
    at = drill.evaluation(drill.start_ms() + 1200)
    one = drill.fire(at, None, at + 1000).expectation()
    assert outcome(one) == ("missed", "never_firing")
    assert one.reason is not None
    assert "pending for 1 s, needs 2 s" in one.reason.text


def test_a_rule_that_was_pending_at_one_evaluation_alone_is_told_to_be_evaluated_more_often() -> None:
    drill = Drill()
    at = drill.evaluation(drill.start_ms() + 1200)
    one = drill.fire(at, None, at).expectation()
    assert outcome(one) == ("missed", "never_firing")
    assert one.reason is not None
    assert one.reason.decide_it_by == "for: 0s, or an evaluation more often than every 1 s"


def test_a_rule_that_is_not_loaded_is_missed_and_the_nearest_name_suggested() -> None:
    one = Drill(nulls_phase(expect=[expect("NullsHihg")])).expectation()
    assert outcome(one) == ("missed", "rule_not_loaded")
    assert one.reason is not None
    assert "NullsHigh" in one.reason.decide_it_by


def test_a_rule_that_reads_no_series_is_missed_and_said_so() -> None:
    one = Drill(nulls_phase(expect=[expect("Slow", labels={})])).expectation()
    assert outcome(one) == ("missed", "never_pending")
    assert one.reason is not None
    assert 'p95{job="monitor"} selects nothing' in one.reason.text


def test_a_deadline_after_the_fault_s_tail_need_not_be_waited_for() -> None:
    drill = Drill(nulls_phase(expect=[expect(within="5m")]))
    assert outcome(drill.expectation()) == ("missed", "never_pending")


def test_an_alert_after_the_tail_does_not_count() -> None:
    drill = Drill()
    at = drill.evaluation(drill.last_ms() + 9001)
    one = drill.fire(at, at + 2000, at + 4000).expectation()
    assert outcome(one) == ("missed", "never_pending")
    assert one.reason is not None
    assert f"active after {(at - drill.start_ms()) / 1000:.1f} s, later than the fault" in one.reason.text
    assert "see what holds it up" in one.reason.decide_it_by


# inconclusive: silence that proves nothing


def test_a_rule_that_failed_was_not_silent() -> None:
    assert outcome(Drill().add(unhealthy(T0_S + 26)).expectation()) == ("inconclusive", "rule_error")


def test_a_rule_that_vanished_was_not_silent() -> None:
    empty = records.Rules(at=T0_S + 26, groups=(group(rule("Other", "up == 0")),))
    assert outcome(Drill().add(empty).expectation()) == ("inconclusive", "rule_unhealthy")


@pytest.mark.parametrize("fires", [False, True])
def test_an_engine_that_restarts_before_the_alert_speaks_leaves_it_open(fires: bool) -> None:
    drill = Drill()
    drill = drill.detect() if fires else drill
    assert outcome(drill.restart(drill.start_ms() + 1500, 1200).expectation()) == ("inconclusive", "engine_restarted")


def test_an_engine_that_restarts_after_the_alert_fired_takes_nothing_back() -> None:
    drill = Drill().detect()
    assert outcome(drill.restart(drill.start_ms() + 6500, 1200).expectation()) == ("detected", None)


def test_an_engine_that_restarts_before_the_fault_is_no_matter_once_the_rule_was_evaluated_again() -> None:
    drill = Drill().detect()
    assert outcome(drill.restart(drill.start_ms() - 6000, 1200).expectation()) == ("detected", None)


def test_an_engine_that_is_down_as_the_fault_begins_hides_what_was_active() -> None:
    drill = Drill().detect()
    drill.restart(drill.start_ms() - 2500, 3000)
    assert outcome(drill.expectation()) == ("inconclusive", "engine_restarted")


def test_an_alert_that_vanishes_with_a_restart_is_not_resolved_early() -> None:
    drill = nulls(resolves_within="12s")
    at = drill.evaluation(drill.start_ms() + 1200)
    drill.fire(at, at + 2000, at + 6000).restart(at + 6500, 1200)
    assert outcome(drill.expectation()) == ("inconclusive", "engine_restarted")


def test_what_was_started_before_the_drill_was_not_restarted() -> None:
    one, other = process(), process().model_copy(update={"started_at": T0_S - 60})
    assert outcome(Drill().detect().add(one, other, one).expectation()) == ("detected", None)


def test_rules_that_could_not_be_loaded_again_are_not_those_that_were_drilled() -> None:
    found = Drill(must_not_fire=[{"alert": "Slow"}]).detect().add(process(reloaded=False)).judge()
    assert outcome(found.expectations[0]) == ("inconclusive", "reload_failed")
    assert [one.reason.code.value for one in found.prohibitions if one.reason] == ["reload_failed"]


def test_an_engine_that_answers_no_more_is_why_nothing_is_known_of_the_rule_before_the_fault() -> None:
    drill = Drill()
    gone = records.Trouble(at=drill.start_ms() / 1000 + 3, kind="engine_gone", what="it answers 500")
    one = drill.cut(drill.start_ms() - 4000).add(gone).expectation()
    assert outcome(one) == ("inconclusive", "query_failed")
    assert one.reason is not None
    assert one.reason.text == "it answers 500"


def test_an_engine_of_which_no_scrape_is_known_for_a_while_left_nothing_to_judge_by() -> None:
    drill = Drill()
    drill.record(UP | {"job": "model"}, drill.case().recording.named("up")[0].times_ms)
    assert outcome(drill.expectation()) == ("missed", "never_pending")
    assert outcome(drill.hole(drill.start_ms(), drill.start_ms() + 4000, "up").expectation()) == (
        "inconclusive",
        "series_not_recorded",
    )


def test_an_evaluation_gap_before_the_deadline_is_doubt() -> None:
    drill = Drill()
    at = drill.evaluation(drill.start_ms() + 3000)
    assert outcome(drill.hole(at, at + 3000, "nulls:ratio5s").expectation()) == ("inconclusive", "evaluation_gap")


def test_an_evaluation_gap_after_the_deadline_is_none() -> None:
    drill = Drill()
    at = drill.evaluation(drill.start_ms() + 13_000)
    assert outcome(drill.hole(at, at + 3000, "nulls:ratio5s").expectation()) == ("missed", "never_pending")


def test_a_recording_that_ends_before_the_deadline_is_doubt() -> None:
    drill = Drill()
    assert outcome(drill.cut(drill.start_ms() + 5000).expectation()) == ("inconclusive", "evaluation_gap")


def test_a_scrape_gap_is_doubt() -> None:
    drill = Drill()
    at = drill.start_ms() + 3000
    assert outcome(drill.hole(at, at + 3000, "up").expectation()) == ("inconclusive", "scrape_gap")


def test_an_engine_that_did_not_answer_is_doubt() -> None:
    drill = Drill()
    drill.add(records.Trouble(at=drill.start_ms() / 1000 + 4, kind="engine_gone", what="Prometheus died"))
    assert outcome(drill.expectation()) == ("inconclusive", "query_failed")


# wrong labels, late


def test_an_alert_with_other_labels_is_told_apart() -> None:
    one = Drill().detect(feature="hour").expectation()
    assert outcome(one) == ("wrong_labels", "labels_differ")
    assert one.reason is not None
    assert "feature: got 'hour', expected 'amount'" in one.reason.text
    assert [difference.model_dump() for difference in one.label_differences] == [
        {"label": "feature", "got": "hour", "expected": "amount"}
    ]


def test_of_several_wrong_label_sets_the_nearest_is_compared() -> None:
    wanted = expect(labels={"feature": "amount"}, matchers=['zone=~"a|b"'])
    drill = Drill(nulls_phase(expect=[wanted])).detect(feature="amount")
    early = pending_ms(drill) - 1000
    one = drill.fire(early, early + 2000, early + 9000, feature="hour", zone="c").expectation()
    assert outcome(one) == ("wrong_labels", "labels_differ")
    assert one.reason is not None
    assert 'zone: got none, expected =~"a|b"' in one.reason.text
    assert [(difference.label, difference.got) for difference in one.label_differences] == [("zone", None)]


def test_an_alert_that_passes_the_matchers_is_detected() -> None:
    one = Drill(nulls_phase(expect=[expect(labels={}, matchers=['feature=~"am.*"'])])).detect().expectation()
    assert outcome(one) == ("detected", None)
    assert (one.matchers, one.label_differences) == (('feature=~"am.*"',), ())
    assert one.carry_over is not None


def test_other_labels_prove_nothing_where_the_rule_could_not_speak() -> None:
    drill = Drill().detect(feature="hour")
    at = drill.start_ms() + 3000
    assert outcome(drill.hole(at, at + 3000, "up").expectation()) == ("inconclusive", "scrape_gap")


def test_what_another_expectation_asked_for_is_not_a_wrong_label() -> None:
    both = nulls_phase(expect=[expect(), expect(labels={"feature": "hour"})])
    drill = Drill(both).detect(feature="hour")
    assert outcome(drill.expectation(0)) == ("missed", "never_pending")
    assert outcome(drill.expectation(1)) == ("detected", None)


def test_firing_after_the_deadline_is_late() -> None:
    one = Drill(nulls_phase(expect=[expect(within="3s")])).detect().expectation()
    assert outcome(one) == ("late", "too_late")
    assert one.reason is not None
    assert "within: 4s" in one.reason.decide_it_by


def test_late_behind_an_evaluation_gap_is_doubt() -> None:
    drill = Drill(nulls_phase(expect=[expect(within="3s")])).detect()
    at = drill.start_ms()
    drill.hole(at - 1800, at + 800, "nulls:ratio5s")
    assert outcome(drill.expectation()) == ("inconclusive", "evaluation_gap")


# resolution


def test_resolution_is_measured_from_the_last_effect() -> None:
    one = Drill(resolving()).detect().expectation()
    assert (outcome(one), one.resolution) == (("detected", None), "resolved")


def test_an_alert_that_resolves_during_the_fault_flaps() -> None:
    drill = Drill()
    at = drill.evaluation(drill.start_ms() + 1200)
    one = drill.fire(at, at + 2000, at + 6000).expectation()
    assert outcome(one) == ("flapped", "resolved_early")


def test_an_alert_that_vanished_with_its_target_did_not_flap() -> None:
    drill = Drill()
    at = drill.evaluation(drill.start_ms() + 1200)
    drill.fire(at, at + 2000, at + 6000).hole(at + 3000, at + 5000, "up")
    assert outcome(drill.expectation()) == ("inconclusive", "scrape_gap")


def test_an_alert_whose_rule_failed_did_not_flap() -> None:
    drill = Drill()
    at = drill.evaluation(drill.start_ms() + 1200)
    drill.fire(at, at + 2000, at + 6000).add(unhealthy((at + 6500) / 1000))
    assert outcome(drill.expectation()) == ("inconclusive", "rule_error")


def test_firing_on_after_the_deadline_is_not_resolved() -> None:
    one = Drill(resolving("3s")).detect().expectation()
    assert outcome(one) == ("not_resolved", "still_firing")


def test_firing_to_the_end_of_the_recording_is_not_resolved() -> None:
    drill = Drill(resolving())
    at = drill.evaluation(drill.start_ms() + 1200)
    assert outcome(drill.fire(at, at + 2000, drill.to_ms).expectation()) == ("not_resolved", "still_firing")


def test_a_recording_that_ends_before_the_deadline_to_resolve_is_doubt() -> None:
    drill = Drill(resolving("20s"))
    at = drill.evaluation(drill.start_ms() + 1200)
    drill.fire(at, at + 2000, drill.to_ms).cut(drill.last_ms() + 10_000)
    assert outcome(drill.expectation()) == ("inconclusive", "evaluation_gap")


def test_an_engine_that_stopped_after_the_last_firing_sample_resolved_nothing() -> None:
    drill = Drill(resolving()).detect()
    end = drill.case().episodes[0].last_at
    one = drill.hole(end, drill.to_ms, "nulls:ratio5s").expectation()
    assert outcome(one) == ("inconclusive", "evaluation_gap")
    assert one.resolved_at is None


def test_an_engine_that_stood_still_after_the_last_firing_sample_may_have_resolved_late() -> None:
    drill = Drill(resolving()).detect()
    end = drill.case().episodes[0].last_at
    drill.hole(end, end + 10_000, "nulls:ratio5s")
    assert outcome(drill.expectation()) == ("inconclusive", "evaluation_gap")


# notification


def test_a_post_of_the_firing_alert_is_its_notification() -> None:
    drill = Drill(notifying()).detect()
    firing = pending_ms(drill) + 2000
    one = drill.post(firing + 12, firing).expectation()
    assert (outcome(one), one.notification) == (("detected", None), "posted")
    assert one.notify_s == 0.012
    assert one.ttd_s is not None
    assert one.ttn_s == round(one.ttd_s + 0.012, 3)


def test_an_alert_that_nobody_was_told_of_is_not_notified() -> None:
    assert outcome(Drill(notifying()).detect().expectation()) == ("not_notified", "not_posted")


def test_a_post_of_another_episode_is_no_notification() -> None:
    drill = Drill(notifying()).detect()
    firing = pending_ms(drill) + 2000
    assert outcome(drill.post(firing + 12, firing - 60_000).expectation()) == ("not_notified", "not_posted")


def test_a_post_after_its_deadline_is_not_notified_in_time() -> None:
    drill = Drill(notifying("5s")).detect()
    firing = pending_ms(drill) + 2000
    one = drill.post(firing + 3000, firing).expectation()
    assert (outcome(one), one.notification) == (("not_notified", "too_late"), "late")


def test_without_a_receiver_of_ours_nothing_is_known_of_notifications() -> None:
    own = {"monitoring": {"prometheus": {"url": "http://127.0.0.1:9090"}}}
    one = Drill(notifying(), **own).detect().expectation()
    assert outcome(one) == ("inconclusive", "not_posted")


def test_a_drill_that_ended_before_the_deadline_to_notify_proves_nothing() -> None:
    drill = Drill(notifying("30s")).detect()
    drill.cut(pending_ms(drill) + 5000)
    assert outcome(drill.expectation()) == ("inconclusive", "interrupted")


# several expectations, several faults


def test_expectations_are_numbered_where_a_phase_expects_one_alert_twice() -> None:
    both = nulls_phase(expect=[expect(), expect(labels={"feature": "hour"}), expect("Slow", labels={})])
    ids = [one.id for one in Drill(both).judge().expectations]
    assert ids == ["nulls/NullsHigh/1", "nulls/NullsHigh/2", "nulls/Slow"]


def test_an_expectation_is_about_the_fault_that_it_names() -> None:
    faults = [
        {"kind": "nulls", "features": ["amount"], "share": "50%"},
        {"kind": "nulls", "id": "few-nulls", "features": ["hour"], "share": "10%"},
    ]
    both = nulls_phase(faults=faults, expect=[expect(fault="few-nulls"), expect(fault="nulls", labels={})])
    drill = Drill(both).detect()
    few, many = drill.judge().expectations
    assert (few.fault, many.fault) == ("few-nulls", "nulls")
    assert few.evidence["planned"] < many.evidence["planned"]


def test_an_alert_already_firing_leaves_other_phases_alone() -> None:
    slow = nulls_phase("slow", expect=[expect("Slow", labels={})])
    drill = Drill(BASELINE, slow, nulls_phase())
    start = drill.segment_ms(SegmentKind.PHASE, "baseline")
    drill.fire(start - 1600, start - 600, drill.to_ms, alert="Slow", job="monitor")
    active = (("alertname", "Slow"), ("job", "monitor"), ("severity", "P1"))
    drill.change(records.SteadyState, active=(active,)).detect()
    result = drill.judge()
    assert [outcome(one) for one in result.expectations] == [("inconclusive", "already_firing"), ("detected", None)]
    assert result.false_alarms == ()
    assert result.verdict is DrillVerdict.INCONCLUSIVE


# evidence that was lost or tampered with


def test_a_recording_without_any_scrape_is_not_silence() -> None:
    drill = Drill()
    drill.series = [one for one in drill.series if "job" not in one.labels]
    assert outcome(drill.expectation()) == ("inconclusive", "series_not_recorded")


def test_a_post_of_the_engine_that_the_recording_does_not_show_is_not_a_miss() -> None:
    drill = Drill()
    fired = drill.evaluation(drill.start_ms() + 3000)
    assert outcome(drill.post(fired + 20, fired).expectation()) == ("inconclusive", "series_not_recorded")


def test_a_rule_that_was_not_seen_right_before_the_fault_may_have_been_active() -> None:
    drill = Drill().detect()
    drill.hole(drill.from_ms - 1, drill.start_ms() + 1000)
    assert outcome(drill.expectation()) == ("inconclusive", "evaluation_gap")


def test_without_a_steady_state_nothing_is_decided() -> None:
    assert outcome(Drill().detect().drop(records.SteadyState).expectation()) == ("inconclusive", "interrupted")


def test_a_detection_says_how_strong_the_fault_was() -> None:
    ramp = {"kind": "nulls", "features": ["amount"], "share": 1, "profile": {"kind": "ramp", "over": "8s"}}
    drill = Drill(nulls_phase(faults=[ramp])).detect()
    (one,) = drill.judge().expectations
    assert one.dose_at_firing is not None
    assert 0.3 < one.dose_at_firing < 0.6
    assert one.full_dose_at is not None
    assert one.fault_start is not None
    assert one.full_dose_at > one.fault_start + 5
    plain = Drill().detect()
    (one,) = plain.judge().expectations
    assert (one.dose_at_firing, one.full_dose_at) == (1.0, one.fault_start)


def test_a_fault_that_is_over_when_the_alert_fires_has_no_dose_then() -> None:
    pulse = {"kind": "nulls", "features": ["amount"], "share": 1, "profile": {"kind": "pulse", "lasts": "1s"}}
    drill = Drill(nulls_phase(faults=[pulse], duration="4s"))
    pending = drill.evaluation(drill.start_ms() + 2200)
    drill.fire(pending, pending + 3000, pending + 6000)
    (one,) = drill.judge().expectations
    assert one.dose_at_firing == 0.0


def test_traffic_that_a_fault_suppressed_is_not_missed_by_the_load() -> None:
    loss = {"kind": "traffic_loss", "id": "nulls", "share": 0.4}
    drill = Drill(nulls_phase(faults=[loss])).detect()
    (one,) = drill.judge().expectations
    assert one.verdict == "detected"
