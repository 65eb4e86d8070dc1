"""Write values beyond the range that the sample has."""

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault, Spread
from alertdrill.core.units import Share
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class OutOfRange(CellFault):
    """Write values beyond the range that the sample has.

    What it does:
        Replaces every value of `features` in the touched requests by one that lies above the highest value of the
        target's sample, or below the lowest, by the part `by` of the distance between the two: for a sample from 0 to
        200, 10% above is 220. For a feature that never varies the distance is its own size, or 1 if it is 0. Integers
        go to the next whole number outwards. What is written is always strictly outside, and the same for every cell.
        Nulls stay null.
    Why it matters:
        An hour of 24, an age of 200, an amount below zero: a broken parser, a new client, a limit that was lifted and
        that nobody told the model's team about. Models answer all the same, from where no data ever was.
    Should trigger:
        A drift alert with cells beyond the sample's range (bundled: FeatureDrift, by its cells below and above), or an
        alert on values out of range.
    Example:
        - {kind: out_of_range, features: [hour], side: above, by: 10%, share: 10%}
    References:
        Breck, Polyzotis, Roy, Whang, Zinkevich 2019, Data Validation for Machine Learning (MLSys).
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS

    kind: Literal["out_of_range"]
    side: Literal["above", "below"] = Field(
        default="above", description="above (the highest value of the sample) or below (the lowest)"
    )
    by: Share = Field(default=0.1, gt=0, description="how far beyond, as a part of the sample's range, such as 10%")

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the value outside over the touched values."""
        outside = self._outside(context.spread_of_numbers, context.feature.kind)
        return column.with_values(context.touched, np.full(len(column.values), outside))

    def _outside(self, spread: Spread, kind: FeatureKind) -> float:
        sign, edge = (1.0, spread.high) if self.side == "above" else (-1.0, -spread.low)
        width = spread.high - spread.low or abs(spread.high) or 1.0
        # One float farther at least, should the sum round back to the edge.
        outside = max(edge + self.by * width, math.nextafter(edge, math.inf))
        return sign * (math.ceil(outside) if kind is FeatureKind.INTEGER else outside) + 0.0  # which makes -0.0 a 0.0
