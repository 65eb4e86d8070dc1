"""Rows as columns of cells, so that faults edit thousands at once and a null is not a missing key."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
        values: shape (n,); float64 for numbers and integers, object (str) for categories. Ignored where `cells`
            is not VALUE.
        cells: shape (n,), uint8: a `Cell` for each row.
        raw: row position (0 to n - 1) to the bytes written in its place, for the cells that are RAW.
    """

    values: NDArray[Any]
    cells: NDArray[np.uint8]
    raw: Mapping[int, bytes] = field(default_factory=dict)

    def with_cells(self, where: NDArray[np.bool_], cell: Cell) -> "Column":
        """A copy in which the rows of the boolean mask `where`, shape (n,), hold `cell`."""
        cells = self.cells.copy()
        cells[where] = cell
        return replace(self, cells=cells)


@dataclass(frozen=True)
class Rows:
    """n rows of a schema, as columns by feature name."""

    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).cells)

    def take(self, positions: NDArray[np.int64]) -> "Rows":
        """The rows at `positions`, repeats allowed, in that order. Raw cells are not carried (samples have none)."""
        return Rows({name: Column(c.values[positions], c.cells[positions]) for name, c in self.columns.items()})

    def with_column(self, name: str, column: Column) -> "Rows":
        """A copy with one column replaced."""
        return Rows({**self.columns, name: column})


def _parse(feature: Feature, texts: list[str]) -> Column:
    cells = np.array([Cell.VALUE if text else Cell.NULL for text in texts], dtype=np.uint8)
    if feature.kind is FeatureKind.CATEGORY:
        return Column(np.array(texts, dtype=object), cells)
    return Column(np.array([float(text) if text else np.nan for text in texts], dtype=np.float64), cells)


def parse_csv(text: str, schema: Schema) -> Rows:
    """Rows of a CSV text with a header of feature names; an empty field is a null.

    Raises:
        KeyError: a feature of the schema has no column.
        ValueError: a numeric field does not hold a number, or there is no row.
    """
    table = list(csv.reader(io.StringIO(text)))
    header, body = table[0], table[1:]
    if not body:
        raise ValueError("no rows")
    at = {name: position for position, name in enumerate(header)}
    return Rows({f.name: _parse(f, [row[at[f.name]] for row in body]) for f in schema.features})
