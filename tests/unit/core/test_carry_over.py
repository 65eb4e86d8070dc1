import pytest
from drill import RULES, UP, Drill, group, nulls_phase, outcome, rule

from alertdrill.core import journal as records
from alertdrill.core.carry_over import carry_over
from alertdrill.core.matchers import exactly

AMOUNT = {"feature": "amount"}
SIGNAL = {"__name__": "nulls:ratio5s", "feature": "amount"}


def value(drill: Drill, name: str = "NullsHigh", phase: str = "nulls") -> float | None:
    case = drill.case()
    return carry_over(case, case.book.named(name)[0], exactly(AMOUNT), drill.start_ms(phase))


def with_signal(drill: Drill, before: float, later: float, from_ms: int, labels: dict[str, str] = SIGNAL) -> Drill:
    times = drill.recording().named("nulls:ratio5s")[0].times_ms
    drill.series = [one for one in drill.series if one.labels["__name__"] != labels["__name__"]]
    return drill.record(labels, times[times < from_ms], before).record(labels, times[times >= from_ms], later)


def test_a_signal_at_its_baseline_carries_nothing_over() -> None:
    assert value(Drill()) == 0.0


def test_what_is_left_of_an_earlier_fault_is_a_part_of_the_way_to_the_threshold() -> None:
    drill = Drill(nulls_phase("one"), nulls_phase("two"))
    with_signal(drill, 0.01, 0.03, drill.start_ms("one") + 1000)
    assert value(drill, phase="one") == 0.0
    assert value(drill, phase="two") == pytest.approx((0.03 - 0.01) / (0.05 - 0.01))


def test_a_threshold_can_be_a_series() -> None:
    rules = group(*RULES.rules, rule("Drift", "evidence >= threshold"))
    drill = Drill(nulls_phase("one"), nulls_phase("two"), rules=rules)
    times = drill.recording().named("up")[0].times_ms
    drill.record({"__name__": "threshold", **AMOUNT}, times, 10.0)
    with_signal(drill, 2.0, 4.0, drill.start_ms("one") + 1000, {"__name__": "evidence", **AMOUNT})
    assert value(drill, "Drift", "two") == pytest.approx(0.25)


def test_of_conditions_that_must_hold_together_the_first_is_looked_at() -> None:
    rules = group(*RULES.rules, rule("Both", "nulls:ratio5s > 0.05 and up > 0"))
    assert value(Drill(rules=rules), "Both") == 0.0


def test_rules_that_are_no_comparison_of_a_series_have_none() -> None:
    rules = group(*RULES.rules, rule("Absent", "absent(up)"), rule("Sum", "sum(up) > 1"))
    drill = Drill(rules=rules)
    assert (value(drill, "Absent"), value(drill, "Sum")) == (None, None)


def test_without_a_baseline_or_a_signal_there_is_none() -> None:
    assert value(Drill().drop(records.SteadyState)) is None
    drill = Drill()
    drill.series = [one for one in drill.series if one.labels["__name__"] == UP["__name__"]]
    assert value(drill) is None


def test_a_baseline_at_the_threshold_leaves_no_room_to_measure_in() -> None:
    drill = Drill()
    assert value(with_signal(drill, 0.05, 0.05, drill.start_ms())) is None


def test_it_stands_in_the_result() -> None:
    assert Drill().detect().expectation().carry_over == 0.0


@pytest.mark.parametrize(
    ("left", "expected"),
    [(0.0, ("detected", None)), (0.4, ("detected", None)), (0.6, ("inconclusive", "carry_over"))],
)
def test_what_takes_the_signal_half_the_way_leaves_open_whose_doing_an_alert_is(
    left: float, expected: tuple[str, str | None]
) -> None:
    drill = Drill(nulls_phase("one"), nulls_phase("two")).detect("one").detect("two")
    with_signal(drill, 0.01, 0.01 + left * 0.04, drill.start_ms("one") + 1000)
    assert [outcome(one) for one in drill.judge().expectations] == [("detected", None), expected]


def test_a_signal_that_goes_as_far_by_itself_is_no_earlier_fault_s_doing() -> None:
    drill = Drill(nulls_phase("one"), nulls_phase("two")).detect("one").detect("two")
    with_signal(drill, 0.01, 0.04, drill.start_ms("one") + 1000)
    signal = next(one for one in drill.series if one.labels["__name__"] == "nulls:ratio5s")
    signal.values[-4] = 0.045
    assert outcome(drill.expectation(1)) == ("detected", None)
