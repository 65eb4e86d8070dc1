"""What a fault is: one frozen model with its parameters, and one method for the unit that it touches.

Which requests it touches (share, slice, selection, seed), when (phase, profile) and where (place) is the injection's
business: a fault's method is told which, and never asks.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.halt import Halt
from alertdrill.core.profiles import ProfileSpec, Scaled
from alertdrill.core.selection import SelectSpec, Where
from alertdrill.core.units import Share
from alertdrill.protocols.forms import PLAIN, Form, Trait
from alertdrill.protocols.rows import Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Draws = Callable[[str], Floats]


class Unit(StrEnum):
    """What a fault touches."""

    ROW = "row"
    SAMPLE = "sample"
    BODY = "body"
    EXCHANGE = "exchange"
    ARRIVAL = "arrival"
    PROCESS = "process"
    LABEL = "label"


class Place(StrEnum):
    """Where an exchange fault acts: before the monitor, the model or its dependency, or inside the model's server."""

    EDGE = "edge"
    MODEL = "model"
    DEPENDENCY = "dependency"
    INSIDE = "inside"


ALL_FEATURES = "*"


def _parse_features(value: object) -> object:
    if value == "all":
        return (ALL_FEATURES,)
    if isinstance(value, str):
        raise BadValue("all, or a list of names and patterns", f"write [{value}]")
    return value


Features = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Field(min_length=1),
    BeforeValidator(_parse_features),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "all"},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ],
            "examples": [["amount"], ["amount_*"], "all"],
        }
    ),
]
"""Names of features, patterns (`amount_*`, `?`, `[ab]`), or `all`."""

EVERY_KIND = frozenset(FeatureKind)
NUMBERS = frozenset({FeatureKind.NUMBER, FeatureKind.INTEGER})
CATEGORIES = frozenset({FeatureKind.CATEGORY})
TIMES = frozenset({FeatureKind.TIMESTAMP})


class Fault(BaseModel):
    """What every fault has in a scenario file."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # built when a fault of the kind is read

    unit: ClassVar[Unit]
    has_dose: ClassVar[bool] = False  # whether it has a size that a profile `of: dose` can scale
    changes: ClassVar[bool] = True  # False for a control, which counts as touched what it leaves as it is
    own_load_only: ClassVar[str | None] = None  # why it cannot act on requests that users of a locustfile make
    needs: ClassVar[frozenset[Trait]] = frozenset()  # what a protocol must have, so that it can be sent

    kind: str
    id: str | None = Field(default=None, description="name of this injection, for `expect.fault`; default: the kind")
    share: Share = Field(description="share of the requests touched, 20% or 0.2; a written 0 is a control")
    profile: ProfileSpec | None = Field(
        default=None, description="how strong it is over the phase, such as {kind: ramp, over: 20s}; default: all along"
    )

    def unfit(self, schema: Schema) -> Iterator[BadValue]:
        """What of it does not fit a target, beside features that the target lacks; nothing by default."""
        yield from ()

    @model_validator(mode="after")
    def _check_dose(self) -> Self:
        if self.profile is not None and self.profile.of is Scaled.DOSE and not self.has_dose:
            expected = f"share, as {self.kind} has no size that could grow"
            raise BadValue(expected, "write of: share, or remove it", "dose", ("profile", "of"))
        return self


class SlicedFault(Fault):
    """A fault that can keep to one slice of the requests, by what their rows hold."""

    where: Where | None = Field(
        default=None,
        description='conditions by feature, such as {country: [RS, CZ], amount: "> 100"}: only requests that meet all '
        "of them, and `share` counts these",
    )
    select: SelectSpec | None = Field(
        default=None,
        description="which of them: {kind: mcar} (default) at random, {kind: mar, feature: F} more often where F is "
        "high, {kind: mnar} more often where the broken value itself is high",
    )


@dataclass(frozen=True)
class Spread:
    """A numeric feature in the target's sample, nulls left out: mean, standard deviation (n - 1) and range."""

    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True)
class Timeline:
    """The requests of the segment that a batch belongs to.

    Attributes:
        index: shape (n,); global index i of each request of the batch.
        at: shape (n,); when each is due, seconds from the start of the phase.
        index_at: seconds from the start of the phase, any shape, to the index of the newest request due by then; 0
            before the first.
    """

    index: Indices
    at: Floats
    index_at: Callable[[Floats], Indices]


