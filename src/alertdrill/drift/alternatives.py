"""Alternatives: the drifts that an e-detector bets on, as shares of the cells of a feature.

Numeric features: shifts and scalings in the normal scores of the reference, so that any shape of distribution will
do; spikes in one quantile cell; values out of range; sentinels more frequent or half gone, where the reference has
some; nulls, missing keys, wrong types. Categories: each one more frequent, or half gone; unseen ones; nulls, missing
keys, wrong types.
"""

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.cells import Cells, NumericCells

SHIFTS_SD = (0.1, -0.1, 0.2, -0.2, 0.4, -0.4, 0.8, -0.8, 1.6, -1.6)
SCALES = (0.5, 0.8, 1.25, 1.5, 2.0, 3.0)
NULL_SHARES = (0.02, 0.05, 0.1, 0.2, 0.5)
MISSING_SHARES = (0.02, 0.1, 0.5)
SENTINEL_SHARES = (0.02, 0.1, 0.5)
RARE_SHARES = (0.01, 0.05, 0.3)
SPIKE_SHARE = 0.3
MORE_FREQUENT_SHARE = 0.1
SMALLEST_RATIO = 1e-3

_NORMAL = NormalDist()


def smallest_shift_sd(reference_rows: int) -> float:
    """The smallest shift worth betting on with a reference of m rows: 10 / sqrt(m) standard deviations.

    A smaller one is within reach of the reference's own sampling error, and would alarm by itself sooner or later (a
    fit to simulations of 6 million rows, not proven: 49% of streams with m = 1,000 and 0.1 sd, none with 50,000).
    """
    return float(10.0 / np.sqrt(reference_rows))


def alternatives(cells: Cells, exact_reference: bool = False) -> NDArray[np.float64]:
    """Shares of the cells under each drift to watch for.

    Args:
        cells: the feature's cells.
        exact_reference: the live rows are drawn from the reference itself, as in a drill, so that its shares have no
            sampling error; otherwise drifts too small for its size are left out.

    Returns:
        Shape (alternatives, cells); all above 0, each row sums to 1. At least one.
    """
    pairs = [*(_numeric(cells) if isinstance(cells, NumericCells) else _category(cells)), *_absent(cells)]
    kept = [shares for shares, supported in pairs if exact_reference or supported]
    floor = SMALLEST_RATIO * cells.reference_shares
    shares = np.maximum(np.array(kept or [pairs[-1][0]]), floor)
    normalised: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return normalised


def log_ratios(cells: Cells, exact_reference: bool = False) -> NDArray[np.float64]:
    """What one row in a cell adds to the log evidence of an alternative: ln(q / p0), shape (alternatives, cells)."""
    ratios: NDArray[np.float64] = np.log(alternatives(cells, exact_reference) / cells.reference_shares)
    return ratios


_Pair = tuple[NDArray[np.float64], bool]


def _numeric(cells: NumericCells) -> Iterator[_Pair]:
    smallest = smallest_shift_sd(cells.reference_rows)
    for shift in SHIFTS_SD:
        yield _in_normal_scores(cells, shift, 1.0), abs(shift) >= smallest
    for scale in SCALES:
        # A scaling by s is as hard to tell from none as a shift by sqrt(2) ln s: equal Kullback-Leibler divergence.
        yield _in_normal_scores(cells, 0.0, scale), abs(np.sqrt(2) * np.log(scale)) >= smallest
    for cell in range(1, cells.above):
        yield _with_more(cells, cell, SPIKE_SHARE)
    for cell in (0, cells.above):
        yield from (_with_more(cells, cell, share) for share in RARE_SHARES)
    if cells.sentinel is not None:
        yield from (_with_more(cells, cells.sentinel, share) for share in SENTINEL_SHARES)
        yield _half_gone(cells, cells.sentinel)


def _category(cells: Cells) -> Iterator[_Pair]:
    unseen = cells.value_cells - 1
    for cell in range(unseen):
        yield from (_with_more(cells, cell, share) for share in (MORE_FREQUENT_SHARE, SPIKE_SHARE))
        yield _half_gone(cells, cell)
    yield from (_with_more(cells, unseen, share) for share in RARE_SHARES)


def _absent(cells: Cells) -> Iterator[_Pair]:
    yield from (_with_more(cells, cells.null, share) for share in NULL_SHARES)
    yield from (_with_more(cells, cells.missing, share) for share in MISSING_SHARES)
    yield from (_with_more(cells, cells.type_error, share) for share in RARE_SHARES)


def _half_gone(cells: Cells, cell: int) -> _Pair:
    """Half of the rows in one cell replaced by rows in the others."""
    share = cells.reference_shares[cell]
    return _with_more(cells, cell, -0.5 * share / (1 - share))


def _in_normal_scores(cells: NumericCells, shift_sd: float, scale: float) -> NDArray[np.float64]:
    """Below to above redistributed as if the feature's normal scores were N(shift, scale^2); the others unchanged."""
    shares = cells.reference_shares.copy()
    values = shares[: cells.above + 1]
    present = values.sum()
    cumulative = np.cumsum(values / present)[:-1].clip(1e-12, 1 - 1e-12)
    moved = [_NORMAL.cdf((_NORMAL.inv_cdf(p) - shift_sd) / scale) for p in cumulative.tolist()]
    shares[: cells.above + 1] = np.diff(np.r_[0.0, moved, 1.0]) * present
    return shares


def _with_more(cells: Cells, cell: int, share: float) -> _Pair:
    """Shares of all rows replaced by rows in one cell (negative: taken from it), and whether m supports betting on it.

    Supported: ten standard errors of the cell's share, and thirty times the share that one row of the reference
    stands for (what lies beyond the range of m rows is exponential with mean 1 / m).
    """
    moved = (1 - share) * cells.reference_shares
    moved[cell] += share
    m = cells.reference_rows
    error = float(np.sqrt(cells.reference_counts[cell]) / m)
    return moved, abs(share) >= max(10 * error, 30 / m)
