"""Repeat one value of a feature forever."""

from typing import Literal

import numpy as np

from alertdrill.core.faults.base import CellContext, CellFault
from alertdrill.protocols.rows import Cell, Column


class FrozenFeature(CellFault):
    """Repeat one value of a feature forever.

    What it does:
        Writes the value that the first request of the phase was drawn with for every one of `features` in the touched
        requests. If that one has a null, the first value of the sample is repeated instead. Nulls stay null. A request
        that holds the same value already does not change.
    Why it matters:
        A sensor that is stuck, a variable computed once at start, a cache without an end. The value is valid and once
        was right, so no check of single rows finds it.
    Should trigger:
        A drift alert on the feature: all values fall into one cell (bundled: FeatureDrift, on watched features). An
        alert on the mean alone stays quiet when the value is near it.
    Example:
        - {kind: frozen_feature, features: [amount], share: 100%}
    References:
        Ni et al. 2009, Sensor Network Data Fault Types (ACM TOSN 5:3): stuck-at faults.
    """

    kind: Literal["frozen_feature"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the one value over the touched ones."""
        held = context.clean(np.zeros(1, dtype=np.int64))
        if held.cells[0] != Cell.VALUE:
            held = context.sample.take((context.sample.cells == Cell.VALUE).nonzero()[0][:1])
        if not len(held.values):
            return column
        return column.with_values(context.touched, np.full_like(column.values, held.values[0]))
