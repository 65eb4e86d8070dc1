"""What several values of a setting would have done to recorded drills: models of `sweep` in `alertdrill/replay/v1`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.replay.outcome import Outcome
from alertdrill.core.result import Code


class _Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class SweptSetting(_Frozen):
    """A setting that takes several values."""

    key: str = Field(description="as it is written before the equals sign, such as FeatureNullRateHigh.for")
    unit: Literal["s", ""] = Field(description="of its values; empty: that of what a threshold is compared with")
    alert: str | None = Field(description="whose; null: that of all")


class SweptValue(_Frozen):
    """One value of a setting."""

    value: float | None = Field(description="null: as the rules have it, who differ in it")
    text: str = Field(description="as it is written")


class SweptExpectation(_Frozen):
    """One expectation under one combination of values."""

    id: str
    alert: str
    verdict: str
    outcome: Outcome
    ttd_s: float | None = Field(description="where it fired; null where it did not")
    code: Code | None = Field(description="why it is not detected")


class SweptRecording(_Frozen):
    """One recording under one combination of values."""

    folder: str
    verdict: str = Field(description="of the drill")
    expectations: tuple[SweptExpectation, ...]
    false_alarms: tuple[str, ...] = Field(description="the alerts with their labels, those that were there before too")
    notes: tuple[str, ...]


class Point(_Frozen):
    """One combination of values, over all recordings."""

    values: tuple[SweptValue, ...] = Field(description="in the order of the settings")
    as_written: bool = Field(description="whether the rules, and the recordings, have these values without --set")
    verdict: Literal["passed", "failed", "inconclusive"] = Field(description="what --fail-on makes of it")
    counts: dict[Outcome, int] = Field(description="against the same as all else")
    recordings: tuple[SweptRecording, ...]


class Sweep(_Frozen):
    """The same recordings and rules, once for every combination of some settings' values."""

    settings: tuple[SweptSetting, ...]
    points: tuple[Point, ...] = Field(description="in the order of the values; what is written comes where it fits")
