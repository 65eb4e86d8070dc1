"""What is tolerated before an alert fires."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from alertdrill.alerting.burn_rate import FASTEST_BURN
from alertdrill.core.errors import BadValue
from alertdrill.core.units import DurationS, Share, format_share

LONGEST_LATENCY_S = 10.0


class Limits(BaseModel):
    """Thresholds of the rules, the same in both profiles unless said otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nulls: Share = Field(
        default=0.05, gt=0, lt=1, description="share of a feature's values that may be null or missing"
    )
    malformed: Share = Field(default=0.02, gt=0, lt=1, description="share of requests that may hold no row")
    errors: Share = Field(
        default=0.05, gt=0, lt=1, description="share of 5xx that may be answered in the drill profile"
    )
    latency: DurationS = Field(default=0.25, description="what one answer in twenty may exceed, such as 250ms")
    objective: Share = Field(
        default=0.999,
        lt=1,
        description="share of requests over 30 days that must not be answered 5xx; production profile",
    )

    @field_validator("latency")
    @classmethod
    def _measurable(cls, latency_s: float) -> float:
        """A quantile of the monitor's histogram never exceeds its highest finite bucket."""
        if 0 < latency_s < LONGEST_LATENCY_S:
            return latency_s
        raise BadValue("above 0 and below 10 s, the highest bucket of the monitor's histogram", "write 250ms, or 2s")

    @field_validator("objective")
    @classmethod
    def _can_burn(cls, objective: float) -> float:
        """An error budget of 1/14.4 or more cannot burn 14.4 times as fast as it should."""
        least = 1 - 1 / FASTEST_BURN
        if objective > least:
            return objective
        expected = (
            f"above {format_share(round(least, 4))}: a budget that large cannot burn {FASTEST_BURN:g} times too fast"
        )
        raise BadValue(expected, "write 99.9%, or 99%")

    @property
    def error_budget(self) -> float:
        """Share of requests over 30 days that may be answered 5xx."""
        return float(f"{1 - self.objective:.12g}")
