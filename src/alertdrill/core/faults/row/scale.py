"""Multiply the values of numeric features by a factor."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault
from alertdrill.core.faults.shared.factors import other_than_1
from alertdrill.core.faults.shared.integers import fitted
from alertdrill.core.units import Factor
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class Scale(CellFault):
    """Multiply the values of numeric features by a factor.

    What it does:
        Multiplies every value of `features` by `factor` in the touched requests; a dose moves the factor from 1 to
        `factor`. Integers are rounded, halves away from zero, and move by at least 1. A 0 stays 0, nulls stay null.
    Why it matters:
        A slipped decimal point, inflation, a gain that was calibrated anew, a preprocessing step that ran twice or not
        at all. Ten times the amount is a number like any other: of five model servers asked with features ten times
        too large, all answered 200.
    Should trigger:
        A drift alert on the feature (bundled: FeatureDrift). No alert on errors or latency sees it.
    Example:
        - {kind: scale, features: [amount], factor: 10, share: 50%}
    References:
        Schelter, Rukat, Biessmann 2021, JENGA: A Framework to Study the Impact of Data Errors on the Predictions of
        Machine Learning Models (EDBT).
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS
    has_dose: ClassVar[bool] = True

    kind: Literal["scale"]
    factor: Annotated[Factor, other_than_1("10 or 0.5")] = Field(
        le=1e9, description="times the value, such as 10 or 0.5; at least 0, and not 1"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Multiply the touched values by as much of the factor as the dose says."""
        factor = (1.0 - context.dose) + context.dose * self.factor
        values = fitted(column.values, column.values * factor, context.feature.kind)
        return column.with_values(context.touched, values)
