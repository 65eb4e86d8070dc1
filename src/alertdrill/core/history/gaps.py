"""Where a past shows nothing: neither silence nor alarm can be told there."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import is_stale
from alertdrill.core.replay.visibility import Target, target_of

Instants = NDArray[np.int64]
Interval = tuple[int, int]
"""First and last instant, ms, the last excluded."""

GAP_INTERVALS = 1.5


def outages(present_ms: Instants, step_ms: int, from_ms: int, to_ms: int, lookback_ms: int) -> tuple[Interval, ...]:
    """When an engine scraped nothing at all, as far as questions every `step_ms` show it.

    Args:
        present_ms: shape (n,): at which of them it had samples of the `lookback_ms` before; none: nobody knows.
        step_ms: from one to the next.
        from_ms: the first of them.
        to_ms: the last.
        lookback_ms: of the engine.
    """
    if not len(present_ms):
        return ()
    absent = np.setdiff1d(np.arange(from_ms, to_ms + 1, step_ms, dtype=np.int64), present_ms)
    return joined((at - min(lookback_ms, step_ms), at + step_ms) for at in absent.tolist())


def scrape_gaps(up: Iterable[RawSeries]) -> Mapping[Target, tuple[Interval, ...]]:
    """By target when it was not scraped: over 1.5 intervals from one `up` to the next, unless a marker ended it."""
    found: dict[Target, tuple[Interval, ...]] = {}
    for one in up:
        if len(one.times_ms) > 2:
            apart = np.diff(one.times_ms)
            late = (apart > GAP_INTERVALS * np.median(apart)) & ~is_stale(one.values)[:-1]
            edges = zip(one.times_ms[:-1][late].tolist(), one.times_ms[1:][late].tolist(), strict=True)
            found[target_of(one)] = tuple((int(a), int(b)) for a, b in edges)
    return found


def joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Intervals in order of time, those that touch as one."""
    found: list[Interval] = []
    for begin, end in sorted(intervals):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return tuple(found)


def within(intervals: Iterable[Interval], from_ms: int, to_ms: int) -> tuple[Interval, ...]:
    """The parts of some intervals that lie in [from_ms, to_ms)."""
    cut = ((max(begin, from_ms), min(end, to_ms)) for begin, end in intervals)
    return joined((begin, end) for begin, end in cut if begin < end)


def length_ms(intervals: Iterable[Interval]) -> int:
    """How long intervals that do not touch are together."""
    return sum(end - begin for begin, end in intervals)


def outside(times_ms: Instants, intervals: Sequence[Interval]) -> Instants:
    """The instants that lie in none of the intervals."""
    kept = np.ones(len(times_ms), dtype=bool)
    for begin, end in intervals:
        kept[np.searchsorted(times_ms, begin) : np.searchsorted(times_ms, end)] = False
    return times_ms[kept]
