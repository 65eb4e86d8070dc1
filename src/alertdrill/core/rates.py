"""How the rate of the load varies from the start of a phase: a factor of it at every instant, and its integral.

Arrivals are made by inversion (Cinlar 1975, Introduction to Stochastic Processes, chapter 4; Lewis and Shedler 1979,
Simulation of Nonhomogeneous Poisson Processes by Thinning): with L(t) the integral of the factor from 0 to t, arrivals
of the plain rate at u_i become arrivals at the varying one at L^-1(u_i), Poisson or constant alike.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.units import DurationS, Factor, PositiveDurationS, Share, format_duration

Floats = NDArray[np.float64]

HALVINGS = 64
"""A bisection halves the duration so often: what is left of it is below the resolution of a double."""


class Rate(BaseModel):
    """What every rate profile has: times are in seconds from the start of the phase."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", serialize_by_alias=True)

    kind: str

    @abstractmethod
    def factors(self, at_s: Floats) -> Floats:
        """The factor of the rate at each instant, from 0; both shape (n,)."""

    @abstractmethod
    def integral(self, at_s: Floats) -> Floats:
        """L: the integral of the factor from 0 to each instant, in seconds of the plain rate; both shape (n,)."""

    @abstractmethod
    def highest(self, duration_s: float) -> float:
        """The least upper bound of the factor in the first `duration_s`."""

    def plain_s(self, duration_s: float) -> float:
        """L at the end of `duration_s`: how long the plain rate takes to as many arrivals."""
        return float(self.integral(np.array([duration_s]))[0])

    def inverse(self, plain_s: Floats, duration_s: float) -> Floats:
        """L^-1: the first instant after which L exceeds each of `plain_s`, up to `duration_s`; both shape (n,).

        By bisection, exact to a double. Where the factor is 0 for a while that is the end of it.
        """
        low, high = np.zeros(len(plain_s)), np.full(len(plain_s), float(duration_s))
        for _ in range(HALVINGS):
            middle = (low + high) / 2.0
            beyond = self.integral(middle) > plain_s
            high = np.where(beyond, middle, high)
            low = np.where(beyond, low, middle)
        return high


class Piece(NamedTuple):
    """A stretch over which the factor is a straight line: its start, its factor there and its rise per second."""

    start_s: float
    factor: float
    slope: float = 0.0


class _Pieces(Rate):
    """A factor made of straight lines."""

    @abstractmethod
    def pieces(self) -> Sequence[Piece]:
        """The lines, ascending by start, the first from 0; each ends where the next begins, the last never."""

    def factors(self, at_s: Floats) -> Floats:
        """Of the line that each instant lies on."""
        start_s, factor, slope = np.array(self.pieces()).T
        on = np.searchsorted(start_s, at_s, side="right") - 1
        return np.asarray(factor[on] + slope[on] * (at_s - start_s[on]), dtype=np.float64)

    def integral(self, at_s: Floats) -> Floats:
        """Areas of the lines before, and of the part of the line that each instant lies on."""
        start_s, factor, slope = np.array(self.pieces()).T
        lasts_s = np.diff(start_s)
        before = np.concatenate([[0.0], np.cumsum(lasts_s * (factor[:-1] + slope[:-1] * lasts_s / 2.0))])
        on = np.searchsorted(start_s, at_s, side="right") - 1
        since_s = at_s - start_s[on]
        return np.asarray(before[on] + since_s * (factor[on] + slope[on] * since_s / 2.0), dtype=np.float64)

    def highest(self, duration_s: float) -> float:
        """The highest end of a line that begins in time."""
        pieces = [one for one in self.pieces() if one.start_s < duration_s]
        ends_s = [*(one.start_s for one in pieces[1:]), duration_s]
        return max(
            max(one.factor, one.factor + one.slope * (end_s - one.start_s))
            for one, end_s in zip(pieces, ends_s, strict=True)
        )


def _after_plain(*pieces: Piece) -> tuple[Piece, ...]:
    """The pieces, with the plain rate before the first of them."""
    return pieces if pieces[0].start_s == 0 else (Piece(0.0, 1.0), *pieces)


