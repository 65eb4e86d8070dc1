"""A recording as if its targets had been scraped less often: of every target each k-th scrape, and what it would mark.

The first scrape that a recording has of a target is kept, and every k-th from there on: one of the k phases that a live
Prometheus may have. Scrapes that it left out stay out, and do not shift those after them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alertdrill.core import journal as records
from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import STALE, is_stale
from alertdrill.core.replay.visibility import Target, target_of

Instants = NDArray[np.int64]

TOLERANCE = 0.01
"""How far an interval may be from a multiple of the recorded one, as a share of it."""


@dataclass(frozen=True, eq=False)
class Scraped:
    """The scrapes of one target as a recording has them.

    Attributes:
        at_ms: shape (n,), ascending: when each began.
        gone_ms: shape (m,): when a target that had left was to be scraped next.
        interval_ms: from one to the next; None where there are fewer than two.
    """

    at_ms: Instants
    gone_ms: Instants
    interval_ms: int | None

    def every(self, interval_ms: int) -> int | None:
        """Which of the scrapes an interval keeps: each so many; None where it is no multiple of the recorded one."""
        if self.interval_ms is None:
            return 1
        times = round(interval_ms / self.interval_ms)
        fits = abs(interval_ms - times * self.interval_ms) <= TOLERANCE * interval_ms
        return times if times and fits else None


@dataclass(frozen=True, eq=False)
class Kept:
    """What is kept of a target: `at_ms` when it is scraped, `gone_ms` when it was to be scraped and had left."""

    at_ms: Instants
    gone_ms: Instants


def scraped(series: Iterable[RawSeries]) -> dict[Target, Scraped]:
    """The scrapes of every target, from `up`.

    Raises:
        ValueError: two targets have the same job and instance, so that their scrapes cannot be told apart.
    """
    found: dict[Target, Scraped] = {}
    for one in series:
        if one.labels.get("__name__") == "up":
            target = target_of(one)
            if target in found:
                raise ValueError(f"two targets have job {target[0]} and instance {target[1]}")
            gone = is_stale(one.values)
            at = one.times_ms[~gone]
            interval = max(1, round(float(np.median(np.diff(at))))) if len(at) > 1 else None
            found[target] = Scraped(at, one.times_ms[gone], interval)
    return found


def kept(one: Scraped, every: int) -> Kept:
    """Each so many of the scrapes of a target."""
    if every == 1 or one.interval_ms is None:
        return Kept(one.at_ms, one.gone_ms)
    times = np.union1d(one.at_ms, one.gone_ms)
    steps = np.maximum(1, np.rint(np.diff(times) / one.interval_ms).astype(np.int64))
    slots = np.concatenate([[0], np.cumsum(steps)])
    slots -= slots[np.searchsorted(times, one.at_ms[0])]
    of_scrapes, of_leaving = (slots[np.searchsorted(times, each)] for each in (one.at_ms, one.gone_ms))
    due = -(-of_leaving // every) * every
    back = np.array([bool(((of_scrapes > left) & (of_scrapes <= at)).any()) for left, at in _pairs(of_leaving, due)])
    gone = one.gone_ms + (due - of_leaving) * one.interval_ms
    return Kept(one.at_ms[of_scrapes % every == 0], gone[~back] if len(gone) else gone)


def _pairs(first: Instants, second: Instants) -> Iterable[tuple[int, int]]:
    return zip(first.tolist(), second.tolist(), strict=True)


def thinned(series: Sequence[RawSeries], interval_ms: int) -> tuple[RawSeries, ...]:
    """What scrapes at a longer interval would have left.

    A series has its samples of the scrapes that are kept, and a staleness marker at the first of them that lacks it,
    or at which its target had left. Series that no scrape stamped are left as they are.

    Args:
        series: what was scraped, staleness markers included.
        interval_ms: a multiple of how often each target was scraped.

    Raises:
        ValueError: it is not, or scrapes cannot be told apart.
    """
    targets = scraped(series)
    fewer: dict[Target, Kept] = {}
    for target, one in targets.items():
        every = one.every(interval_ms)
        if every is None:
            raise ValueError(f"{interval_ms} ms is no multiple of {one.interval_ms} ms")
        if every > 1:
            fewer[target] = kept(one, every)
    return tuple(
        _thinned(one, fewer[target_of(one)]) if target_of(one) in fewer and _of_scrapes(one, targets) else one
        for one in series
    )


def _of_scrapes(series: RawSeries, targets: Mapping[Target, Scraped]) -> bool:
    return bool(np.isin(series.times_ms[~is_stale(series.values)], targets[target_of(series)].at_ms).all())


def _thinned(series: RawSeries, target: Kept) -> RawSeries:
    live = ~is_stale(series.values)
    times = np.union1d(target.at_ms, target.gone_ms)
    present = np.isin(times, series.times_ms[live])
    vanished = np.concatenate([[False], present[:-1]]) & ~present if len(present) else present
    values = np.full(len(times), STALE)
    values[present] = series.values[live][np.searchsorted(series.times_ms[live], times[present])]
    stays = present | vanished
    return RawSeries(series.labels, times[stays], values[stays])


def not_multiples(series: Iterable[RawSeries], interval_ms: int) -> Mapping[Target, int]:
    """The targets that cannot be scraped at an interval by leaving scrapes out, and how often they were, ms."""
    return {
        target: one.interval_ms
        for target, one in scraped(series).items()
        if one.interval_ms is not None and one.every(interval_ms) is None
    }


def journal_of(journal: Iterable[records.Record], interval_s: float) -> tuple[records.Record, ...]:
    """The journal of a drill whose targets were scraped at another interval: how soon alerts can fire is not known."""

    def told(one: records.Record) -> records.Record:
        if isinstance(one, records.Engine):
            return one.model_copy(update={"scrape_interval_s": interval_s})
        if isinstance(one, records.Fill):
            return one.model_copy(update={"low_s": None, "likely_s": None, "high_s": None})
        if isinstance(one, records.Rules):
            groups = tuple(
                replace(group, rules=tuple(replace(rule, scrape_s=None) for rule in group.rules))
                for group in one.groups
            )
            return one.model_copy(update={"groups": groups})
        return one

    return tuple(told(one) for one in journal)
