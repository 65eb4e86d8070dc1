"""Rows as columns of cells, so that faults edit thousands at once and a null is not a missing key."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alertdrill.protocols.schema import Feature, FeatureKind, Schema


class Cell(IntEnum):
    """What stands in one cell of a request. Servers answer each of these differently."""

    VALUE = 0
    NULL = 1
    MISSING = 2  # the key is absent
    RAW = 3  # bytes written as they are: a NaN literal, a number as a string, anything


@dataclass(frozen=True)
class Column:
    """One feature of n rows.

    Attributes:
        values: shape (n,); float64 for numbers, integers and timestamps (seconds since the epoch), object (str) for
            categories. Ignored where `cells` is not VALUE.
        cells: shape (n,), uint8: a `Cell` for each row.
        raw: shape (n,), object: the bytes written where `cells` is RAW; None while there is no such cell.
    """

    values: NDArray[Any]
    cells: NDArray[np.uint8]
    raw: NDArray[np.object_] | None = None

    def take(self, positions: NDArray[np.int64]) -> "Column":
        """The cells at `positions`, repeats allowed, in that order."""
        raw = None if self.raw is None else self.raw[positions]
        return Column(self.values[positions], self.cells[positions], raw)

    def followed_by(self, other: "Column") -> "Column":
        """These cells and then those of `other`."""
        raw = None
        if self.raw is not None or other.raw is not None:
            parts = [np.full(len(c.cells), None, dtype=object) if c.raw is None else c.raw for c in (self, other)]
            raw = np.concatenate(parts)
        return Column(np.concatenate([self.values, other.values]), np.concatenate([self.cells, other.cells]), raw)

    def with_cells(self, where: NDArray[np.bool_], cell: Cell) -> "Column":
        """A copy in which the rows of the boolean mask `where`, shape (n,), hold `cell`."""
        cells = self.cells.copy()
        cells[where] = cell
        return replace(self, cells=cells)

    def with_values(self, where: NDArray[np.bool_], values: NDArray[Any]) -> "Column":
        """A copy in which the rows of the mask `where` that hold a value hold that of `values`, both shape (n,)."""
        where = where & (self.cells == Cell.VALUE)
        return replace(self, values=np.where(where, values, self.values))

    def with_raw(self, where: NDArray[np.bool_], texts: Sequence[bytes] | bytes) -> "Column":
        """A copy in which the rows of the mask `where` are written as `texts`: one for each of them, or one for all."""
        cells = self.cells.copy()
        cells[where] = Cell.RAW
        raw = np.full(len(cells), None, dtype=object) if self.raw is None else self.raw.copy()
        raw[where] = texts if isinstance(texts, bytes) else np.array([*texts, b""], dtype=object)[:-1]
        return replace(self, cells=cells, raw=raw)

    def having_value(self, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Shape (n,): the rows of the mask `where` that hold a value."""
        return np.asarray(where & (self.cells == Cell.VALUE))


@dataclass(frozen=True)
class Rows:
    """n rows of a schema, as columns by feature name.

    Attributes:
        columns: by feature.
        labels: shape (n,), object (str): the true label of each row, where a sample has them. Never sent.
    """

    columns: Mapping[str, Column]
    labels: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).cells)

    def take(self, positions: NDArray[np.int64]) -> "Rows":
        """The rows at `positions`, repeats allowed, in that order."""
        labels = None if self.labels is None else self.labels[positions]
        return Rows({name: column.take(positions) for name, column in self.columns.items()}, labels)

    def followed_by(self, other: "Rows") -> "Rows":
        """These rows and then those of `other`, without labels."""
        return Rows({name: column.followed_by(other.columns[name]) for name, column in self.columns.items()})

    def with_column(self, name: str, column: Column) -> "Rows":
        """A copy with one column replaced."""
        return replace(self, columns={**self.columns, name: column})


def _parse(feature: Feature, texts: list[str]) -> Column:
    cells = np.array([Cell.VALUE if text else Cell.NULL for text in texts], dtype=np.uint8)
    if feature.kind is FeatureKind.CATEGORY:
        return Column(np.array([*texts, None], dtype=object)[:-1], cells)
    if feature.kind is FeatureKind.TIMESTAMP:
        return Column(_epoch_s(texts), cells)
    return Column(np.array([float(text) if text else np.nan for text in texts], dtype=np.float64), cells)


def _epoch_s(texts: list[str]) -> NDArray[np.float64]:
    """Seconds since the epoch of ISO 8601 times in UTC, NaN for an empty text; shape (n,)."""
    moments = np.array([text.removesuffix("Z") or "NaT" for text in texts], dtype="datetime64[ms]")
    seconds = moments.astype(np.int64) / 1000.0
    return np.where(np.isnat(moments), np.nan, seconds)


def parse_csv(text: str, schema: Schema) -> Rows:
    """Rows of a CSV text with a header of feature names; an empty field is a null.

    Raises:
        KeyError: a feature of the schema, or its label, has no column.
        ValueError: a field does not hold what its feature's kind says, or there is no row.
    """
    table = list(csv.reader(io.StringIO(text)))
    header, body = table[0], table[1:]
    if not body:
        raise ValueError("no rows")
    at = {name: position for position, name in enumerate(header)}
    labels = None
    if schema.label is not None:
        labels = np.array([*(row[at[schema.label]] for row in body), None], dtype=object)[:-1]
    return Rows({f.name: _parse(f, [row[at[f.name]] for row in body]) for f in schema.features}, labels)
