"""Shift the values of numeric features by a constant."""

from typing import Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import RowContext, RowFault
from alertdrill.core.units import Shift
from alertdrill.protocols.rows import Cell, Column, Rows


class MeanShift(RowFault):
    """Shift the values of numeric features by a constant.

    What it does:
        Adds `by` to every value of `features` in the touched requests. `1sd` is one standard deviation of the
        feature in the target's sample; a plain number is in the feature's own unit. Nulls stay null.
    Why it matters:
        The commonest drift: a price rise, a new customer segment, a sensor that was replaced. The service stays
        green while the model answers for a population that it was not trained on.
    Should trigger:
        A drift alert on the shifted feature (bundled: FeatureDrift).
    Example:
        - {kind: mean_shift, features: [amount], by: 1sd, share: 100%}
    References:
        Rabanser, Guennemann, Lipton 2019, Failing Loudly (NeurIPS); Shin, Ramdas, Rinaldo 2022, E-detectors.
    """

    kind: Literal["mean_shift"]
    by: Shift = Field(description="how far: 1sd (standard deviations of the sample) or 12.5 (the feature's unit)")

    def edit(self, rows: Rows, context: RowContext) -> Rows:
        """Add the shift to the touched values."""
        for name in self.features:
            column = rows.columns[name]
            shift = self.by.absolute(context.spreads[name].sd)
            where = context.touched & (column.cells == Cell.VALUE)
            rows = rows.with_column(
                name, Column(np.where(where, column.values + shift, column.values), column.cells, column.raw)
            )
        return rows
