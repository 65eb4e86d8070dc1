"""Throw values of numeric features far off, up or down at random."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault
from alertdrill.core.faults.shared.integers import fitted
from alertdrill.core.faults.shared.size import Size
from alertdrill.core.units import ShiftBy
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class Outliers(CellFault):
    """Throw values of numeric features far off, up or down at random.

    What it does:
        Adds or subtracts `size`, with an even chance for each cell, to every value of `features` in the touched
        requests. `10sd` is ten standard deviations of the feature in the target's sample; a plain number is in the
        feature's own unit. Integers are rounded, halves away from zero, and move by at least 1. Nulls stay null. A
        feature that never varies in the sample needs a plain number: its standard deviation is 0.
    Why it matters:
        A flipped bit, two values run together, a sensor that was bumped. A few of them leave the median where it is,
        yet they pull sums, means and every model that extrapolates.
    Should trigger:
        A drift alert with cells beyond the sample's range (bundled: FeatureDrift, by its cells below and above), or an
        alert on values out of range. One that watches the mean may see nothing: up and down cancel.
    Example:
        - {kind: outliers, features: [amount], size: 10sd, share: 5%}
    References:
        Grubbs 1969, Procedures for Detecting Outlying Observations in Samples (Technometrics 11:1).
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS
    has_dose: ClassVar[bool] = True

    kind: Literal["outliers"]
    size: Size = Field(
        default=ShiftBy(10.0, in_sd=True),
        description="how far off: 10sd (standard deviations of the sample) or 5000 (the feature's unit)",
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Throw the touched values off, as far as the dose says."""
        size = context.dose * self.size.absolute(context.spread_of_numbers.sd)
        values = column.values + np.where(context.draws("sign") < 0.5, -size, size)
        return column.with_values(context.touched, fitted(column.values, values, context.feature.kind))
