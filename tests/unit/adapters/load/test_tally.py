"""Tests of the figures of a segment."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.adapters.load.tally import LogHistogram, Tally


@given(st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_the_histogram_agrees_with_sorting(durations_s: list[float], q: float) -> None:
    histogram = LogHistogram()
    for part in np.array_split(np.array(durations_s), 3):
        histogram.add(part)
    exact = sorted(durations_s)[max(0, math.ceil(q * len(durations_s)) - 1)]  # nearest rank
    assert exact * (1 - 1e-9) <= histogram.quantile_s(q) <= exact * 1.011
    assert histogram.max_s == max(durations_s)


def test_a_histogram_of_nothing_has_quantile_zero() -> None:
    assert LogHistogram().quantile_s(0.99) == 0.0


def test_early_sends_count_as_punctual() -> None:
    histogram = LogHistogram()
    histogram.add(np.array([-2e-5, 0.0]))
    assert histogram.quantile_s(0.5) <= 1e-6


@given(st.lists(st.floats(1e-6, 1e4), max_size=100), st.lists(st.floats(1e-6, 1e4), max_size=100))
def test_two_histograms_merge_into_that_of_all(ones_s: list[float], others_s: list[float]) -> None:
    whole, merged = LogHistogram(), LogHistogram()
    whole.add(np.array([*ones_s, *others_s]))
    for durations_s in (ones_s, others_s):
        part = LogHistogram()
        part.add(np.array(durations_s))
        merged.merge(part.bins(), part.max_s)
    assert merged.bins() == whole.bins()
    assert [merged.quantile_s(q) for q in (0.5, 0.99, 1.0)] == [whole.quantile_s(q) for q in (0.5, 0.99, 1.0)]


def test_the_closing_event_adds_up() -> None:
    tally = Tally()
    tally.attempted(np.array([0.001, 0.2, 0.1]), [0, 1, 2], [b"a", b"b", b"c"])
    tally.confirmed(10.0, 11.0)
    tally.ended(np.array([0.3]), np.array([0.2]), failed=1, rate_limited=1, denied=2)
    for why in (None, "'<html>': no JSON", "nothing"):
        tally.read(why)
    event = tally.closed(k=4, scheduled=5)
    assert event["scheduled"] == 5
    assert (event["sent"], event["answered"], event["failed"], event["in_flight"]) == (3, 1, 1, 1)
    assert (event["rate_limited"], event["denied"]) == (1, 2)
    assert event["within_100ms"] == 2
    assert (event["first_sent"], event["last_sent"]) == (10.0, 11.0)
    assert event["error_max_s"] == 0.2
    assert (event["answers_read"], event["answers_unreadable"]) == (3, 2)
    assert event["unreadable_example"] == "'<html>': no JSON"
    assert event["reached"] == 3


def test_a_segment_without_requests_closes_with_zeros() -> None:
    event = Tally().closed(k=0, scheduled=0)
    assert event["first_sent"] is None
    assert (event["errors"], event["error_max_s"]) == ({}, 0.0)
    assert (event["digests"], event["reached"]) == ({}, 0)
