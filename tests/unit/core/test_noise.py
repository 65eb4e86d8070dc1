import pytest
from drill import BASELINE, Drill, nulls_phase

from alertdrill.core import journal as records
from alertdrill.core.noise import fault_free, rate
from alertdrill.core.plan import SegmentKind
from alertdrill.core.result import NoiseResult

SCOPE = {"scope": {"alerts": ["Slow"]}}


def of(drill: Drill) -> NoiseResult:
    found = drill.judge().noise
    assert found is not None
    return found


def slow(drill: Drill, at_ms: int, lasts_ms: int = 1000) -> Drill:
    at = drill.evaluation(at_ms)
    return drill.fire(at, at + 1000, at + 1000 + lasts_ms, alert="Slow", job="monitor")


def test_no_time_counts_from_a_fault_to_one_tail_after_it() -> None:
    drill = Drill(monitoring=SCOPE).detect()
    case = drill.case()
    (before, after) = fault_free(case)
    assert before == (case.baseline_from_ms, drill.start_ms())
    assert after[0] == case.deliveries["nulls/nulls"].over_ms + case.tail_ms
    assert after[1] == case.counts_until_ms
    assert of(drill).fault_free_s == pytest.approx(sum(last - first for first, last in (before, after)) / 1000)


def test_a_drill_without_false_alarms_says_how_many_an_hour_there_could_be() -> None:
    found = of(Drill(monitoring=SCOPE).detect())
    assert (found.total.episodes, found.total.per_hour, found.total.low_per_hour) == (0, 0.0, 0.0)
    assert found.total.high_per_hour == pytest.approx(3.688879 * 3600 / found.fault_free_s, rel=1e-4)


def test_false_alarms_are_counted_where_they_began() -> None:
    drill = Drill(monitoring=SCOPE).detect()
    slow(drill, drill.segment_ms(SegmentKind.PHASE, "baseline") + 1000)
    slow(drill, drill.last_ms() + drill.case().tail_ms + 2000)
    found = of(drill)
    assert found.total.episodes == len(drill.judge().false_alarms) == 2
    assert {(one.kind, one.name): one.episodes for one in found.stretches} == {
        ("steady", "steady_state"): 0,
        ("phase", "baseline"): 1,
        ("gate", "nulls"): 0,
        ("phase", "nulls"): 0,
        ("settle", "settle"): 1,
    }
    assert sum(one.fault_free_s for one in found.stretches) == pytest.approx(found.fault_free_s)
    assert {one.alert: one.rate.episodes for one in found.alerts} == {"NullsHigh": 0, "Slow": 2}


def test_an_alert_that_fires_again_soon_after_its_end_flaps() -> None:
    drill = Drill(monitoring=SCOPE).detect()
    for after_ms in (1000, 6000, 11_000):
        slow(drill, drill.start_ms() + after_ms)
    assert {one.alert: one.flaps for one in of(drill).alerts} == {"NullsHigh": 0, "Slow": 2}


def test_an_alert_that_fires_again_much_later_does_not_flap() -> None:
    drill = Drill(monitoring=SCOPE).detect()
    slow(drill, drill.segment_ms(SegmentKind.PHASE, "baseline") + 1000)
    slow(drill, drill.last_ms())
    assert {one.flaps for one in of(drill).alerts} == {0}


def test_a_phase_whose_fault_lost_its_account_is_not_watched() -> None:
    whole, lost = Drill(monitoring=SCOPE).detect(), Drill(monitoring=SCOPE).detect().drop(records.Touched)
    case = lost.case()
    (before, _) = fault_free(case)
    assert before[1] == lost.segment_ms(SegmentKind.PHASE, "nulls")
    assert of(lost).fault_free_s < of(whole).fault_free_s + 1


def test_a_drill_without_faults_is_watched_to_its_end() -> None:
    drill = Drill(BASELINE, monitoring=SCOPE)
    case = drill.case()
    assert fault_free(case) == ((case.baseline_from_ms, case.counts_until_ms),)


def test_where_nothing_was_watched_no_rate_is_known() -> None:
    found = of(Drill(nulls_phase()).drop(records.SteadyState))
    assert (found.fault_free_s, found.total.per_hour, found.total.high_per_hour) == (0.0, None, None)
    assert rate(2, 0.0).per_hour is None
