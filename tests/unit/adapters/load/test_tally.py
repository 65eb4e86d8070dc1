"""Tests of the figures of a segment."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.adapters.load.tally import LogHistogram, PayloadHash, Tally, quantiles


def test_the_quantile_is_the_nearest_rank() -> None:
    values = np.random.default_rng(1).permutation(np.arange(1.0, 101.0))
    assert quantiles(values) == {"p50_s": 50.0, "p95_s": 95.0, "p99_s": 99.0}
    assert quantiles(np.array([7.0])) == {"p50_s": 7.0, "p95_s": 7.0, "p99_s": 7.0}
    assert quantiles(np.array([])) == {"p50_s": None, "p95_s": None, "p99_s": None}


@given(st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_the_histogram_agrees_with_sorting(durations_s: list[float], q: float) -> None:
    histogram = LogHistogram()
    for part in np.array_split(np.array(durations_s), 3):
        histogram.add(part)
    exact = sorted(durations_s)[max(0, math.ceil(q * len(durations_s)) - 1)]
    assert exact * (1 - 1e-9) <= histogram.quantile_s(q) <= exact * 1.011
    assert histogram.max_s == max(durations_s)


def test_a_histogram_of_nothing_has_quantile_zero() -> None:
    assert LogHistogram().quantile_s(0.99) == 0.0


def test_early_sends_count_as_punctual() -> None:
    histogram = LogHistogram()
    histogram.add(np.array([-2e-5, 0.0]))
    assert histogram.quantile_s(0.5) <= 1e-6


def _straight(bodies: list[bytes]) -> str:
    return hashlib.sha256(b"".join(len(body).to_bytes(8, "little") + body for body in bodies)).hexdigest()


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2000, 2345])
def test_the_hash_is_read_at_every_thousand_bodies_and_at_the_end(count: int) -> None:
    bodies = [b"%d" % n for n in range(count)]
    payload = PayloadHash()
    for start in range(0, count, 170):
        payload.add(bodies[start : start + 170])
    stops = [*range(1000, count + 1, 1000), *([count] if count % 1000 else [])]
    assert payload.marks() == [_straight(bodies[:stop]) for stop in stops]


def test_the_hash_tells_where_one_body_ends() -> None:
    first, second = PayloadHash(), PayloadHash()
    first.add([b"ab", b"c"])
    second.add([b"a", b"bc"])
    assert first.marks() != second.marks()


def test_reading_the_hash_does_not_change_it() -> None:
    payload = PayloadHash()
    payload.add([b"a"])
    assert payload.marks() == payload.marks() == [_straight([b"a"])]


def test_the_closing_event_adds_up() -> None:
    tally = Tally()
    tally.attempted(np.array([0.001, 0.2, 0.1]), [b"a", b"b", b"c"])
    tally.confirmed(10.0, 11.0)
    tally.ended(np.array([0.3]), np.array([0.2]), failed=1)
    event = tally.closed(k=4, scheduled=5)
    assert event["scheduled"] == 5
    assert (event["sent"], event["answered"], event["failed"], event["in_flight"]) == (3, 1, 1, 1)
    assert event["within_100ms"] == 2
    assert (event["first_sent"], event["last_sent"]) == (10.0, 11.0)
    assert event["error_max_s"] == 0.2


def test_a_segment_without_requests_closes_with_zeros() -> None:
    event = Tally().closed(k=0, scheduled=0)
    assert event["first_sent"] is None
    assert event["error_p99_s"] == 0.0
    assert event["payload_sha256"] == []
