"""Shift the values of numeric features by a constant."""

from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault
from alertdrill.core.faults.shared.integers import fitted
from alertdrill.core.units import Shift
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class MeanShift(CellFault):
    """Shift the values of numeric features by a constant.

    What it does:
        Adds `by` to every value of `features` in the touched requests. `1sd` is one standard deviation of the
        feature in the target's sample; a plain number is in the feature's own unit. Integers move by whole steps, at
        least one. Nulls stay null.
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

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS
    has_dose: ClassVar[bool] = True

    kind: Literal["mean_shift"]
    by: Shift = Field(description="how far: 1sd (standard deviations of the sample) or 12.5 (the feature's unit)")

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Add the shift, as far as the dose says, to the touched values."""
        shift = self.by.absolute(context.spread_of_numbers.sd)
        shifted = column.values + context.dose * shift
        return column.with_values(context.touched, fitted(column.values, shifted, context.feature.kind))
