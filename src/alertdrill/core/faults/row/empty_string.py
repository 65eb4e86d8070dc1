"""Write empty strings in place of values."""

from typing import ClassVar, Literal

from alertdrill.core.faults.base import CellContext, CellFault
from alertdrill.protocols.forms import Trait
from alertdrill.protocols.rows import Cell, Column


class EmptyString(CellFault):
    """Write empty strings in place of values.

    What it does:
        Writes `""` for `features` of any kind in the touched requests, whatever the key held, nulls included. A key
        that is absent stays absent.
    Why it matters:
        CSV and HTML forms have no null, so what is unknown arrives as an empty text. For a category it is one more
        value that the model has never seen, and the answer is 200; for a number it is the wrong type, which the
        bundled target answers with 422. Checks for null see neither.
    Should trigger:
        A drift alert with a cell for unseen categories or for wrong types (bundled: FeatureDrift). Not
        FeatureNullRateHigh: an empty text is no null.
    Example:
        - {kind: empty_string, features: [country], share: 20%}
    References:
        RFC 4180, Common Format and MIME Type for CSV Files: it has empty fields and no null.
        Pearson 2006, The Problem of Disguised Missing Data (SIGKDD Explorations 8:1).
    """

    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.TYPES})

    kind: Literal["empty_string"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the empty text into the touched cells whose key is there."""
        return column.with_raw(context.touched & (column.cells != Cell.MISSING), b'""')
