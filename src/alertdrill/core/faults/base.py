"""What a fault is: one frozen model with its parameters, and one method for the unit that it touches.

Which requests it touches (share, seed), when (phase) and where (place) is the injection's business, never the fault's.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.units import Share
from alertdrill.protocols.rows import Rows


class Unit(StrEnum):
    """What a fault touches."""

    ROW = "row"
    BODY = "body"
    EXCHANGE = "exchange"
    ARRIVAL = "arrival"
    PROCESS = "process"
    LABEL = "label"


class Place(StrEnum):
    """Where on the wire an exchange fault acts: before the monitor, before the model, before its dependency."""

    EDGE = "edge"
    MODEL = "model"
    DEPENDENCY = "dependency"


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a numeric feature in the target's sample, nulls left out."""

    mean: float
    sd: float


@dataclass(frozen=True)
class RowContext:
    """What a row fault may know besides the rows.

    Attributes:
        touched: shape (n,); the rows that the injection chose.
        spreads: by numeric feature, its spread in the target's sample.
        draws: name to uniform draws on [0, 1), shape (n,), the same for the same request whatever the batch.
    """

    touched: NDArray[np.bool_]
    spreads: Mapping[str, Spread]
    draws: Callable[[str], NDArray[np.float64]]


class Fault(BaseModel):
    """What every fault has in a scenario file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: ClassVar[Unit]
    kind: str
    id: str | None = Field(default=None, description="name of this injection, for `expect.fault`; default: the kind")
    share: Share = Field(description="share of the requests touched, 20% or 0.2; a written 0 is a control")


class RowFault(Fault):
    """Edits rows before they are encoded."""

    unit: ClassVar[Unit] = Unit.ROW
    features: tuple[str, ...] = Field(min_length=1, description="names of the features to edit")

    @abstractmethod
    def edit(self, rows: Rows, context: RowContext) -> Rows:
        """The rows with the fault on those that `context.touched` marks; `rows` itself is left alone."""


class BodyFault(Fault):
    """Edits encoded bodies before they are sent."""

    unit: ClassVar[Unit] = Unit.BODY

    @abstractmethod
    def edit(self, body: bytes, draw: float) -> bytes:
        """The faulted body; `draw` is uniform on [0, 1) and this request's own."""


@dataclass(frozen=True)
class ExchangeEffect:
    """What happens to one exchange."""

    delay_s: float = 0.0


class ExchangeFault(Fault):
    """Holds, alters or cuts exchanges in the fault proxy."""

    unit: ClassVar[Unit] = Unit.EXCHANGE
    place: Place = Field(
        default=Place.MODEL,
        description="edge (before the monitor), model (between monitor and model) or dependency (behind the model)",
    )

    @abstractmethod
    def effect(self, draw: float) -> ExchangeEffect:
        """What to do to one exchange; `draw` is uniform on [0, 1) and this exchange's own."""
