"""Add blanks around categories."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import CATEGORIES, CellContext, CellFault
from alertdrill.core.faults.shared.rewriting import with_texts
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

_REWRITES: Mapping[str, Callable[[str], str]] = {
    "both": " {} ".format,
    "leading": " {}".format,
    "trailing": "{} ".format,
}


class Whitespace(CellFault):
    """Add blanks around categories.

    What it does:
        Adds one blank before the touched categories, after them, or both. Nulls stay null.
    Why it matters:
        A column of fixed width, a file split at "," where ", " was meant, a value pasted by hand. On a screen "DE " is
        "DE"; to an encoder it is a category that it has never seen, and the answer is 200.
    Should trigger:
        A drift alert with a cell for unseen categories (bundled: FeatureDrift, on watched features).
    Example:
        - {kind: whitespace, features: [country], side: trailing, share: 20%}
    References:
        RFC 4180, Common Format and MIME Type for Comma-Separated Values (CSV) Files, section 2: spaces are part of a
        field; Rahm, Do 2000, Data Cleaning: Problems and Current Approaches (IEEE Data Engineering Bulletin 23:4).
    """

    edits: ClassVar[frozenset[FeatureKind]] = CATEGORIES

    kind: Literal["whitespace"]
    side: Literal["both", "leading", "trailing"] = Field(
        default="both", description="where a blank is added: both, leading or trailing"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Add blanks to the touched texts."""
        return with_texts(column, context.touched, _REWRITES[self.side])
