"""When requests are due: arrival times of a segment, relative to its start."""

import hashlib
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.draws import uniforms


class ArrivalKind(StrEnum):
    """How arrivals are spread in time."""

    POISSON = "poisson"
    CONSTANT = "constant"


class Arrivals(BaseModel):
    """The recipe for the arrivals of a segment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ArrivalKind = Field(description="poisson (exponential gaps) or constant (equal gaps)")
    rate_per_s: float = Field(ge=0, description="mean arrivals per second")


def arrival_times(
    arrivals: Arrivals, seed: int, k: int, duration_s: float, name: str = "arrival"
) -> NDArray[np.float64]:
    """Seconds from the start of segment `k` at which its requests are due, ascending, all below `duration_s`.

    `name` tells apart streams of one segment. A rate of 0 gives none.

    Poisson gaps are -ln(1 - u) / rate (inverse transform of the exponential); constant arrivals stand at
    (i + 1/2) / rate, so that segments that follow each other keep the rate.
    """
    if arrivals.rate_per_s <= 0:
        return np.empty(0, dtype=np.float64)
    if arrivals.kind is ArrivalKind.CONSTANT:
        times = (
            np.asarray(np.arange(int(duration_s * arrivals.rate_per_s) + 1) + 0.5, dtype=np.float64)
            / arrivals.rate_per_s
        )
        return times[times < duration_s]
    times = np.empty(0, dtype=np.float64)
    block, start = max(64, int(duration_s * arrivals.rate_per_s * 1.1)), 0
    while times.size == 0 or times[-1] < duration_s:
        gaps: NDArray[np.float64] = -np.log1p(-uniforms(seed, name, k, start, start + block)) / arrivals.rate_per_s
        times = np.concatenate([times, (times[-1] if times.size else 0.0) + np.cumsum(gaps)])
        start += block
    return times[times < duration_s]


def fingerprint(times: NDArray[np.float64]) -> str:
    """SHA-256 of arrival times rounded to whole microseconds: whoever derives them again can prove it did so alike."""
    return hashlib.sha256(np.round(times * 1e6).astype("<i8").tobytes()).hexdigest()
