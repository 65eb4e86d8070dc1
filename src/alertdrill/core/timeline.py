"""When requests are due: arrival times of a segment, relative to its start."""

import hashlib
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from alertdrill.core.draws import uniform, uniforms
from alertdrill.core.rates import RateSpec
from alertdrill.core.recorded import Recorded, followed

Floats = NDArray[np.float64]


class ArrivalKind(StrEnum):
    """How arrivals are spread in time."""

    POISSON = "poisson"
    CONSTANT = "constant"
    RECORDED = "recorded"


class Arrivals(BaseModel):
    """The recipe for the arrivals of a segment."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    kind: ArrivalKind = Field(description="poisson (exponential gaps), constant (equal gaps) or recorded (a log's own)")
    rate_per_s: float = Field(ge=0, description="mean arrivals per second, what a profile changes left out")
    profile: RateSpec | None = Field(default=None, description="how the rate varies over the segment")
    recorded: Recorded | None = Field(default=None, description="the arrivals themselves, where a log has them")

    @model_validator(mode="after")
    def _check_recorded(self) -> "Arrivals":
        if (self.kind is ArrivalKind.RECORDED) != (self.recorded is not None):
            raise ValueError("recorded arrivals, and they alone, are in the plan one by one")
        return self

    def mean_per_s(self, duration_s: float) -> float:
        """Mean arrivals a second over the first `duration_s`, which are above 0."""
        if self.recorded is not None:
            return float((self.recorded.times() < duration_s).sum()) / duration_s
        if self.profile is None:
            return self.rate_per_s
        return self.rate_per_s * self.profile.plain_s(duration_s) / duration_s


def arrival_times(arrivals: Arrivals, seed: int, k: int, duration_s: float, name: str = "arrival") -> Floats:
    """Seconds from the start of segment `k` at which its requests are due, ascending, all below `duration_s`.

    `name` tells apart streams of one segment. A rate of 0 gives none.

    Poisson gaps are -ln(1 - u) / rate (inverse transform of the exponential); constant arrivals stand at
    (i + 1/2) / rate, so that segments that follow each other keep the rate. A profile changes the clock of both (see
    `rates`).
    """
    if arrivals.recorded is not None:
        times = arrivals.recorded.times()
        return times[times < duration_s]
    plain = _plain(arrivals.kind, arrivals.rate_per_s, seed, k, _plain_s(arrivals, duration_s), name)
    return _on_profile(plain, arrivals, duration_s)


def further_times(arrivals: Arrivals, factor: float, seed: int, k: int, duration_s: float, name: str) -> Floats:
    """Times of further arrivals, `factor` times as many as the load has at every instant, spread as its own are.

    Constant ones do not fall on the planned ones; beside recorded ones they are Poisson, as dense as these are.
    """
    if arrivals.recorded is not None:
        times = arrival_times(arrivals, seed, k, duration_s)
        return followed(times, _plain(ArrivalKind.POISSON, factor, seed, k, float(len(times)), name), duration_s)
    rate_per_s = factor * arrivals.rate_per_s
    plain = _plain(arrivals.kind, rate_per_s, seed, k, _plain_s(arrivals, duration_s), name)
    if arrivals.kind is ArrivalKind.CONSTANT and rate_per_s > 0:
        plain = np.maximum(plain + (uniform(seed, name, k, 0) - 0.5) / rate_per_s, 0.0)
    return _on_profile(plain, arrivals, duration_s)


def _plain_s(arrivals: Arrivals, duration_s: float) -> float:
    """How long a segment would last on the clock on which its rate is the plain one."""
    return duration_s if arrivals.profile is None else arrivals.profile.plain_s(duration_s)


def _on_profile(plain: Floats, arrivals: Arrivals, duration_s: float) -> Floats:
    if arrivals.profile is None:
        return plain
    times = arrivals.profile.inverse(plain, duration_s)
    return times[times < duration_s]


def _plain(kind: ArrivalKind, rate_per_s: float, seed: int, k: int, duration_s: float, name: str) -> Floats:
    """Arrivals of one rate, ascending, all below `duration_s`."""
    if rate_per_s <= 0 or duration_s <= 0:
        return np.empty(0, dtype=np.float64)
    if kind is ArrivalKind.CONSTANT:
        times = np.asarray(np.arange(int(duration_s * rate_per_s) + 1) + 0.5, dtype=np.float64) / rate_per_s
        return times[times < duration_s]
    times = np.empty(0, dtype=np.float64)
    block, start = max(64, int(duration_s * rate_per_s * 1.1)), 0
    while times.size == 0 or times[-1] < duration_s:
        gaps: Floats = -np.log1p(-uniforms(seed, name, k, start, start + block)) / rate_per_s
        times = np.concatenate([times, (times[-1] if times.size else 0.0) + np.cumsum(gaps)])
        start += block
    return times[times < duration_s]


def fingerprint(times: Floats) -> str:
    """SHA-256 of arrival times rounded to whole microseconds: whoever derives them again can prove it did so alike."""
    return hashlib.sha256(np.round(times * 1e6).astype("<i8").tobytes()).hexdigest()
