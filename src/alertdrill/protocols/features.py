"""The inputs of a model and how their values are written."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from alertdrill.protocols.bad_value import BadValue


class FeatureKind(StrEnum):
    """How a feature's value is written in a request."""

    NUMBER = "number"
    INTEGER = "integer"
    CATEGORY = "category"
    TIMESTAMP = "timestamp"  # ISO 8601, UTC: 2026-11-22T20:46:15.000Z


_TEXTS = frozenset({"text", "string", "str"})
_NESTED = frozenset({"object", "array", "list", "dict", "struct", "nested"})


class Feature(BaseModel):
    """One input of the model."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    name: str = Field(description="name of the feature, as the request writes it")
    kind: FeatureKind = Field(description="number, integer, category or timestamp (ISO 8601, UTC)")
    watched: bool = Field(
        default=True,
        validate_default=True,
        description="whether the monitor keeps drift statistics of it; false for identifiers, always for timestamps",
    )

    @field_validator("kind", mode="before")
    @classmethod
    def _no_other_kind(cls, kind: object) -> object:
        """What others call their types, with what to write instead."""
        if isinstance(kind, str) and kind in _TEXTS:
            raise BadValue("category for texts", "write category, and watched: false for free text")
        if isinstance(kind, str) and kind in _NESTED:
            fix = "leave it out; what the model wants beside the row can stand in body of protocol json"
            raise BadValue("one value a feature, none with values inside", fix)
        return kind

    @field_validator("watched")
    @classmethod
    def _not_time(cls, watched: bool, info: ValidationInfo) -> bool:
        """Time goes on, which is no drift."""
        return watched and info.data.get("kind") is not FeatureKind.TIMESTAMP

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.kind in (FeatureKind.NUMBER, FeatureKind.INTEGER)
