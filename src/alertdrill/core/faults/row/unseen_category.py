"""Replace categories by one that the sample does not hold."""

from collections.abc import Set
from itertools import count
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import CATEGORIES, CellContext, CellFault
from alertdrill.protocols.rows import Cell, Column
from alertdrill.protocols.schema import FeatureKind


class UnseenCategory(CellFault):
    """Replace categories by one that the sample does not hold.

    What it does:
        Writes `text` for every one of `features` in the touched requests. If the sample holds that text, the first of
        `text`-2, `text`-3 and so on that it does not hold is written instead. Nulls stay null.
    Why it matters:
        A new country, a renamed plan, a code list that moved on. An encoder that ignores unknown categories answers
        200 for a row of zeros; one that does not answers 500.
    Should trigger:
        A drift alert with a cell for unseen categories (bundled: FeatureDrift, on watched features), or an alert on
        5xx (bundled: ErrorRateHigh) where the model does not know what to do with them.
    Example:
        - {kind: unseen_category, features: [merchant_category], share: 10%}
    References:
        Breck, Polyzotis, Roy, Whang, Zinkevich 2019, Data Validation for Machine Learning (SysML); Micci-Barreca 2001,
        A Preprocessing Scheme for High-Cardinality Categorical Attributes (SIGKDD Explorations 3:1).
    """

    edits: ClassVar[frozenset[FeatureKind]] = CATEGORIES

    kind: Literal["unseen_category"]
    text: str = Field(default="unseen-category", min_length=1, description="the new category, such as unseen-category")

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the new category over the touched ones."""
        sample = context.sample
        text = self._unseen(set(sample.values[sample.cells == Cell.VALUE].tolist()))
        return column.with_values(context.touched, np.full(len(column.cells), text, dtype=object))

    def _unseen(self, known: Set[str]) -> str:
        if self.text not in known:
            return self.text
        return next(text for text in (f"{self.text}-{n}" for n in count(2)) if text not in known)
