"""Clip the values of numeric features, like a sensor at the end of its range."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault, Floats
from alertdrill.core.units import Share, format_share
from alertdrill.protocols.rows import Cell, Column
from alertdrill.protocols.schema import FeatureKind


class Saturation(CellFault):
    """Clip the values of numeric features, like a sensor at the end of its range.

    What it does:
        In the touched requests, values of `features` above the quantile `high` of the target's sample become that
        quantile, and values below the quantile `low` become that one; at least one of the two is needed. Both are
        values of the sample, so integers stay integers. Values in between cannot change; nulls stay null. A dose moves
        the quantiles from the ends of the sample to `high` and `low`.
    Why it matters:
        A sensor at its maximum, a field that is too narrow, a cap that somebody put into a query. Every single value is
        plausible, and the highest ones, which often decide, are gone.
    Should trigger:
        A drift alert with cells by quantile (bundled: FeatureDrift: the cell of the limit fills and those beyond it run
        dry). An alert on values out of range sees nothing: none is.
    Example:
        - {kind: saturation, features: [amount], high: 80%, share: 100%}
    References:
        Tobin 1958, Estimation of Relationships for Limited Dependent Variables (Econometrica 26:1).
        Hyndman, Fan 1996, Sample Quantiles in Statistical Packages (The American Statistician 50:4), definition 1.
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS
    has_dose: ClassVar[bool] = True

    kind: Literal["saturation"]
    high: Annotated[Share, Field(lt=1)] | None = Field(
        default=None, description="quantile of the sample to which higher values are cut, such as 80%", examples=["80%"]
    )
    low: Annotated[Share, Field(gt=0)] | None = Field(
        default=None, description="quantile of the sample to which lower values are raised, such as 5%", examples=["5%"]
    )

    @model_validator(mode="after")
    def _check_limits(self) -> "Saturation":
        if self.high is None and self.low is None:
            raise BadValue("high or low", "add high: 80%, or low: 5%", "neither high nor low")
        if self.high is not None and self.low is not None and self.low >= self.high:
            raise BadValue(f"a share below high, {format_share(self.high)}", "write a lower one", None, ("low",))
        return self

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Clip the touched values at the limits that the dose gives."""
        ordered = np.sort(context.sample.values[context.sample.cells == Cell.VALUE])
        if not len(ordered):
            return column
        values = column.values
        if self.high is not None:
            values = np.minimum(values, _quantiles(ordered, (1.0 - context.dose) + context.dose * self.high))
        if self.low is not None:
            values = np.maximum(values, _quantiles(ordered, context.dose * self.low))
        return column.with_values(context.touched & (context.dose > 0), values)


def _quantiles(ordered: Floats, shares: Floats) -> Floats:
    """The smallest values of an ascending sample, shape (m,), that `shares`, shape (n,), of it do not exceed; (n,)."""
    ranks = np.ceil(shares * len(ordered)).astype(np.int64)
    return np.asarray(ordered[np.maximum(ranks, 1) - 1], dtype=np.float64)
