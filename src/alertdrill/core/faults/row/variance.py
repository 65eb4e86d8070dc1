"""Widen or narrow the spread of numeric features around their mean."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault
from alertdrill.core.faults.shared.factors import other_than_1
from alertdrill.core.faults.shared.integers import fitted
from alertdrill.core.units import Factor
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class Variance(CellFault):
    """Widen or narrow the spread of numeric features around their mean.

    What it does:
        Replaces every value x of `features` by mean + (x - mean) `factor` in the touched requests, with the mean of the
        target's sample: the mean stays, the standard deviation is multiplied by `factor`, and 0 sends the mean itself.
        A dose moves the factor from 1 to `factor`. Integers are rounded, halves away from zero; widened ones move by
        at least 1, narrowed ones only where that brings them nearer to the mean. A value at the mean stays; nulls stay
        null.
    Why it matters:
        A source that became erratic, or one that only sends averages. Alerts that watch means see nothing, and a model
        is wrong where it has seen little data.
    Should trigger:
        A drift alert on the shape of the distribution (bundled: FeatureDrift, by its outer cells when widened, its
        inner ones when narrowed). One that compares means should stay quiet.
    Example:
        - {kind: variance, features: [amount], factor: 3, share: 100%}
    References:
        Rabanser, Guennemann, Lipton 2019, Failing Loudly (NeurIPS).
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS
    has_dose: ClassVar[bool] = True

    kind: Literal["variance"]
    factor: Annotated[Factor, other_than_1("3 or 0.5")] = Field(
        le=1e9, description="times the standard deviation, such as 3 or 0.5; at least 0, and not 1"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Spread the touched values around the sample's mean by as much of the factor as the dose says."""
        mean, before = context.spread_of_numbers.mean, column.values
        factor = (1.0 - context.dose) + context.dose * self.factor
        values = fitted(before, mean + (before - mean) * factor, context.feature.kind)
        farther = np.abs(values - mean) > np.abs(before - mean)
        values = np.where((factor == 1) | ((factor < 1) & farther), before, values)
        return column.with_values(context.touched, values)
