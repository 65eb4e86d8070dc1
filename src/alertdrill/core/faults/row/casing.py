"""Change the case of categories."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import CATEGORIES, CellContext, CellFault
from alertdrill.core.faults.shared.rewriting import with_texts
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

_REWRITES: Mapping[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "swap": str.swapcase}


class Casing(CellFault):
    """Change the case of categories.

    What it does:
        Writes the touched categories in upper case, in lower case, or with the case of every letter swapped: `swap`
        changes every text that has a letter with two cases. `upper` and `lower` leave a text that is so already, and
        nothing changes a text without such letters. Nulls stay null.
    Why it matters:
        "DE" and "de" are one country to people and two to a model. One client that writes lower case turns known
        categories into unknown ones, and every request is answered 200.
    Should trigger:
        A drift alert with a cell for unseen categories (bundled: FeatureDrift, on watched features).
    Example:
        - {kind: casing, features: [country], to: lower, share: 20%}
    References:
        The Unicode Standard, section 3.13: Default Case Algorithms; Rahm, Do 2000, Data Cleaning: Problems and Current
        Approaches (IEEE Data Engineering Bulletin 23:4).
    """

    edits: ClassVar[frozenset[FeatureKind]] = CATEGORIES

    kind: Literal["casing"]
    to: Literal["upper", "lower", "swap"] = Field(
        default="swap", description="upper, lower, or swap: upper case for lower case and the reverse"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Change the case of the touched texts."""
        return with_texts(column, context.touched, _REWRITES[self.to])
