"""Write numbers with a decimal comma, as text."""

from typing import ClassVar, Literal

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault
from alertdrill.core.faults.shared.rewriting import with_json
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class DecimalComma(CellFault):
    """Write numbers with a decimal comma, as text.

    What it does:
        Writes the touched numbers as JSON strings with a comma for the point: 12.5 becomes "12,5". A number that is
        written without a point, such as an integer or 1e-7, has the quotes alone as its change. Nulls stay null.
    Why it matters:
        A file from a machine with a continental locale. Some parsers refuse it, some read 12 and some 125: the last is
        a scale error that no type check finds.
    Should trigger:
        A drift alert that tells values of a wrong type apart (bundled: FeatureDrift, by its cell type_error). No
        null-rate alert, and an alert on 5xx only where a server breaks on it.
    Example:
        - {kind: decimal_comma, features: [amount], share: 20%}
    References:
        BIPM 2019, The International System of Units (SI), 9th edition, section 5.4.4: the decimal marker is a point or
        a comma; Unicode Technical Standard 35 (CLDR), part 3: Numbers.
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS

    kind: Literal["decimal_comma"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the touched numbers with a comma."""
        return with_json(column, context.touched, context.feature.kind, lambda text: b'"%b"' % text.replace(b".", b","))
