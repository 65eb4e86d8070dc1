"""Write a number that stands for "unknown", such as -999."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import CATEGORIES, NUMBERS, CellContext, CellFault
from alertdrill.protocols.rows import Cell, Column
from alertdrill.protocols.schema import FeatureKind


class Sentinel(CellFault):
    """Write a number that stands for "unknown", such as -999.

    What it does:
        Writes `value` for `features` in the touched requests, over values and nulls alike. Integers get it without
        decimals, categories as text: "-999". A key that is absent stays absent; a cell that holds the very value
        cannot change.
    Why it matters:
        A source without a word for "unknown" writes a number that nobody would take for a real one, and the model
        takes it for a real one: a recommender reads -999 in place of an unknown taste as the strongest dislike that it
        has ever seen. The type fits, nothing is null, and every answer is 200.
    Should trigger:
        A drift alert on the feature (bundled: FeatureDrift, by its cells below, above or unseen). Not
        FeatureNullRateHigh: it falls, if anything.
    Example:
        - {kind: sentinel, features: [amount, hour, device], value: -999, share: 5%}
    References:
        Pearson 2006, The Problem of Disguised Missing Data (SIGKDD Explorations 8:1).
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS | CATEGORIES

    kind: Literal["sentinel"]
    value: float = Field(
        default=-999.0,
        strict=True,
        allow_inf_nan=False,
        description="the number written, such as -999, -1 or 9999",
        examples=[-999],
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the sentinel over the touched values and nulls."""
        where = context.touched & np.isin(column.cells, (Cell.VALUE, Cell.NULL))
        text = np.format_float_positional(self.value, trim="-")
        written = text if context.feature.kind is FeatureKind.CATEGORY else self.value
        values = np.full(len(where), written, dtype=column.values.dtype)
        return column.with_cells(where, Cell.VALUE).with_values(where, values)
