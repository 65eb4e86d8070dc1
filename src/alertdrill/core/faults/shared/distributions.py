"""How long single delays are around a typical one: draws on [0, 1) turned into delays by inverse transform.

The inverse of a distribution function, applied to a uniform draw, has that distribution (Devroye 1986, Non-Uniform
Random Variate Generation, section II.2).
"""

import math
from abc import abstractmethod
from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.units import PositiveDurationS

_SMALLEST = 2.0**-53
_NORMAL = NormalDist()


def _inside(draw: float) -> float:
    """The draw in the open interval (0, 1), where every inverse is finite."""
    return min(max(draw, _SMALLEST), 1.0 - _SMALLEST)


def _standard_normal(draw: float) -> float:
    """Inverse of the standard normal distribution function (Wichura 1988, Algorithm AS 241, as in `statistics`)."""
    return _NORMAL.inv_cdf(_inside(draw))


class Distribution(BaseModel):
    """How delays vary."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    kind: str

    @abstractmethod
    def delay_s(self, typical_s: float, draw: float) -> float:
        """One delay in seconds; `typical_s` is what the scenario calls `delay`, `draw` is uniform on [0, 1)."""


class Fixed(Distribution):
    """Every delay is the same."""

    kind: Literal["fixed"]

    def delay_s(self, typical_s: float, draw: float) -> float:
        """The typical delay."""
        return typical_s


class Uniform(Distribution):
    """Every delay from `delay` - `jitter` to `delay` + `jitter` is as likely."""

    kind: Literal["uniform"]
    jitter: PositiveDurationS = Field(description="farthest from the typical delay, such as 100ms")

    def delay_s(self, typical_s: float, draw: float) -> float:
        """The typical delay + jitter (2 u - 1)."""
        return typical_s + self.jitter * (2.0 * draw - 1.0)


class Normal(Distribution):
    """Delays spread to both sides of their mean."""

    kind: Literal["normal"]
    jitter: PositiveDurationS = Field(description="standard deviation, such as 100ms")

    def delay_s(self, typical_s: float, draw: float) -> float:
        """The typical delay + jitter z, with z the standard normal quantile of the draw."""
        return typical_s + self.jitter * _standard_normal(draw)


class Lognormal(Distribution):
    """Half of the delays are shorter than `delay`, and a few much longer: the usual shape of response times."""

    kind: Literal["lognormal"]
    sigma: float = Field(
        gt=0, le=10, description="standard deviation of the delay's logarithm, such as 0.5: one in 20 takes 2.3 times"
    )

    def delay_s(self, typical_s: float, draw: float) -> float:
        """The typical delay, which is the median, times exp(sigma z) (Limpert, Stahel, Abbt 2001, BioScience 51:5)."""
        return typical_s * math.exp(self.sigma * _standard_normal(draw))


class Pareto(Distribution):
    """No delay is shorter than `delay`, and the long ones are very long."""

    kind: Literal["pareto"]
    alpha: float = Field(
        ge=0.1, le=1000, description="shape; the smaller, the longer the tail, such as 1.5: one in 20 takes 7 times"
    )

    def delay_s(self, typical_s: float, draw: float) -> float:
        """The typical delay, which is the minimum, times (1 - u)^(-1/alpha) (Devroye 1986, section II.2)."""
        return float(typical_s * (1.0 - _inside(draw)) ** (-1.0 / self.alpha))


DistributionSpec = Annotated[Fixed | Uniform | Normal | Lognormal | Pareto, Field(discriminator="kind")]
"""One distribution, told apart by `kind`."""
