"""Sentinels: numbers that stand for "unknown", such as -999, found by where they lie in a sample and how often."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

FEWEST_ROWS = 5
SMALLEST_SHARE = 0.001
MOST_A_SIDE = 3
FAR = 10.0
FREQUENT = 10.0

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def sentinels(values: Floats) -> Floats:
    """The numbers beyond either end of a sample that repeat and lie far from all the rest, ascending.

    Each of them stands for at least five rows and 0.1% of all, together for less than half. The nearest of a side lies
    ten times farther from the rest than the rest itself reaches on that side of its median; or once as far, if it is
    ten times as frequent as any single value of the rest there: a heavy tail goes far, but does not come back to the
    very same number. How far the rest reaches is no less than its mean absolute deviation, and no less than the
    smallest step between two of its values, so that codes such as 0, 1, 2 are no sentinels of each other.

    Pearson 2006, The Problem of Disguised Missing Data (SIGKDD Explorations 8:1) calls these inlying or outlying codes;
    one that lies inside the range cannot be told from a frequent value.

    Args:
        values: shape (n,), finite.
    """
    distinct, counts = np.unique(values, return_counts=True)
    fewest = max(FEWEST_ROWS, SMALLEST_SHARE * len(values))
    low, high = (_repeated(side, fewest) for side in (counts, counts[::-1]))
    sides = sorted(product(range(low + 1), range(high + 1)), key=sum, reverse=True)
    for below, above in sides[:-1]:  # the last is none on either side
        rest = slice(below, len(distinct) - above)
        most = counts[rest].sum() > len(values) / 2
        if most and len(distinct[rest]) > 1 and all(_gaps_hold(distinct, counts, rest)):
            return np.concatenate([distinct[:below], distinct[rest.stop :]])
    return np.empty(0)


def _repeated(counts: Counts, fewest: float) -> int:
    """How many of the outermost values repeat, up to the first that does not."""
    few = counts[:MOST_A_SIDE] < fewest
    return int(few.argmax()) if few.any() else len(few)


def _gaps_hold(distinct: Floats, counts: Counts, rest: slice) -> Iterator[bool]:
    """Whether the gap on each side that has candidates is wide enough."""
    values, of = distinct[rest], counts[rest]
    middle = values[np.searchsorted(np.cumsum(of), of.sum() / 2)]
    least = max(np.average(np.abs(values - middle), weights=of), np.diff(values).min())
    if rest.start:
        frequent = counts[: rest.start].min() >= FREQUENT * of[values <= middle].max()
        yield _is_far(values[0] - distinct[rest.start - 1], max(middle - values[0], least), frequent)
    if rest.stop < len(distinct):
        frequent = counts[rest.stop :].min() >= FREQUENT * of[values >= middle].max()
        yield _is_far(distinct[rest.stop] - values[-1], max(values[-1] - middle, least), frequent)


def _is_far(gap: float, reach: float, frequent: bool) -> bool:
    return bool(gap >= (1.0 if frequent else FAR) * reach)