class Step(BaseModel):
    """A factor from an instant on."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    at: DurationS = Field(description="when it begins, from the start of the phase, such as 10s")
    factor: Factor = Field(description="times the rate from then on: 3 is a surge, 0 no traffic")


class Steps(_Pieces):
    """One factor after the other; the plain rate before the first."""

    kind: Literal["steps"]
    steps: tuple[Step, ...] = Field(
        min_length=1,
        description="in ascending order of `at`, such as [{at: 10s, factor: 3}, {at: 20s, factor: 1}]",
        examples=["[{at: 10s, factor: 3}]"],
    )

    @model_validator(mode="after")
    def _check_order(self) -> "Steps":
        for position, (before, after) in enumerate(zip(self.steps, self.steps[1:], strict=False), 1):
            if after.at <= before.at:
                expected = f"a later time than {format_duration(before.at)}, that of the step before"
                raise BadValue(expected, "order the steps by at", None, ("steps", position, "at"))
        return self

    def pieces(self) -> tuple[Piece, ...]:
        """One for each step."""
        return _after_plain(*(Piece(step.at, step.factor) for step in self.steps))


class Ramp(_Pieces):
    """From one factor to another in a straight line: `from` until it begins, `to` when it is over."""

    kind: Literal["ramp"]
    from_: Factor = Field(default=1.0, alias="from", description="times the rate before and when it begins")
    to: Factor = Field(description="times the rate at its end and after it, such as 3")
    at: DurationS = Field(default=0.0, description="when it begins, from the start of the phase")
    over: PositiveDurationS = Field(description="how long it takes, such as 20s")

    def pieces(self) -> tuple[Piece, ...]:
        """Flat, rising or falling, flat."""
        rising = Piece(self.at, self.from_, (self.to - self.from_) / self.over)
        flat = (Piece(0.0, self.from_),) if self.at else ()
        return (*flat, rising, Piece(self.at + self.over, self.to))


class Surge(_Pieces):
    """More traffic for a while, the plain rate before and after."""

    kind: Literal["surge"]
    at: DurationS = Field(default=0.0, description="when it begins, from the start of the phase")
    for_: PositiveDurationS = Field(alias="for", description="how long it lasts, such as 10s")
    factor: Annotated[Factor, Field(gt=1)] = Field(description="times the rate meanwhile, above 1, such as 5")

    def pieces(self) -> tuple[Piece, ...]:
        """Plain, high, plain."""
        return _after_plain(Piece(self.at, self.factor), Piece(self.at + self.for_, 1.0))


class Pause(_Pieces):
    """No traffic for a while, the plain rate before and after."""

    kind: Literal["pause"]
    at: DurationS = Field(default=0.0, description="when it begins, from the start of the phase")
    for_: PositiveDurationS = Field(alias="for", description="how long it lasts, such as 10s")

    def pieces(self) -> tuple[Piece, ...]:
        """Plain, nothing, plain."""
        return _after_plain(Piece(self.at, 0.0), Piece(self.at + self.for_, 1.0))


class Sine(Rate):
    """Waves around the plain rate, such as those of a day: 1 + amplitude cos(2 pi (t - peak_at) / period)."""

    kind: Literal["sine"]
    period: PositiveDurationS = Field(description="from one peak to the next, such as 24h")
    amplitude: Share = Field(description="how far it swings to both sides, as a share of the rate, such as 50%")
    peak_at: DurationS = Field(default=0.0, description="when the rate is highest, from the start of the phase")

    @property
    def _turn(self) -> float:
        return 2.0 * np.pi / self.period

    def factors(self, at_s: Floats) -> Floats:
        """The wave."""
        return np.asarray(1.0 + self.amplitude * np.cos(self._turn * (at_s - self.peak_at)), dtype=np.float64)

    def integral(self, at_s: Floats) -> Floats:
        """The wave's antiderivative, 0 at 0."""
        swing = np.sin(self._turn * (at_s - self.peak_at)) + np.sin(self._turn * self.peak_at)
        return np.asarray(at_s + self.amplitude / self._turn * swing, dtype=np.float64)

    def highest(self, duration_s: float) -> float:
        """That of a peak in time, else of one of the ends."""
        if self.peak_at % self.period < duration_s:
            return 1.0 + self.amplitude
        return float(self.factors(np.array([0.0, duration_s])).max())


RateSpec = Annotated[Steps | Ramp | Sine | Surge | Pause, Field(discriminator="kind")]
"""One rate profile, told apart by `kind`."""
