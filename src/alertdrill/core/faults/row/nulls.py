"""Replace values by JSON null."""

from typing import Literal

from alertdrill.core.faults.base import CellContext, CellFault
from alertdrill.protocols.rows import Cell, Column


class Nulls(CellFault):
    """Replace values by JSON null.

    What it does:
        Writes `null` for every one of `features` in the touched requests; the key stays.
    Why it matters:
        A join that finds no partner, a form field made optional, an upstream job that ran late. Models that impute
        answer 200 and are quietly wrong; others answer 4xx or 5xx, by server and by model.
    Should trigger:
        A null-rate alert on the feature (bundled: FeatureNullRateHigh), and drift alerts that have a cell for nulls.
    Example:
        - {kind: nulls, features: [amount], share: 20%}
    References:
        Schelter, Rukat, Biessmann 2020, Learning to Validate the Predictions of Black Box Classifiers (SIGMOD).
    """

    kind: Literal["nulls"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Null the touched cells."""
        return column.with_cells(context.touched, Cell.NULL)
