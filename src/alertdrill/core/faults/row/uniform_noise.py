"""Add uniform noise to numeric features."""

from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault
from alertdrill.core.faults.shared.integers import fitted
from alertdrill.core.faults.shared.size import Size
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class UniformNoise(CellFault):
    """Add uniform noise to numeric features.

    What it does:
        Adds to every value of `features` in the touched requests an own draw, uniform between -`width` and `width`.
        `1sd` is one standard deviation of the feature in the target's sample; a plain number is in the feature's own
        unit. Integers are rounded, halves away from zero, and move by at least 1. Nulls stay null. A feature that
        never varies in the sample needs a plain number: its standard deviation is 0.
    Why it matters:
        Values blurred on purpose, such as coordinates or amounts made private, or a meter that is right to within its
        tolerance only. Unlike Gaussian noise it is bounded, so that no value looks wrong by itself.
    Should trigger:
        A drift alert on the shape of the distribution (bundled: FeatureDrift); how soon depends on `width`. Noise much
        smaller than the feature's own spread triggers nothing, and alerts on the mean should stay quiet.
    Example:
        - {kind: uniform_noise, features: [distance_km], width: 1.5sd, share: 100%}
    References:
        Agrawal, Srikant 2000, Privacy-Preserving Data Mining (SIGMOD): value distortion.
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS
    has_dose: ClassVar[bool] = True

    kind: Literal["uniform_noise"]
    width: Size = Field(
        description="how far values move at most: 1.5sd (standard deviations of the sample) or 12.5 (their unit)"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Add noise, as wide as the dose says, to the touched values."""
        width = context.dose * self.width.absolute(context.spread_of_numbers.sd)
        values = column.values + width * (2.0 * context.draws("noise") - 1.0)
        return column.with_values(context.touched, fitted(column.values, values, context.feature.kind))
