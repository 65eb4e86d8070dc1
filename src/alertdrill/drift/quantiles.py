"""Quantiles far out in the tail of the distributions that fixed-window tests compare with."""

import math

HALVINGS = 80


def chi_squared_tail(value: float, freedom: int) -> float:
    """Probability that a chi-squared variable of `freedom` degrees (at least 1) exceeds `value` (from 0).

    The finite sums of Abramowitz and Stegun 1964, 26.4.4 (odd) and 26.4.5 (even).
    """
    half = value / 2
    if freedom % 2:
        term = math.sqrt(half) * math.exp(-half) / math.gamma(1.5)
        total = math.erfc(math.sqrt(half))
        first = 0.5
    else:
        term = total = math.exp(-half)
        first = 1.0
        term *= half
    for step in range((freedom - 1) // 2):
        total += term
        term *= half / (first + 1 + step)
    return total


def chi_squared_above(probability: float, freedom: int) -> float:
    """The value that a chi-squared variable exceeds with a probability, above 0 and below 1; by bisection.

    It is at most k + 2 sqrt(k t) + 2 t with t = ln(1 / probability) (Laurent and Massart 2000, lemma 1).
    """
    t = -math.log(probability)
    low, high = 0.0, freedom + 2 * math.sqrt(freedom * t) + 2 * t
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if chi_squared_tail(middle, freedom) > probability else (low, middle)
    return (low + high) / 2
