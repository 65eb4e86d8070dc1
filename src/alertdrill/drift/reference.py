"""The cells of every watched feature of a schema, from a sample of normal rows."""

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.cells import CategoryCells, Cells, NumericCells
from alertdrill.protocols.json_rows import cell_value
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, Schema


def watched_cells(schema: Schema, rows: Rows) -> dict[str, Cells]:
    """The cells of every watched feature, in the schema's order.

    Raises:
        ValueError: no feature is watched, or one has no usable value in the reference.
    """
    watched = [feature for feature in schema.features if feature.watched]
    if not watched:
        raise ValueError("no feature of the schema is watched")
    return {feature.name: _cells(feature, rows.columns[feature.name]) for feature in watched}


def _cells(feature: Feature, column: Column) -> Cells:
    values = column.values[column.cells == Cell.VALUE]
    nulls, missing = (int(np.count_nonzero(column.cells == cell)) for cell in (Cell.NULL, Cell.MISSING))
    try:
        if feature.numeric:
            return NumericCells.from_reference(values.astype(np.float64), nulls, missing)
        return CategoryCells.from_reference(values, nulls, missing)
    except ValueError as error:
        raise ValueError(f"{feature.name}: {error}") from None


def place_column(cells: Cells, column: Column) -> NDArray[np.int64]:
    """Shape (n,): the cell of every row of a column; raw cells are read as the JSON that they are."""
    if isinstance(cells, NumericCells):
        placed = cells.place_numbers(column.values.astype(np.float64))
    else:
        placed = cells.place(column.values.tolist())
    placed = np.where(column.cells == Cell.NULL, cells.null, placed)
    placed = np.where(column.cells == Cell.MISSING, cells.missing, placed)
    if column.raw is not None:
        is_raw = column.cells == Cell.RAW
        texts = {text: cells.place_value(cell_value(text)) for text in set(column.raw[is_raw])}
        placed[is_raw] = [texts[text] for text in column.raw[is_raw]]
    return np.asarray(placed, dtype=np.int64)
