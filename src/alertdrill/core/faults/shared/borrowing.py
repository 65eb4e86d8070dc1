"""Put other cells in the place of touched ones, nulls included."""

from dataclasses import replace

import numpy as np

from alertdrill.core.faults.base import Mask
from alertdrill.protocols.rows import Cell, Column


def with_borrowed(column: Column, where: Mask, lender: Column) -> Column:
    """A copy in which the rows of the mask `where`, shape (n,), hold the cells of `lender`, also of n rows.

    Only values and nulls change hands: a missing key or raw bytes on either side are an earlier fault's doing, and
    keep their row as it is.
    """
    where = where & _travels(column) & _travels(lender)
    return replace(
        column,
        values=np.where(where, lender.values, column.values),
        cells=np.where(where, lender.cells, column.cells),
    )


def _travels(column: Column) -> Mask:
    return np.asarray((column.cells == Cell.VALUE) | (column.cells == Cell.NULL))
