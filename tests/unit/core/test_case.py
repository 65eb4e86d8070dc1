import pytest
from drill import EVALUATION_MS, GATE_S, STEADY_S, T0_S, Drill, nulls_phase

from alertdrill.core import journal as records
from alertdrill.core.plan import SegmentKind


def is_nulls(one: records.SegmentClosed) -> bool:
    return one.k == 3


def test_a_fault_begins_and_ends_with_confirmed_effects() -> None:
    one = Drill().case().deliveries["nulls/nulls"]
    assert one.delivered
    assert one.first_ms is not None
    assert one.served_ms == one.first_ms + 5
    assert 0.4 < one.planned / one.requests < 0.6
    assert one.touched == one.planned


def test_instants_are_on_the_engine_s_clock() -> None:
    here, ahead = Drill(), Drill().change(records.Clock, offset_s=0.05)
    assert ahead.start_ms() == here.start_ms() + 50


def test_the_clock_reading_with_the_smallest_error_counts() -> None:
    drill = Drill().add(records.Clock(at=T0_S, offset_s=0.002, error_s=0.0001))
    assert drill.case().offset_s == 0.002
    assert drill.drop(records.Clock).case().offset_s == 0.0


def test_effects_on_requests_never_sent_are_not_confirmed() -> None:
    half = Drill().change(records.SegmentClosed, is_nulls, sent=200).case().deliveries["nulls/nulls"]
    assert half.requests == 200
    assert half.touched == half.planned < 150
    assert half.stray > 50


def test_effects_that_the_plan_did_not_choose_are_strays() -> None:
    drill = Drill()
    i = tuple(range(400))
    drill.add(records.Touched(at=T0_S, injection="nulls/nulls", k=3, i=i, effect_at=(T0_S,) * 400))
    one = drill.case().deliveries["nulls/nulls"]
    assert one.touched == one.planned
    assert one.stray == 400 - one.planned
    assert not one.delivered


def test_without_effects_nothing_was_delivered() -> None:
    one = Drill().drop(records.Touched).case().deliveries["nulls/nulls"]
    assert (one.touched, one.first_ms, one.last_ms, one.delivered) == (0, None, None, False)


def test_evaluations_are_known_from_recorded_metrics_alerts_and_what_the_engine_said() -> None:
    drill = Drill()
    rule = drill.case().book.named("NullsHigh")[0]
    assert len(drill.case().evaluations_ms(rule)) == pytest.approx((drill.to_ms - drill.from_ms) / 1000, abs=1)
    drill.series = [one for one in drill.series if one.labels["__name__"] != "nulls:ratio5s"]
    assert not len(drill.case().evaluations_ms(rule))
    drill.fire(drill.from_ms + EVALUATION_MS, None, drill.from_ms + EVALUATION_MS + 1000)
    drill.add(records.Evaluated(at=T0_S, file="rules.yml", group="drill", evaluated_at=(T0_S + 9.4,)))
    drill.add(records.Evaluated(at=T0_S, file="rules.yml", group="other", evaluated_at=(T0_S + 12.4,)))
    seconds = [t / 1000 - T0_S for t in drill.case().evaluations_ms(rule)]
    assert seconds == pytest.approx([0.4, 1.4, 9.4])


def test_a_segment_ends_where_the_next_begins_and_the_last_with_the_recording() -> None:
    case = Drill().case()
    assert case.segment_end_ms(0) == round((T0_S + STEADY_S) * 1000)
    assert case.segment_end_ms(4) == case.recording.to_ms


def test_an_instant_lies_in_a_phase_or_in_none() -> None:
    drill = Drill()
    phase = drill.segment_ms(SegmentKind.PHASE, "nulls")
    assert drill.case().phase_of(phase) == "nulls"
    assert drill.case().phase_of(phase - 1) is None
    assert drill.case().phase_of(phase - round(GATE_S * 1000) - 1) == "baseline"


def test_the_baseline_begins_when_the_steady_state_counts() -> None:
    drill = Drill()
    assert drill.case().baseline_from_ms == round((T0_S + 2) * 1000)
    refused = drill.change(records.SteadyState, held=False).case()
    assert (refused.steady, refused.baseline_from_ms) == (None, drill.to_ms)


