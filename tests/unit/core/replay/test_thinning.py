"""Recordings thinned to fewer scrapes: phase, `up`, markers, and what is left alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.core.replay.worded import series

from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import STALE, is_stale
from alertdrill.core.replay.thinning import not_multiples, scraped, thinned

TARGET = {"job": "model", "instance": "m:1"}


def seen(one: RawSeries) -> list[tuple[int, float | str]]:
    stale = is_stale(one.values)
    return [
        (int(at), "stale" if gone else float(value))
        for at, value, gone in zip(one.times_ms, one.values, stale, strict=True)
    ]


def by_hand(history: list[bool | None], every: int) -> list[int | tuple[int, str]]:
    """Positions at which a series has a sample, or a marker; None in the history is a scrape that was left out."""
    found: list[int | tuple[int, str]] = []
    there = False
    for position, present in enumerate(history):
        if position % every or present is None:
            continue
        if present:
            found.append(position)
        elif there:
            found.append((position, "stale"))
        there = present
    return found


@given(
    first=st.integers(0, 3_000),
    every=st.integers(1, 5),
    history=st.lists(st.sampled_from([True, False, None]), min_size=2, max_size=60),
    jitter=st.integers(0, 4),
)
def test_samples_and_markers_are_those_of_each_kth_scrape(
    first: int, every: int, history: list[bool | None], jitter: int
) -> None:
    history = [True, True, True, True, *history]
    assume(history.count(None) * 3 < len(history))
    at = [first + 1000 * i + (i * 7) % (jitter + 1) for i in range(len(history))]
    scrapes = [i for i, one in enumerate(history) if one is not None]
    up = series("up", [at[i] for i in scrapes], [float(i % 2) for i in scrapes], **TARGET)
    present = [i for i, one in enumerate(history) if one]
    before = {i: j for j, i in pairwise(scrapes)}
    marked = [i for i in scrapes if not history[i] and history[before.get(i, i)]]
    stamped = sorted([(at[i], float(i)) for i in present] + [(at[i], STALE) for i in marked])
    x = series("x", [one for one, _ in stamped], [value for _, value in stamped], **TARGET)
    fewer_up, fewer_x = thinned([up, x], 1000 * every)
    assert seen(fewer_up) == [(at[i], float(i % 2)) for i in scrapes if i % every == 0]
    expected = [
        (at[one], float(one)) if isinstance(one, int) else (at[one[0]], "stale") for one in by_hand(history, every)
    ]
    assert seen(fewer_x) == expected


def test_the_first_scrape_is_kept_and_its_phase_with_it() -> None:
    up = series("up", [307 + 1000 * i for i in range(9)], **TARGET)
    (fewer,) = thinned([up], 3000)
    assert fewer.times_ms.tolist() == [307, 3307, 6307]


def test_a_series_that_was_away_between_two_kept_scrapes_was_never_away() -> None:
    up = series("up", range(0, 5000, 1000), **TARGET)
    x = series("x", [0, 1000, 2000, 4000], [1.0, STALE, 3.0, 5.0], **TARGET)
    assert seen(thinned([up, x], 2000)[1]) == [(0, 1.0), (2000, 3.0), (4000, 5.0)]


def test_a_target_that_left_is_marked_when_it_would_have_been_scraped_next() -> None:
    up = series("up", [0, 1000, 2000, 3000], [1.0, 1.0, 1.0, STALE], **TARGET)
    x = series("x", [0, 1000, 2000, 3000], [1.0, 2.0, 3.0, STALE], **TARGET)
    fewer_up, fewer_x = thinned([up, x], 2000)
    assert seen(fewer_up) == [(0, 1.0), (2000, 1.0), (4000, "stale")]
    assert seen(fewer_x) == [(0, 1.0), (2000, 3.0), (4000, "stale")]


def test_a_target_that_came_back_before_its_next_scrape_never_left() -> None:
    up = series("up", [0, 1000, 2000, 3000, 4001], [1.0, STALE, 1.0, 1.0, 1.0], **TARGET)
    assert seen(thinned([up], 4000)[0]) == [(0, 1.0), (4001, 1.0)]


def test_every_target_keeps_its_own_phase_and_may_have_had_its_own_interval() -> None:
    slow = series("up", [500, 2500, 4500, 6500], job="slow", instance="s:1")
    fast = series("up", [100 + 1000 * i for i in range(7)], **TARGET)
    fewer = thinned([slow, fast], 4000)
    assert [one.times_ms.tolist() for one in fewer] == [[500, 4500], [100, 4100]]


def test_series_that_no_scrape_stamped_and_targets_scraped_as_asked_are_left_alone() -> None:
    up = series("up", range(0, 5000, 1000), **TARGET)
    own = series("pushed_at", [0, 1000, 1500], **TARGET)
    other = series("remote", [3, 7])
    found = thinned([up, own, other], 2000)
    assert (found[1], found[2]) == (own, other)
    assert thinned([up, own, other], 1000) == (up, own, other)


def test_an_interval_that_is_no_multiple_is_refused_by_target() -> None:
    up = series("up", range(0, 5000, 1000), **TARGET)
    slow = series("up", range(0, 20_000, 5000), job="slow", instance="s:1")
    assert not_multiples([up, slow], 2500) == {("model", "m:1"): 1000, ("slow", "s:1"): 5000}
    assert not_multiples([up, slow], 2000) == {("slow", "s:1"): 5000}
    assert not_multiples([up, slow], 10_000) == {}
    with pytest.raises(ValueError, match="no multiple"):
        thinned([up], 500)


def test_targets_that_cannot_be_told_apart_are_refused() -> None:
    up = series("up", [0, 1000], **TARGET)
    with pytest.raises(ValueError, match="two targets have job model and instance m:1"):
        scraped([up, series("up", [0, 1000], **TARGET, env="b")])


def test_values_are_kept_bit_for_bit() -> None:
    up = series("up", range(0, 4000, 1000), **TARGET)
    x = series("x", range(0, 4000, 1000), [np.nan, 1.0, -0.0, 2.0], **TARGET)
    fewer = thinned([up, x], 2000)[1]
    assert fewer.values.view(np.uint64).tolist() == x.values.view(np.uint64)[[0, 2]].tolist()
