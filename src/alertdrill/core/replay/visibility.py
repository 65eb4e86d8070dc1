"""When rules could see a sample: it is stamped at the start of its scrape and stored when the scrape is over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import is_stale

Instants = NDArray[np.int64]
Target = tuple[str, str]

STORED_AFTER_MS = 3
"""From the end of a scrape, as `scrape_duration_seconds` has it, to when its samples can be read.

0 to 30 ms gave the same transitions as live, 60 ms others (measured on 2.42 and 3.5, 268 s, 41 rules)."""

GONE_AFTER_INTERVALS = 1.1
"""A target that left service discovery has its series marked at the instant of its next scrape, and so much later.

prometheus/scrape/scrape.go, `endOfRunStaleness`: in case it comes back."""

NEAR_MS = 5
"""On a busy host it is more: by as much as the engine was late to evaluate, it may have been late to store."""

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Scrapes:
    """The scrapes of one target: `at_ms` when each began, ascending, and `seen_ms` from when on it could be read."""

    at_ms: Instants
    seen_ms: Instants

    def seen(self, times_ms: Instants) -> Instants:
        """From when on samples with these timestamps could be read; at once where they are not of a scrape."""
        if not len(self.at_ms):
            return times_ms
        position = np.minimum(np.searchsorted(self.at_ms, times_ms), len(self.at_ms) - 1)
        of_scrape = self.at_ms[position] == times_ms
        return np.maximum.accumulate(np.where(of_scrape, self.seen_ms[position], times_ms))


def target_of(series: RawSeries) -> Target:
    """Job and instance of a series; empty where it has none."""
    return series.labels.get("job", ""), series.labels.get("instance", "")


def scrapes_by_target(series: Iterable[RawSeries]) -> dict[Target, Scrapes]:
    """The scrapes of every target that has `up` samples, from `up` and `scrape_duration_seconds`."""
    up: dict[Target, RawSeries] = {}
    took: dict[Target, RawSeries] = {}
    for one in series:
        kept = {"up": up, "scrape_duration_seconds": took}.get(one.labels.get("__name__", ""))
        if kept is not None and target_of(one) not in kept:
            kept[target_of(one)] = one
    return {target: _scrapes(one, took.get(target)) for target, one in up.items()}


def _scrapes(up: RawSeries, took: RawSeries | None) -> Scrapes:
    lasted = np.zeros(len(up.times_ms))
    if took is not None:
        _, mine, its = np.intersect1d(up.times_ms, took.times_ms, assume_unique=True, return_indices=True)
        lasted[mine] = np.nan_to_num(took.values[its])
    gone = is_stale(up.values)
    if gone.any() and len(gone) > 1:
        lasted[gone] = GONE_AFTER_INTERVALS * float(np.median(np.diff(up.times_ms))) / 1000
    seen = up.times_ms + np.ceil(lasted * 1000).astype(np.int64) + STORED_AFTER_MS
    return Scrapes(up.times_ms, np.maximum.accumulate(seen))


def bounds(points_ms: Instants, began_ms: Instants, scrapes: Sequence[Scrapes]) -> tuple[Instants, Instants]:
    """What must be stored, and what must not, when rules are evaluated at some instants.

    Of the samples stamped up to an instant those that could be seen when its evaluation began must be there, none seen
    later. So all seen by `least` must be stored, and none seen at `below` or later; shape (n,) each. `below` is NEVER
    where everything stamped up to the instant could be seen.

    Args:
        points_ms: shape (n,).
        began_ms: shape (n,): when each evaluation began.
        scrapes: of every target that the rules read.
    """
    least = np.full(len(points_ms), np.iinfo(np.int64).min)
    below = np.full(len(points_ms), NEVER)
    for one in scrapes:
        stamped = np.searchsorted(one.at_ms, points_ms, side="right")
        seen = np.minimum(np.searchsorted(one.seen_ms, began_ms, side="right"), stamped)
        some, hidden = seen > 0, seen < stamped
        least[some] = np.maximum(least[some], one.seen_ms[seen[some] - 1])
        below[hidden] = np.minimum(below[hidden], one.seen_ms[seen[hidden]])
    return least, below


@dataclass(frozen=True)
class Batch:
    """Evaluations `begin` to `end` (excluded), asked for when all that was seen by `stored_ms` is stored, no more."""

    begin: int
    end: int
    stored_ms: int


def batches(points_ms: Instants, began_ms: Instants, scrapes: Sequence[Scrapes]) -> tuple[Batch, ...]:
    """The fewest batches, in order, in which every evaluation sees exactly what it saw live.

    What one saw, those that began later may see as well: it could be seen before they began.

    Args:
        points_ms: shape (n,): the instants that evaluations are about.
        began_ms: shape (n,), ascending: when each began.
        scrapes: of every target that the rules read.
    """
    least, below = bounds(points_ms, began_ms, scrapes)
    found: list[Batch] = []
    begin, floor, ceiling = 0, int(np.iinfo(np.int64).min), NEVER
    for i, (low, high) in enumerate(zip(least.tolist(), below.tolist(), strict=True)):
        if i > begin and max(floor, low) >= min(ceiling, high):
            found.append(Batch(begin, i, floor))
            begin, ceiling = i, high
        else:
            ceiling = min(ceiling, high)
        floor = max(floor, low)
    if len(points_ms):
        found.append(Batch(begin, len(points_ms), floor))
    return tuple(found)


def races(points_ms: Instants, began_ms: Instants, scrapes: Sequence[Scrapes]) -> bool:
    """Whether there is an instant at which a sample stamped before it could not be seen yet."""
    return bool((bounds(points_ms, began_ms, scrapes)[1] != NEVER).any())


def near(points_ms: Instants, first_ms: Instants, last_ms: Instants, scrapes: Sequence[Scrapes]) -> Instants:
    """The instants evaluated so near to when a sample could be seen that live it may have gone either way.

    Args:
        points_ms: shape (n,).
        first_ms: shape (n,): when each evaluation began at the earliest.
        last_ms: shape (n,): and at the latest.
        scrapes: of every target that the rules read.
    """
    margin = np.maximum(NEAR_MS, first_ms - points_ms)
    close = np.zeros(len(points_ms), dtype=bool)
    for one in scrapes:
        ended = one.seen_ms - STORED_AFTER_MS
        following = np.searchsorted(ended, first_ms - margin, side="right")
        inside = np.minimum(following, len(ended) - 1)
        close |= (following < len(ended)) & (ended[inside] < last_ms + margin) & (one.at_ms[inside] <= points_ms)
    return points_ms[close]