def test_scrape_interval_and_tail_follow_the_engine() -> None:
    case = Drill(nulls_phase()).case()
    assert (case.scrape_ms, case.tail_ms) == (1000, 9000)
    slow = Drill(nulls_phase()).change(records.Engine, scrape_interval_s=15.0).case()
    assert (slow.scrape_ms, slow.tail_ms) == (15_000, 23_000)


def test_late_sends_are_kept_as_witnesses() -> None:
    drill = Drill().add(records.Late(at=T0_S, k=1, i=(4,), sent_at=(T0_S + 5.0,), late_s=(0.3,)))
    assert drill.case().late_sends == ((round((T0_S + 5) * 1000), 0.3),)


def test_an_effect_that_was_confirmed_twice_counts_from_the_first_time() -> None:
    drill = Drill()
    before = drill.start_ms()
    (touched,) = [one for one in drill.journal if isinstance(one, records.Touched)]
    drill.add(touched.model_copy(update={"effect_at": tuple(at + 5.0 for at in touched.effect_at)}))
    assert drill.start_ms() == before


def test_a_ramp_is_full_when_it_says_so_and_a_fault_without_profile_at_once() -> None:
    ramp = {"kind": "nulls", "features": ["amount"], "share": 1, "profile": {"kind": "ramp", "over": "4s"}}
    one = Drill(nulls_phase(faults=[ramp])).case().deliveries["nulls/nulls"]
    assert one.first_ms is not None
    assert one.full_ms is not None
    assert 3000 < one.full_ms - one.first_ms < 4100
    plain = Drill().case().deliveries["nulls/nulls"]
    assert plain.full_ms == plain.first_ms


def test_a_ramp_that_is_not_over_when_the_phase_ends_is_never_full() -> None:
    ramp = {"kind": "nulls", "features": ["amount"], "share": 1, "profile": {"kind": "ramp", "over": "90s"}}
    assert Drill(nulls_phase(faults=[ramp])).case().deliveries["nulls/nulls"].full_ms is None


def test_lost_requests_are_delivered_by_being_withheld() -> None:
    loss = {"kind": "traffic_loss", "id": "nulls", "share": 0.4}
    drill = Drill(nulls_phase(faults=[loss]))
    one = drill.case().deliveries["nulls/nulls"]
    closed = drill.case().closed[one.injection.segment]
    assert one.delivered
    assert one.touched == one.planned == closed.suppressed > 0
    assert one.requests == closed.scheduled


OWN = {"load": {"rate": "20/s", "arrivals": "constant", "locustfile": "users.py", "users": 5}}


def picked(*i: int) -> records.Picked:
    return records.Picked(at=T0_S, injection="nulls/nulls", k=3, i=i)


def touched_in(drill: Drill) -> list[int]:
    return [i for one in drill.journal if isinstance(one, records.Touched) for i in one.i]


def test_what_users_of_a_locustfile_were_to_get_is_what_the_load_picked() -> None:
    drill = Drill(**OWN)
    chosen = touched_in(drill)
    one = drill.add(picked(*chosen[:9]), picked(*chosen[9:])).case().deliveries["nulls/nulls"]
    assert one.planned == one.touched == len(chosen) > 100
    assert one.delivered


def test_picks_that_could_not_be_applied_leave_the_fault_undelivered() -> None:
    drill = Drill(**OWN)
    chosen = touched_in(drill)
    others = sorted(set(range(400)) - set(chosen))
    one = drill.add(picked(*chosen, *others[:20])).case().deliveries["nulls/nulls"]
    assert (one.planned, one.touched) == (len(chosen) + 20, len(chosen))
    assert not one.delivered


def test_picks_of_requests_never_sent_do_not_count() -> None:
    drill = Drill(**OWN)
    chosen = touched_in(drill)
    half = drill.add(picked(*chosen)).change(records.SegmentClosed, is_nulls, sent=200).case()
    assert half.deliveries["nulls/nulls"].planned == sum(i < 200 for i in chosen)


def test_an_alert_that_was_over_before_the_drill_began_is_none_of_its_episodes() -> None:
    drill = Drill()
    before = drill.case().recording.from_ms
    drill.fire(before - 9_000, before - 8_000, before - 4_000, alert="Slow")
    drill.fire(before - 9_000, before - 8_000, before + 4_000, alert="NullsHigh")
    assert {one.alert for one in drill.case().episodes} == {"NullsHigh"}
