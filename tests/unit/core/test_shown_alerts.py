import numpy as np
import pytest

from alertdrill.core.shown_alerts import ShownAlert, ShownAlerts, ShownRule

KEY = ("rules.yml", "drill", 0)
LABELS = {"alertname": "NullsHigh", "feature": "amount"}


def rule(evaluated_at: float | None, *alerts: ShownAlert) -> ShownRule:
    return ShownRule(KEY, 1.0, evaluated_at, alerts)


def alert(state: str, active_at: float, restored: bool = False) -> ShownAlert:
    return ShownAlert(LABELS, state, active_at, restored)


def times(shown: ShownAlerts, state: str) -> list[int]:
    found = [one.times_ms for one in shown.series() if one.labels["alertstate"] == state]
    return np.concatenate(found).tolist() if found else []


def test_an_alert_came_at_its_own_instant_and_fired_whole_evaluations_later() -> None:
    shown = ShownAlerts()
    for at, states in ((9.52, ()), (10.53, ("pending",)), (11.51, ("pending",)), (12.55, ("firing",)), (13.5, ())):
        for _ in range(4):  # looks, until the next evaluation
            shown.see([rule(at, *(alert(state, 10.5) for state in states))])
    assert times(shown, "pending") == [10_500, 11_500]
    assert times(shown, "firing") == [12_500]
    assert {one.labels["__name__"] for one in shown.series()} == {"ALERTS"}
    assert shown.error_s == pytest.approx(0.05), "so long after its instant the evaluation began"


def test_what_was_not_looked_at_between_two_looks_is_not_known() -> None:
    shown = ShownAlerts()
    shown.see([rule(9.5)])
    shown.see([rule(10.5, alert("pending", 10.5))])
    shown.see([rule(14.5, alert("firing", 10.5))])
    assert times(shown, "firing") == [14_500]
    assert shown.error_s == pytest.approx(3.0), "it may have fired at 11.5"


def test_an_end_between_looks_that_are_far_apart_is_not_known_either() -> None:
    shown = ShownAlerts()
    shown.see([rule(9.5)])
    shown.see([rule(10.5, alert("firing", 10.5))])
    shown.see([rule(13.5)])
    assert shown.error_s == pytest.approx(2.0)


def test_a_hole_in_quiet_times_makes_nothing_doubtful() -> None:
    shown = ShownAlerts()
    for at in (9.5, 20.5):
        shown.see([rule(at)])
    shown.see([rule(21.5, alert("firing", 21.5))])
    assert (times(shown, "firing"), shown.error_s) == ([21_500], 0.0)


def test_an_instant_that_was_dated_back_is_not_taken_for_that_of_the_evaluation() -> None:
    """As versions with an evaluation delay do, of 30 s by default."""
    shown = ShownAlerts()
    shown.see([rule(99.7)])
    shown.see([rule(100.7, alert("firing", 70.0))])
    shown.see([rule(101.7, alert("firing", 70.0))])
    assert times(shown, "firing") == [100_700, 101_700]


def test_an_instant_that_is_cut_to_whole_intervals_makes_that_much_doubtful() -> None:
    """As versions that align evaluations do."""
    shown = ShownAlerts()
    shown.see([rule(99.7)])
    shown.see([rule(100.7, alert("firing", 100.0))])
    assert times(shown, "firing") == [100_000]
    assert shown.error_s == pytest.approx(0.7)


def test_an_alert_taken_over_from_before_a_start_is_not_on_the_grid_of_evaluations() -> None:
    shown = ShownAlerts()
    shown.see([rule(100.7, alert("firing", 100.0, restored=True))])
    assert times(shown, "firing") == [100_700]


def test_an_alert_that_comes_again_has_a_grid_of_its_own() -> None:
    shown = ShownAlerts()
    for at, active_at, restored in ((10.5, 10.0, True), (11.5, 10.0, True), (20.72, 20.7, False), (21.75, 20.7, False)):
        shown.see([rule(at, alert("firing", active_at, restored))])
    assert times(shown, "firing") == [10_500, 11_500, 20_700, 21_700]


def test_an_alert_shown_before_its_evaluation_is_over_counts_for_that_evaluation() -> None:
    shown = ShownAlerts()
    shown.see([rule(10.5)])
    shown.see([rule(10.5, alert("pending", 11.5))])
    assert times(shown, "pending") == [11_500]


def test_a_rule_that_was_never_evaluated_shows_nothing() -> None:
    shown = ShownAlerts()
    shown.see([rule(None)])
    assert shown.series() == []


def test_an_evaluation_that_failed_proves_no_alert_although_it_goes_on_being_shown() -> None:
    shown = ShownAlerts()
    shown.see([rule(9.5)])
    shown.see([rule(10.5, alert("firing", 10.5))])
    for at in (11.5, 12.5):
        shown.see([ShownRule(KEY, 1.0, at, (alert("firing", 10.5),), failed=True)])
    assert times(shown, "firing") == [10_500]
    shown.see([rule(13.5)])
    assert shown.error_s == pytest.approx(2.0), "nobody knows when it ended"
