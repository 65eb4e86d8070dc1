"""Intervals and quantiles of repeated drills: exact for rates and probabilities, and for times that misses cut off."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
"""Of every interval and bound, unless a caller asks for another."""

MAX_RUNS = 100_000


@dataclass(frozen=True)
class Interval:
    """Both ends of an interval."""

    low: float
    high: float


def poisson_interval(count: int, exposure: float, confidence: float = CONFIDENCE) -> Interval:
    """The exact two-sided interval of the rate of a Poisson process, in events per unit of `exposure`.

    low = chi2(a / 2; 2 n) / 2 T, high = chi2(1 - a / 2; 2 n + 2) / 2 T, with a = 1 - confidence (Garwood 1936,
    Biometrika 28, 437-442); chi2(p; 2 k) / 2 is the inverse of the regularised gamma function of k.

    Args:
        count: events, n.
        exposure: how long they were watched for, T, above 0.
        confidence: between 0 and 1.
    """
    alpha = 1 - confidence
    if not count:
        return Interval(0.0, -math.log(alpha / 2) / exposure)
    from scipy.special import gammaincinv  # half a second to import, and most drills have no false alarm

    low, high = gammaincinv(count, alpha / 2), gammaincinv(count + 1, 1 - alpha / 2)
    return Interval(float(low) / exposure, float(high) / exposure)


def poisson_upper(count: int, exposure: float, confidence: float = CONFIDENCE) -> float:
    """The exact one-sided upper bound of the rate of a Poisson process: chi2(confidence; 2 n + 2) / 2 T (Garwood)."""
    return poisson_interval(count, exposure, 2 * confidence - 1).high


def lower_bound(hits: int, runs: int, confidence: float = CONFIDENCE) -> float:
    """The exact one-sided lower bound of a probability; 0 without a hit.

    The quantile 1 - confidence of the beta distribution with k and n - k + 1 for k hits in n runs (Clopper, Pearson
    1934, Biometrika 26, 404-413).
    """
    from scipy.special import betaincinv

    return float(betaincinv(hits, runs - hits + 1, 1 - confidence)) if hits else 0.0


def upper_bound(hits: int, runs: int, confidence: float = CONFIDENCE) -> float:
    """The exact one-sided upper bound of a probability, one minus the lower bound of the misses; 1 without a miss."""
    return 1.0 - lower_bound(runs - hits, runs, confidence)


def wilson_interval(hits: int, runs: int, confidence: float = CONFIDENCE) -> Interval:
    """The score interval of a probability, two-sided: shorter than the exact one, and right on average.

    (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n) (Wilson 1927, Journal of the American
    Statistical Association 22, 209-212). From 0 to 1 without a run.
    """
    if not runs:
        return Interval(0.0, 1.0)
    from scipy.special import ndtri

    z, p = float(ndtri((1 + confidence) / 2)), hits / runs
    middle = p + z * z / (2 * runs)
    half = z * math.sqrt(p * (1 - p) / runs + z * z / (4 * runs * runs))
    scale = 1 + z * z / runs
    return Interval(
        0.0 if not hits else max(0.0, (middle - half) / scale),
        1.0 if hits == runs else min(1.0, (middle + half) / scale),
    )


def hits_needed(hits: int, runs: int, probability: float, confidence: float = CONFIDENCE) -> int | None:
    """How many further runs, all of them hits, take the lower bound to `probability`; None above 100,000."""
    return _first(lambda more: lower_bound(hits + more, runs + more, confidence) >= probability)


def misses_needed(hits: int, runs: int, probability: float, confidence: float = CONFIDENCE) -> int | None:
    """How many further runs, all of them misses, take the upper bound below `probability`; None above 100,000."""
    return _first(lambda more: upper_bound(hits, runs + more, confidence) < probability)


def _first(holds: Callable[[int], bool]) -> int | None:
    """The least number for which a monotonous condition holds."""
    low, high = -1, 1
    while not holds(high):
        low, high = high, 2 * high
        if high > MAX_RUNS:
            return None
    if holds(0):
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def time_quantile(times: Sequence[float], observed: Sequence[bool], share: float) -> float | None:
    """The time that `share` of all do not exceed, by the product-limit estimate; None where misses leave it open.

    S(t) = product over events t_i <= t of (1 - d_i / n_i): d_i events at t_i, n_i at risk just before it; those that
    are cut off at t_i still count as at risk there (Kaplan, Meier 1958, Journal of the American Statistical Association
    53, 457-481). The quantile is the least t with 1 - S(t) >= share.

    Args:
        times: shape (n,): when it happened, or until when it is known not to have happened.
        observed: shape (n,): whether it happened.
        share: above 0, at most 1.
    """
    survival = 1.0
    for at in sorted({time for time, happened in zip(times, observed, strict=True) if happened}):
        at_risk = sum(time >= at for time in times)
        events = sum(time == at and happened for time, happened in zip(times, observed, strict=True))
        survival *= 1 - events / at_risk
        if 1 - survival >= share - 1e-12:
            return at
    return None
