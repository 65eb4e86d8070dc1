"""What the engine writes of alerts. The same rules run on a real Prometheus in tests/integration/replay."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import is_stale, label_key, merge
from alertdrill.core.replay.alert_state import Active, AlertState

KEY = label_key({"alertname": "A", "feature": "amount"})


def told(series: list[RawSeries]) -> dict[str, str]:
    """By state one sign an evaluation, from instant 0 on, a second each: `1`, `s` for a marker, `.` for nothing."""
    found = {}
    for one in series:
        signs = ["."] * 12
        for at, stale in zip(one.times_ms.tolist(), is_stale(one.values).tolist(), strict=True):
            signs[at // 1000] = "s" if stale else "1"
        found[one.labels.get("alertstate", "since")] = "".join(signs).rstrip(".")
    return found


def run(holds: str, for_s: float = 0, keep_s: float = 0, cuts: tuple[int, ...] = ()) -> dict[str, str]:
    """Evaluate a condition that holds where `holds` has a 1, in stretches that end at the cuts."""
    state = AlertState(round(for_s * 1000), round(keep_s * 1000), {})
    mask = np.array([sign == "1" for sign in holds])
    times = np.arange(len(holds), dtype=np.int64) * 1000
    written: list[RawSeries] = []
    edges = [0, *cuts, len(holds)]
    for begin, end in pairwise(edges):
        written += state.series(times[begin:end], {KEY: mask[begin:end]})
    return told(list(merge(written)))


@pytest.mark.parametrize(
    ("holds", "for_s", "keep_s", "pending", "firing"),
    [
        ("0110", 0, 0, None, ".11s"),
        ("0111100", 2, 0, ".11s", "...11s"),
        ("0110", 2, 0, ".11s", None),
        ("01100110", 1, 0, ".1s..1s", "..1s..1s"),
        ("0100000", 0, 3, None, ".1111s"),
        ("0100100000", 0, 3, None, ".1111111s"),
        ("01110000", 2, 2, ".11s", "...111s"),
        ("010000", 2, 3, ".1s", None),
    ],
)
def test_an_alert_is_pending_fires_is_kept_and_ends_in_markers(
    holds: str, for_s: float, keep_s: float, pending: str | None, firing: str | None
) -> None:
    found = run(holds, for_s, keep_s)
    assert (found.get("pending"), found.get("firing")) == (pending, firing)


@given(st.text("01", min_size=1, max_size=12), st.integers(0, 3), st.integers(0, 3), st.sets(st.integers(1, 11)))
def test_stretches_change_nothing(holds: str, for_s: int, keep_s: int, cuts: set[int]) -> None:
    inside = tuple(sorted(cut for cut in cuts if cut < len(holds)))
    assert run(holds, for_s, keep_s, inside) == run(holds, for_s, keep_s)


def test_the_state_says_since_which_whole_second() -> None:
    state = AlertState(0, 0, {})
    written = state.series(np.array([1700, 2700], dtype=np.int64), {KEY: np.array([True, True])})
    (since,) = [one for one in written if one.labels["__name__"] == "ALERTS_FOR_STATE"]
    assert since.values.tolist() == [1.0, 1.0]
    assert since.labels == {"__name__": "ALERTS_FOR_STATE", "alertname": "A", "feature": "amount"}


def test_an_evaluation_that_failed_holds_the_state_and_writes_no_marker() -> None:
    state = AlertState(2000, 0, {})
    times = np.array([0, 1000, 3000], dtype=np.int64)  # the evaluation at 2000 failed
    assert told(state.series(times, {KEY: np.array([True, True, True])})) == {
        "pending": "11.s",
        "firing": "...1",
        "since": "11.1",
    }


def test_an_alert_that_was_active_before_goes_on() -> None:
    state = AlertState(5000, 0, {KEY: Active(-4000)})
    found = told(state.series(np.arange(3, dtype=np.int64) * 1000, {KEY: np.array([True, True, False])}))
    assert found == {"pending": "1s", "firing": ".1s", "since": "11s"}
