"""What a target takes: its features, their types and where to send them."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class FeatureKind(StrEnum):
    """How a feature's value is written in a request."""

    NUMBER = "number"
    INTEGER = "integer"
    CATEGORY = "category"
    TIMESTAMP = "timestamp"  # ISO 8601, UTC: 2026-11-22T20:46:15.000Z


class Feature(BaseModel):
    """One input of the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="name of the feature, as the request writes it")
    kind: FeatureKind = Field(description="number, integer, category or timestamp (ISO 8601, UTC)")
    watched: bool = Field(
        default=True,
        validate_default=True,
        description="whether the monitor keeps drift statistics of it; false for identifiers, always for timestamps",
    )

    @field_validator("watched")
    @classmethod
    def _not_time(cls, watched: bool, info: ValidationInfo) -> bool:
        """Time goes on, which is no drift."""
        return watched and info.data.get("kind") is not FeatureKind.TIMESTAMP

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.kind in (FeatureKind.NUMBER, FeatureKind.INTEGER)


class Schema(BaseModel):
    """The features of a model, in the order in which requests write them, and the address of the endpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: str = Field(default="json", description="how requests and answers are written")
    path: str = Field(default="/predict", description="path of the endpoint that predicts")
    features: tuple[Feature, ...] = Field(min_length=1, description="the inputs of the model, in order")
    label: str | None = Field(
        default=None, description="column of the sample that holds the true label of a row; never sent"
    )

    @property
    def has_watched_numbers(self) -> bool:
        """Whether there are features of which the monitor keeps means."""
        return any(feature.watched and feature.numeric for feature in self.features)

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(feature.name for feature in self.features)
