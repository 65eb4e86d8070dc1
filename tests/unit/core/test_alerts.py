import numpy as np
import pytest

from alertdrill.core.alerts import Episode, episodes
from alertdrill.core.observations import RawSeries

EVERY = np.arange(0, 60_000, 1000)


def samples(state: str, *times_ms: int, alert: str = "High", **labels: str) -> RawSeries:
    names = {"__name__": "ALERTS", "alertname": alert, "alertstate": state, **labels}
    return RawSeries(names, np.array(times_ms, dtype=np.int64), np.ones(len(times_ms)))


def found(*series: RawSeries, evaluations: object = EVERY, end_ms: int = 60_000) -> tuple[Episode, ...]:
    return episodes(series, 1000, np.array(evaluations, dtype=np.int64), end_ms)


def test_pending_is_not_firing() -> None:
    (one,) = found(samples("pending", 5000, 6000))
    assert (one.pending_at, one.firing_at, one.resolved_at) == (5000, None, 7000)


def test_an_alert_resolves_one_interval_after_its_last_firing_sample() -> None:
    (one,) = found(samples("pending", 5000, 6000), samples("firing", 7000, 8000, 9000))
    assert (one.pending_at, one.firing_at, one.last_at, one.resolved_at) == (5000, 7000, 9000, 10_000)


def test_a_hole_in_which_the_rule_was_evaluated_ends_an_episode() -> None:
    first, second = found(samples("firing", 5000, 6000, 9000, 10_000))
    assert (first.resolved_at, second.pending_at) == (7000, 9000)


def test_an_engine_that_stood_still_resolved_nothing() -> None:
    stalled = [t for t in EVERY if not 6000 < t < 16_000]
    (one,) = found(samples("pending", 5000, 6000), samples("firing", 16_000, 17_000), evaluations=stalled)
    assert (one.pending_at, one.firing_at, one.resolved_at) == (5000, 16_000, 18_000)


def test_what_is_active_when_the_samples_are_read_has_not_resolved() -> None:
    (one,) = found(samples("firing", 58_000, 59_000))
    assert one.resolved_at is None


def test_an_alert_whose_rule_was_never_evaluated_again_has_not_resolved() -> None:
    (one,) = found(samples("firing", 5000, 6000), evaluations=[4000, 5000, 6000])
    assert one.resolved_at is None


def test_one_late_evaluation_is_no_hole() -> None:
    assert len(found(samples("firing", 5000, 6000, 7400, 8000))) == 1


def test_label_sets_are_apart() -> None:
    one, other = found(samples("firing", 5000, feature="a"), samples("firing", 6000, feature="b"))
    assert (one.label_map, other.label_map["feature"]) == ({"alertname": "High", "feature": "a"}, "b")


@pytest.mark.parametrize(("at_ms", "active"), [(4999, False), (5000, True), (7999, True), (8000, False)])
def test_an_episode_is_active_from_pending_until_resolved(at_ms: int, active: bool) -> None:
    assert Episode("High", (), 5000, 6000, 8000, 7000).active_at(at_ms) is active
