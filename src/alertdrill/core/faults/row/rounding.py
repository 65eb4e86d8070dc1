"""Round the values of numeric features to a coarser step."""

from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault
from alertdrill.core.faults.shared.integers import half_away
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class Rounding(CellFault):
    """Round the values of numeric features to a coarser step.

    What it does:
        Replaces every value of `features` by the nearest multiple of `to` in the touched requests, halves away from
        zero: with a step of 1, 12.5 becomes 13 and -12.5 becomes -13. Integers are whole at the end, too. A value that
        is such a multiple cannot change, so a step of 1 leaves integers alone. Nulls stay null.
    Why it matters:
        A column that became an integer, a report in thousands, a display value fed back as data. The mean hardly moves
        and every type fits, while values that decided between two answers become the same.
    Should trigger:
        A drift alert on the feature, if the step is wide beside the cells that it counts in (bundled: FeatureDrift,
        with quantile cells). For cents cut off an amount, nothing does.
    Example:
        - {kind: rounding, features: [distance_km], to: 10, share: 100%}
    References:
        Widrow, Kollar 2008, Quantization Noise (Cambridge University Press).
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS

    kind: Literal["rounding"]
    to: float = Field(
        ge=1e-9, le=1e12, strict=True, description="the step: values become multiples of it, such as 10", examples=[10]
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Round the touched values."""
        step = Fraction(repr(self.to))  # the decimal as it is written: 3 steps of 0.1 are 0.3, not 0.30000000000000004
        values = half_away(column.values * step.denominator / step.numerator) * step.numerator / step.denominator
        if context.feature.kind is FeatureKind.INTEGER:
            values = half_away(values)
        return column.with_values(context.touched, values)
