"""How strong a fault is over its phase: a factor from 0 to 1 of its share or its dose, by planned arrival time."""

from abc import abstractmethod
from enum import StrEnum
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.units import DurationS, PositiveDurationS, Share

Times = NDArray[np.float64]


class Scaled(StrEnum):
    """What a profile scales."""

    SHARE = "share"
    DOSE = "dose"


class Profile(BaseModel):
    """What every profile has. Outside its time the fault touches nothing, or has no dose."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    kind: str
    of: Scaled = Field(
        default=Scaled.SHARE,
        description="share: how many requests are touched; dose: how far each is changed, for faults with a size",
    )
    at: DurationS = Field(default=0.0, description="when it begins, from the start of the phase")

    def strength(self, at_s: Times) -> Times:
        """The factor at seconds `at_s` of the phase, shape (n,); from 0 to 1, shape (n,)."""
        since = at_s - self.at
        return np.asarray(np.where(since >= 0, self.shape(np.maximum(since, 0.0)), 0.0), dtype=np.float64)

    @abstractmethod
    def shape(self, since_s: Times) -> Times:
        """The factor by seconds since it began, shape (n,), none negative."""

    @property
    def full_at_s(self) -> float:
        """When it is first at its full strength, in seconds from the start of the phase."""
        return self.at + self.rise_s

    @property
    def rise_s(self) -> float:
        """Seconds from its beginning to its full strength."""
        return 0.0


class Step(Profile):
    """Nothing before `at`, everything from then on."""

    kind: Literal["step"]

    def shape(self, since_s: Times) -> Times:
        """1."""
        return np.ones_like(since_s)


class Ramp(Profile):
    """From nothing to everything in a straight line, and then on."""

    kind: Literal["ramp"]
    over: PositiveDurationS = Field(description="how long it takes to the full strength, such as 20s")

    def shape(self, since_s: Times) -> Times:
        """Since / over, at most 1."""
        return np.minimum(since_s / self.over, 1.0)

    @property
    def rise_s(self) -> float:
        """`over`."""
        return self.over


class Pulse(Profile):
    """Everything for a while, nothing before and after."""

    kind: Literal["pulse"]
    lasts: PositiveDurationS = Field(description="how long it lasts, such as 5s")

    def shape(self, since_s: Times) -> Times:
        """1 while it lasts, then 0."""
        return np.where(since_s < self.lasts, 1.0, 0.0)


class Recurring(Profile):
    """Pulses, one each period."""

    kind: Literal["recurring"]
    period: PositiveDurationS = Field(description="from the start of one pulse to the start of the next, such as 20s")
    duty: Annotated[Share, Field(gt=0)] = Field(default=0.5, description="share of each period that a pulse lasts")

    def shape(self, since_s: Times) -> Times:
        """1 in the first `duty` of each period, else 0."""
        return np.where(since_s % self.period < self.duty * self.period, 1.0, 0.0)


class Sine(Profile):
    """Waves: from nothing to everything and back, one each period."""

    kind: Literal["sine"]
    period: PositiveDurationS = Field(description="from one trough to the next, such as 30s")

    def shape(self, since_s: Times) -> Times:
        """(1 - cos(2 pi since / period)) / 2."""
        return np.asarray((1.0 - np.cos(2.0 * np.pi * since_s / self.period)) / 2.0, dtype=np.float64)

    @property
    def rise_s(self) -> float:
        """Half a period."""
        return self.period / 2


ProfileSpec = Annotated[Step | Ramp | Pulse | Recurring | Sine, Field(discriminator="kind")]
"""One profile, told apart by `kind`."""
