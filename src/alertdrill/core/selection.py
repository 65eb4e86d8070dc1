"""Which requests of a share: a slice of the rows by their values, and selection at random or by rank.

At random (MCAR), by the rank of another feature (MAR), or by the rank of the very value that is broken (MNAR): Rubin
1976, Inference and Missing Data (Biometrika 63:3), applied to any fault, not to missing values alone.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from alertdrill.core.errors import BadValue
from alertdrill.core.units import ComparedWith, parse_comparison
from alertdrill.protocols.rows import Cell, Column, Rows

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

Wanted = ComparedWith | tuple[str | float, ...]


def _scalar(value: object) -> str | float:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 2**53:
        return value
    raise BadValue('a value, a list of values, or a comparison such as "> 100"', "write text, a number, or a list")


def _parse_wanted(value: object) -> Wanted:
    """What a feature must hold: values of which one must fit, or a comparison."""
    if isinstance(value, ComparedWith):
        return value
    if isinstance(value, str) and value.strip()[:1] in ("<", ">", "=", "!"):
        return parse_comparison(value)
    if isinstance(value, list | tuple):
        if not value:
            raise BadValue("at least one value", "add one, or remove the feature", "an empty list")
        return tuple(_scalar(one) for one in value)
    return (_scalar(value),)


def _as_written(wanted: Wanted) -> Any:
    return str(wanted) if isinstance(wanted, ComparedWith) else list(wanted)


Condition = Annotated[
    Wanted,
    PlainValidator(_parse_wanted),
    PlainSerializer(_as_written, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number"},
                {"type": "string"},
                {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "number"}]}, "minItems": 1},
            ],
            "examples": ["> 100", "RS", ["RS", "CZ"]],
        }
    ),
]
"""What a feature must hold: `RS`, `[RS, CZ]`, `12` or `"> 100"`."""


def _not_empty(where: dict[str, Condition]) -> dict[str, Condition]:
    if not where:
        raise BadValue("at least one feature", "add a feature and its value, or remove where", "an empty mapping")
    return where


Where = Annotated[dict[str, Condition], AfterValidator(_not_empty)]
"""Conditions by feature; all must hold. A null or a missing key meets none."""


def holds(condition: Wanted, column: Column) -> Mask:
    """Shape (n,): the rows of a column that meet a condition."""
    present = column.cells == Cell.VALUE
    if isinstance(condition, ComparedWith):
        met = np.zeros(len(present), dtype=bool)
        met[present] = [condition.holds(float(value)) for value in column.values[present].tolist()]
        return met
    if column.values.dtype.kind == "f":
        wanted = [value for value in condition if not isinstance(value, str)]
        return np.asarray(present & np.isin(column.values, wanted))
    texts = {value for value in condition if isinstance(value, str)}
    return np.asarray(present & np.fromiter((value in texts for value in column.values.tolist()), bool, len(present)))


def matching(where: Mapping[str, Wanted], rows: Rows) -> Mask:
    """Shape (n,): the rows that meet every condition."""
    met = np.ones(len(rows), dtype=bool)
    for name, condition in where.items():
        met &= holds(condition, rows.columns[name])
    return met


class Tail(StrEnum):
    """Which values are touched more often than others."""

    HIGH = "high"
    LOW = "low"


class _Select(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class AtRandom(_Select):
    """Missing completely at random (MCAR): every request alike."""

    kind: Literal["mcar"]


class ByOther(_Select):
    """Missing at random (MAR): the higher the value of another feature, the more often."""

    kind: Literal["mar"]
    feature: str = Field(description="numeric feature that decides")
    tail: Tail = Field(default=Tail.HIGH, description="high: high values are touched more often; low: low ones")


class ByItself(_Select):
    """Missing not at random (MNAR): the higher the value that is broken, the more often."""

    kind: Literal["mnar"]
    tail: Tail = Field(default=Tail.HIGH, description="high: high values are touched more often; low: low ones")


SelectSpec = Annotated[AtRandom | ByOther | ByItself, Field(discriminator="kind")]
"""How the touched requests are selected, told apart by `kind`."""


def ranks(column: Column, sample: Column, tail: Tail) -> Floats:
    """Shape (n,): the mid-rank of each value among the sample's values, in (0, 1); 1/2 where there is none.

    For values drawn from the sample the mean is 1/2 exactly.
    """
    ordered = np.sort(sample.values[sample.cells == Cell.VALUE])
    if not len(ordered):
        return np.full(len(column.cells), 0.5)
    below = np.searchsorted(ordered, column.values, side="left")
    at_most = np.searchsorted(ordered, column.values, side="right")
    rank = np.where(column.cells == Cell.VALUE, (below + at_most) / (2.0 * len(ordered)), 0.5)
    return np.asarray(rank if tail is Tail.HIGH else 1.0 - rank, dtype=np.float64)


def by_rank(share: Floats | float, rank: Floats) -> Floats:
    """Shape (n,): the probability of being touched, rising with the rank, `share` on average over all ranks.

    2 share rank up to one half, above it 1 - 2 (1 - share) (1 - rank): the lines through (1/2, share) that stay in
    [0, 1] and are the steepest that do.
    """
    low = 2.0 * np.minimum(share, 0.5) * rank
    high = 1.0 - 2.0 * (1.0 - np.maximum(share, 0.5)) * (1.0 - rank)
    return np.asarray(np.where(np.asarray(share) <= 0.5, low, high), dtype=np.float64)
