"""Wilson's interval of a proportion, and of what is a function of one: accuracy, precision, recall, F1."""

import math
from statistics import NormalDist
from typing import NamedTuple

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)


class Estimate(NamedTuple):
    """A figure and its interval.

    Attributes:
        value: the estimate.
        low: lower bound at `CONFIDENCE`, two-sided.
        high: upper bound.
    """

    value: float
    low: float
    high: float


def proportion(hits: int, trials: int) -> Estimate | None:
    """Share of hits, with the score interval of Wilson 1927 (JASA 22:209); None where nothing was tried."""
    return wilson(hits / trials, trials) if trials else None


def wilson(share: float, trials: float) -> Estimate:
    """The score interval of a share (0 to 1) among so many trials, which may be an effective number."""
    centre = (share + Z * Z / (2 * trials)) / (1 + Z * Z / trials)
    half = Z * math.sqrt(share * (1 - share) / trials + (Z / (2 * trials)) ** 2) / (1 + Z * Z / trials)
    return Estimate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def f1(true_positive: int, false_positive: int, false_negative: int) -> Estimate | None:
    """F1 of the positive class; None where nothing is or was called positive.

    Given TP + FP + FN, TP is binomial, and its share J (Jaccard 1912) gives F1 = 2J / (1 + J) (Dice 1945), which rises
    with J: so Wilson's interval of J maps onto one of F1 with the same coverage.
    """
    share = proportion(true_positive, true_positive + false_positive + false_negative)
    return Estimate(*(2 * bound / (1 + bound) for bound in share)) if share else None