@dataclass(frozen=True)
class CellContext:
    """What a cell fault may know besides the column that it edits.

    Attributes:
        feature: name and kind of the column.
        touched: shape (n,); the cells that the injection chose.
        dose: shape (n,); how far to go, from 0 to 1; 1 unless a profile scales the dose.
        spread: of the feature in the sample; None for categories and timestamps.
        sample: the feature's column in the target's sample.
        timeline: the requests around these.
        draws: name to uniform draws on [0, 1), shape (n,): the same for the same cell whatever the batch.
        clean: indices of requests of the segment, shape (m,), to the feature as it was drawn for them, shape (m,).
    """

    feature: Feature
    touched: Mask
    dose: Floats
    spread: Spread | None
    sample: Column
    timeline: Timeline
    draws: Draws
    clean: Callable[[Indices], Column]

    @property
    def spread_of_numbers(self) -> Spread:
        """The spread, for a fault that is for numeric features alone."""
        assert self.spread is not None, f"{self.feature.name} is not numeric"
        return self.spread


@dataclass(frozen=True)
class RowContext:
    """What a row fault may know besides the rows: the context of each feature that it edits, by name, in order."""

    cells: Mapping[str, CellContext]


class RowFault(SlicedFault):
    """Edits rows before they are encoded."""

    unit: ClassVar[Unit] = Unit.ROW
    edits: ClassVar[frozenset[FeatureKind]] = EVERY_KIND  # the kinds of features that it can edit

    features: Features = Field(description="names of the features to edit, patterns such as amount_*, or all")
    of: Literal["requests", "cells"] = Field(
        default="requests",
        description="what `share` counts: requests, all their features touched together, or cells, each on its own",
    )

    @abstractmethod
    def edit(self, rows: Rows, context: RowContext) -> Rows:
        """The rows with the fault on the cells that `context` marks; `rows` itself is left alone."""


class CellFault(RowFault):
    """A row fault that edits each feature by itself."""

    @abstractmethod
    def edit_column(self, column: Column, context: CellContext) -> Column:
        """The column with the fault on the cells that `context.touched` marks; `column` itself is left alone."""

    def edit(self, rows: Rows, context: RowContext) -> Rows:
        """Edit one feature after the other."""
        for name, cells in context.cells.items():
            rows = rows.with_column(name, self.edit_column(rows.columns[name], cells))
        return rows


@dataclass(frozen=True)
class SampleContext:
    """What a sample fault may know besides the positions.

    Attributes:
        touched: shape (n,); the requests that the injection chose.
        sample: the rows that requests are drawn from, true labels included where the target has them.
        timeline: the requests around these.
        draws: name to uniform draws on [0, 1), shape (n,): the same for the same request whatever the batch.
        clean: indices of requests of the segment, shape (m,), to the positions drawn for them, shape (m,).
        pool: a search of the sample for positions, ascending, shape (m,), to what it found; done once a drill, not
            once a batch.
    """

    touched: Mask
    sample: Rows
    timeline: Timeline
    draws: Draws
    clean: Callable[[Indices], Indices]
    pool: Callable[[Callable[[Rows], Indices]], Indices]

    def drawn_from(self, pool: Indices) -> Indices:
        """A position of the pool for each request, shape (n,); the pool must not be empty."""
        return pool[(self.draws("redraw") * len(pool)).astype(np.int64)]


class SampleFault(SlicedFault):
    """Chooses which rows of the sample come."""

    unit: ClassVar[Unit] = Unit.SAMPLE
    own_load_only: ClassVar[str | None] = "it chooses rows of the sample, and the users bring their own"

    @abstractmethod
    def choose(self, positions: Indices, context: SampleContext) -> Indices:
        """Positions in the sample, shape (n,), with those of the touched requests changed; the input is left alone."""


@dataclass(frozen=True)
class Body:
    """An encoded request body, what its header says that it is, and how its row is written."""

    data: bytes
    content_type: str
    form: Form = PLAIN


