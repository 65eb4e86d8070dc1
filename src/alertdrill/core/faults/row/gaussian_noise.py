"""Add Gaussian noise to numeric features."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault, Draws, Floats
from alertdrill.core.faults.shared.integers import fitted
from alertdrill.core.faults.shared.size import Size
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

_GRID = 2.0**20


class GaussianNoise(CellFault):
    """Add Gaussian noise to numeric features.

    What it does:
        Adds to every value of `features` in the touched requests an own draw from the normal distribution with mean 0
        and standard deviation `sd`. `1sd` is one standard deviation of the feature in the target's sample; a plain
        number is in the feature's own unit. Integers are rounded, halves away from zero, and move by at least 1. Nulls
        stay null. A feature that never varies in the sample needs a plain number: its standard deviation is 0.
    Why it matters:
        A worn sensor, an estimate in place of a measurement, a feature computed from less data. The mean stays where
        it was; what the feature tells the model fades.
    Should trigger:
        A drift alert on the shape of the distribution (bundled: FeatureDrift); how soon depends on `sd`. Noise much
        smaller than the feature's own spread triggers nothing, and alerts on the mean should stay quiet.
    Example:
        - {kind: gaussian_noise, features: [amount, distance_km], sd: 1sd, share: 100%}
    References:
        Rabanser, Guennemann, Lipton 2019, Failing Loudly (NeurIPS).
        Box, Muller 1958, A Note on the Generation of Random Normal Deviates (Annals of Mathematical Statistics 29:2).
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS
    has_dose: ClassVar[bool] = True

    kind: Literal["gaussian_noise"]
    sd: Size = Field(
        description="standard deviation of the noise: 1sd (that of the feature in the sample) or 12.5 (its own unit)"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Add noise, as strong as the dose says, to the touched values."""
        sd = context.dose * self.sd.absolute(context.spread_of_numbers.sd)
        values = column.values + sd * _standard_normal(context.draws)
        return column.with_values(context.touched, fitted(column.values, values, context.feature.kind))


def _standard_normal(draws: Draws) -> Floats:
    """Draws from the standard normal distribution, shape (n,), in steps of 2**-20 (Box and Muller 1958).

    The steps give the same bytes on machines whose logarithm and cosine differ in the last bit.
    """
    radius = np.sqrt(-2.0 * np.log1p(-draws("radius")))
    return np.asarray(np.rint(radius * np.cos(2.0 * np.pi * draws("angle")) * _GRID) / _GRID, dtype=np.float64)
