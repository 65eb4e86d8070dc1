"""Means of errors that cannot be negative (RMSE, MAE), with gamma intervals."""

import math

import numpy as np
from numpy.typing import NDArray

from alertdrill.monitor.truth.proportions import Estimate, Z


def rmse(errors: NDArray[np.float64]) -> Estimate | None:
    """Root of the mean squared error, shape (n,); None below two errors."""
    return _scaled(errors, 2)


def mae(errors: NDArray[np.float64]) -> Estimate | None:
    """Mean absolute error, shape (n,); None below two errors."""
    return _scaled(errors, 1)


def _scaled(errors: NDArray[np.float64], power: int) -> Estimate | None:
    """The mean of a power of the errors, its root taken; as shares of the largest, whose square may be no number."""
    if len(errors) < 2:
        return None
    sizes = np.abs(errors)
    largest = float(sizes.max())
    if largest == 0.0:
        return Estimate(0.0, 0.0, 0.0)
    mean = positive_mean((sizes / largest) ** power)
    return Estimate(*(largest * bound ** (1 / power) for bound in mean))


def positive_mean(values: NDArray[np.float64]) -> Estimate:
    """Mean of two or more values that are 0 or more and not all 0, shape (n,).

    The mean is taken as a scaled chi-square whose degrees of freedom, 2 mean² / variance of the mean, are estimated
    (Satterthwaite 1946, Biometrics Bulletin 2:110): exact for squared normal errors but for that estimate.
    """
    mean, variance = float(values.mean()), float(values.var(ddof=1)) / len(values)
    if variance <= (1e-12 * mean) ** 2:
        return Estimate(mean, mean, mean)
    freedom = 2 * mean * mean / variance
    return Estimate(mean, mean * freedom / chi_square(freedom, Z), mean * freedom / chi_square(freedom, -Z))


def chi_square(freedom: float, z: float) -> float:
    """Quantile of chi-square at the standard normal quantile `z` (Wilson and Hilferty 1931, PNAS 17:684)."""
    spread = 2 / (9 * freedom)
    root = 1 - spread + z * math.sqrt(spread)
    return freedom * max(root, 1e-3) ** 3
