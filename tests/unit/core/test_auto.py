import math

import pytest
from drill import BASELINE, expect, nulls_phase, read
from planned import TAIL_S, planned

from alertdrill.core.auto import in_numbers
from alertdrill.core.prospect import Prospect
from alertdrill.core.scenario import Scenario
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.part import AUTO_S

AUTO = expect(within="auto")
NOOP = {"kind": "noop", "features": ["amount"]}
WITHIN = ("nulls", "expect", 0, "within")


def look(scenario: Scenario) -> tuple[Prospect, ...]:
    assert all(phase.duration != AUTO_S for phase in scenario.phases)
    return tuple(planned(scenario).prospects)


def numbers(*phases: dict[str, object], **changes: object) -> Scenario:
    scenario, findings = in_numbers(read(BASELINE, *phases, **changes), look, TAIL_S)
    assert findings == ()
    return scenario


def mistakes(*phases: dict[str, object]) -> tuple[Finding, ...]:
    scenario = read(BASELINE, *phases)
    unchanged, findings = in_numbers(scenario, look, TAIL_S)
    assert unchanged is scenario
    return findings


def test_without_auto_nothing_is_worked_out() -> None:
    scenario = read(BASELINE, nulls_phase())
    found = in_numbers(scenario, lambda _: pytest.fail("there is nothing to look at"), TAIL_S)
    assert found == (scenario, ())


def test_within_is_what_suffices_in_95_of_100_drills() -> None:
    scenario = numbers(nulls_phase(expect=[AUTO]))
    (one,) = planned(scenario).prospects
    assert one.odds is not None
    assert scenario.phases[1].expect[0].within == one.odds.point_s()
    assert scenario.phases[1].duration == 20


def test_a_duration_ends_two_evaluations_and_a_second_after_the_last_alert() -> None:
    phase = numbers(nulls_phase(duration="auto", expect=[AUTO])).phases[1]
    assert phase.duration == math.ceil(0.025 + phase.expect[0].within + 2 + 1)


def test_a_written_deadline_counts_too() -> None:
    both = [AUTO, expect("Odd", within="17s")]
    phase = numbers(nulls_phase(duration="auto", expect=both)).phases[1]
    assert phase.duration == math.ceil(0.025 + 17 + 2 + 1)
    assert phase.expect[1].within == 17


def test_a_deadline_to_notify_can_be_waited_for() -> None:
    phase = numbers(nulls_phase(duration="auto", expect=[expect(within="auto", notifies={"within": "40s"})])).phases[1]
    assert phase.duration == math.ceil(0.025 + 40 - TAIL_S)


def test_time_counts_from_the_first_touched_request() -> None:
    late = {"kind": "nulls", "features": ["amount"], "share": "50%", "profile": {"kind": "step", "at": "12s"}}
    early, later = (
        numbers(nulls_phase(duration="auto", expect=[AUTO], **changes)).phases[1]
        for changes in ({}, {"faults": [late]})
    )
    assert later.duration == pytest.approx(early.duration + 12, abs=1)


def test_a_ramp_takes_longer() -> None:
    ramp = {"kind": "nulls", "features": ["amount"], "share": "50%", "profile": {"kind": "ramp", "over": "30s"}}
    at_once, slowly = (
        numbers(nulls_phase(duration="auto", expect=[AUTO], **changes)).phases[1]
        for changes in ({}, {"faults": [ramp]})
    )
    assert slowly.expect[0].within > at_once.expect[0].within + 1


def test_what_takes_longer_than_a_minute_is_worked_out_with_longer_phases() -> None:
    ramp = {"kind": "nulls", "features": ["amount"], "share": "30%", "profile": {"kind": "ramp", "over": "10m"}}
    phase = numbers(nulls_phase(duration="auto", faults=[ramp], expect=[AUTO])).phases[1]
    assert 60 < phase.duration < 200


def test_the_plan_in_numbers_is_sure_of_what_was_sure() -> None:
    (one,) = planned(numbers(nulls_phase(duration="auto", expect=[AUTO]))).prospects
    assert one.bounds.worst_s is not None
    assert one.odds is not None
    assert one.odds.within(one.expectation.within) >= 0.95


@pytest.mark.parametrize(
    ("changes", "path", "why"),
    [
        ({"expect": [expect("NullHigh", within="auto")]}, WITHIN, "no alert NullHigh"),
        ({"expect": [expect("Odd", within="auto")]}, WITHIN, "nobody can tell"),
        ({"faults": [NOOP | {"share": 0}]}, WITHIN, "no request"),
        ({"faults": [NOOP | {"share": 1}]}, WITHIN, "never raises"),
        ({"duration": "auto", "expect": []}, ("nulls", "duration"), "expects no alert"),
    ],
)
def test_what_cannot_be_worked_out_is_a_mistake_where_it_is_written(
    changes: dict[str, object], path: tuple[object, ...], why: str
) -> None:
    (one,) = mistakes(nulls_phase(**{"expect": [AUTO], **changes}))
    assert one.path == path
    assert why in one.expected
    assert "write a number" in one.fix


def test_a_dose_that_is_not_sure_to_suffice_needs_a_number() -> None:
    burst = {"kind": "nulls", "features": ["amount"], "share": "50%", "profile": {"kind": "pulse", "lasts": "500ms"}}
    (one,) = mistakes(nulls_phase(duration="auto", faults=[burst], expect=[AUTO]))
    assert "does not surely raise NullsHigh" in one.expected