class BodyFault(SlicedFault):
    """Edits encoded bodies before they are sent."""

    unit: ClassVar[Unit] = Unit.BODY

    @abstractmethod
    def edit(self, body: Body, draw: float) -> Body:
        """The faulted body; `draw` is uniform on [0, 1) and this request's own."""


class Cut(StrEnum):
    """How an exchange ends without an answer."""

    RESET = "reset"  # the client's connection is reset at once
    SILENCE = "silence"  # nothing ever comes, until the client gives up


@dataclass(frozen=True)
class Answer:
    """An answer that the fault proxy gives in the server's place."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


@dataclass(frozen=True)
class ExchangeEffect:
    """What happens to one exchange. What is left at its default does not happen.

    Attributes:
        delay_s: the whole request is held so long before anything else happens to it.
        upload_s: the request's head is passed on at once, its body spread over so long.
        answer: given instead of passing the request on.
        cut: the request is not passed on, and the exchange ends so.
        replay: the first whole answer that an untouched exchange of this drill got is given again; while there is
            none yet, nothing happens.
        edit: body of the answer to the body that the client gets, of the same length.
        kept: share of the answer's body that is passed back before the connection is cut.
        download_s: the answer's body is spread over so long.
    """

    delay_s: float = 0.0
    upload_s: float = 0.0
    answer: Answer | None = None
    cut: Cut | None = None
    replay: bool = False
    edit: Callable[[bytes], bytes] | None = None
    kept: float | None = None
    download_s: float = 0.0


class ExchangeFault(SlicedFault):
    """Holds, alters or cuts exchanges in the fault proxy."""

    unit: ClassVar[Unit] = Unit.EXCHANGE
    place: Place = Field(
        default=Place.MODEL,
        description="edge (before the monitor), model (between monitor and model), dependency (behind the model) or "
        "inside (in the model's own ASGI app, by middleware)",
    )

    @abstractmethod
    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """What to do to one exchange; `draw` is uniform on [0, 1) and its own, `dose` is from 0 to 1."""


@dataclass(frozen=True)
class ArrivalContext:
    """What an arrival fault may know besides the planned arrivals.

    Attributes:
        touched: shape (n,); the arrivals that the injection chose.
        duration_s: how long the phase lasts at most.
        more: name and factor to the times of further arrivals, that many times those of the load at every instant,
            spread as its own are, shape (m,).
        draws: name and count n to uniform draws on [0, 1), shape (n,).
        share: seconds from the start of the phase, shape (m,), to share x profile there, from 0 to 1, shape (m,).
        dose: the same for how far to go there.
    """

    touched: Mask
    duration_s: float
    more: Callable[[str, float], Floats]
    draws: Callable[[str, int], Floats]
    share: Callable[[Floats], Floats]
    dose: Callable[[Floats], Floats]


@dataclass(frozen=True)
class Change:
    """What an arrival fault does to the planned arrivals.

    Attributes:
        lost: shape (n,); planned arrivals that are not sent.
        at: shape (m,); when further requests are due, seconds from the start of the phase.
        repeats: shape (m,); the planned arrival whose body each further one repeats, -1 for a fresh one.
    """

    lost: Mask
    at: Floats
    repeats: Indices


class ArrivalFault(Fault):
    """Edits the schedule."""

    unit: ClassVar[Unit] = Unit.ARRIVAL

    @abstractmethod
    def change(self, at: Floats, context: ArrivalContext) -> Change:
        """What happens to the arrivals planned at `at`, seconds from the start of the phase, ascending, shape (n,)."""


class ProcessFault(Fault):
    """Stops or ends the processes of a target that alertdrill started."""

    unit: ClassVar[Unit] = Unit.PROCESS

    share: Share = Field(
        default=1.0, description="100%, as a process runs or does not; a written 0 is a control, which leaves it alone"
    )
    profile: ProfileSpec | None = Field(default=None, description="none, as it begins and ends with its phase")

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if self.share not in (0.0, 1.0):
            raise BadValue("100%, or 0 for a control, as a process runs or does not", "remove it", None, ("share",))
        if self.profile is not None:
            expected = f"no profile, as {self.kind} begins and ends with its phase"
            raise BadValue(expected, "remove it", "a profile", ("profile",))
        return self

    @abstractmethod
    def halt(self) -> Halt:
        """What to do to the processes."""
