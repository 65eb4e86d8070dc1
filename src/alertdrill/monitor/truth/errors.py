"""Means of errors that cannot be negative (RMSE, MAE), with gamma intervals."""

import math

import numpy as np
from numpy.typing import NDArray

from alertdrill.monitor.truth.proportions import Estimate, Z


def rmse(errors: NDArray[np.float64]) -> Estimate | None:
    """Root of the mean squared error, shape (n,); None below two errors."""
    mean = positive_mean(errors * errors)
    return Estimate(*(math.sqrt(bound) for bound in mean)) if mean else None


def mae(errors: NDArray[np.float64]) -> Estimate | None:
    """Mean absolute error, shape (n,); None below two errors."""
    return positive_mean(np.abs(errors))


def positive_mean(values: NDArray[np.float64]) -> Estimate | None:
    """Mean of values that are 0 or more, shape (n,); None below two.

    The mean is taken as a scaled chi-square whose degrees of freedom, 2 mean² / variance of the mean, are estimated
    (Satterthwaite 1946, Biometrics Bulletin 2:110): exact for squared normal errors but for that estimate.
    """
    if len(values) < 2:
        return None
    scale = float(values.max())
    if not 0.0 < scale < math.inf:
        return Estimate(scale, scale, scale) if scale == 0.0 else None
    scaled = values / scale  # squares of large errors would overflow in the variance
    mean, variance = float(scaled.mean()), float(scaled.var(ddof=1)) / len(scaled)
    if variance <= (1e-12 * mean) ** 2:
        return Estimate(mean * scale, mean * scale, mean * scale)
    freedom = 2 * mean * mean / variance
    low, high = freedom / chi_square(freedom, Z), freedom / chi_square(freedom, -Z)
    return Estimate(mean * scale, mean * low * scale, mean * high * scale)


def chi_square(freedom: float, z: float) -> float:
    """Quantile of chi-square at the standard normal quantile `z` (Wilson and Hilferty 1931, PNAS 17:684)."""
    spread = 2 / (9 * freedom)
    root = 1 - spread + z * math.sqrt(spread)
    return freedom * max(root, 1e-3) ** 3
