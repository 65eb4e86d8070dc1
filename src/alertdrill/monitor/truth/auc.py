"""Area under the ROC curve, by DeLong, with an interval that holds at its ends."""

import numpy as np
from numpy.typing import NDArray

from alertdrill.monitor.truth.proportions import Estimate, Z, wilson

Scores = NDArray[np.float64]
STEPS = 50
FEW = 10.0  # with fewer of a class times the area's distance from its end, DeLong's variance is too uncertain alone


def auc(positive: Scores, negative: Scores) -> Estimate | None:
    """Probability that a positive scores over a negative, ties counted half; None without two of each.

    The variance is that of DeLong, DeLong and Clarke-Pearson 1988 (Biometrics 44:837), by the mid-ranks of Sun and Xu
    2014 (IEEE SPL 21:1389). It gives the number of trials that a proportion of that variance would have, and these
    Wilson's interval, which does not leave 0 to 1. With few of a class, or hardly any overlap, that variance is too
    uncertain: then the wider of its bounds and those of Hanley and McNeil's variance (1982, Radiology 143:29), inverted
    as Newcombe 2006 (Stat Med 25:559) does, is given.

    Args:
        positive: scores of the positives, shape (m,).
        negative: scores of the negatives, shape (n,).
    """
    m, n = len(positive), len(negative)
    if m < 2 or n < 2:
        return None
    ranks = _mid_ranks(np.concatenate([positive, negative]))
    over = (ranks[:m] - _mid_ranks(positive)) / n  # of each positive: the share of negatives below it
    under = 1.0 - (ranks[m:] - _mid_ranks(negative)) / m
    area = min(1.0, max(0.0, float(over.mean())))
    variance = float(over.var(ddof=1)) / m + float(under.var(ddof=1)) / n
    by_score = Estimate(area, _bound(area, 0.0, m, n), _bound(area, 1.0, m, n))
    if variance <= 0.0 or not 0.0 < area < 1.0:
        return by_score
    by_delong = wilson(area, area * (1 - area) / variance)
    if min(m, n) * min(area, 1 - area) >= FEW:
        return by_delong
    return Estimate(area, min(by_delong.low, by_score.low), max(by_delong.high, by_score.high))


def _mid_ranks(values: Scores) -> Scores:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse], dtype=np.float64)


def _bound(area: float, end: float, m: int, n: int) -> float:
    """The area furthest towards `end` that is within Z standard errors of the one seen, by bisection."""
    inside, outside = area, end
    for _ in range(STEPS):
        middle = (inside + outside) / 2
        if (middle - area) ** 2 <= Z * Z * _variance(middle, m, n):
            inside = middle
        else:
            outside = middle
    return inside


def _variance(area: float, m: int, n: int) -> float:
    """The larger of both roles: the model behind the formula is not symmetric, and which class spreads is unknown."""
    return max(_hanley_mcneil(area, m, n), _hanley_mcneil(area, n, m))


def _hanley_mcneil(area: float, m: int, n: int) -> float:
    two_positives = area / (2 - area) - area * area
    two_negatives = 2 * area * area / (1 + area) - area * area
    return (area * (1 - area) + (m - 1) * two_positives + (n - 1) * two_negatives) / (m * n)
