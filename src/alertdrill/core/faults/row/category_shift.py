"""Replace categories by one that is known."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import CATEGORIES, CellContext, CellFault
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class CategoryShift(CellFault):
    """Replace categories by one that is known.

    What it does:
        Writes the category `to` for every one of `features` in the touched requests, so that its share grows from p to
        p + `share` (1 - p) and every other one shrinks in proportion. Where a row has it already it stays, and nulls
        stay null. With a text that the sample does not hold this is unseen_category.
    Why it matters:
        A campaign in one country, a new device on the shelves, a default that a form fills in. Every value is valid by
        itself; only their frequencies have left those that the model was trained on.
    Should trigger:
        A drift alert on the feature (bundled: FeatureDrift, by its cells of categories, on watched features).
    Example:
        - {kind: category_shift, features: [country], to: CZ, share: 30%}
    References:
        Moreno-Torres, Raeder, Alaiz-Rodriguez, Chawla, Herrera 2012, A Unifying View on Dataset Shift in
        Classification (Pattern Recognition 45:1).
    """

    edits: ClassVar[frozenset[FeatureKind]] = CATEGORIES

    kind: Literal["category_shift"]
    to: str = Field(min_length=1, description="the category that touched requests get, one of the sample, such as CZ")

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the category over the touched ones."""
        return column.with_values(context.touched, np.full(len(column.cells), self.to, dtype=object))
