"""Write numbers with commas between thousands, as text."""

import re
from typing import ClassVar, Literal

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault
from alertdrill.core.faults.shared.rewriting import with_json
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

_WHOLE_PART = re.compile(rb"\d+")


class ThousandsSeparator(CellFault):
    """Write numbers with commas between thousands, as text.

    What it does:
        Writes the touched numbers as JSON strings with a comma before every three digits of the whole part: 1234.5
        becomes "1,234.5". A number below 1000, or one written with an exponent, gets no comma: then the quotes alone
        are the change. Nulls stay null.
    Why it matters:
        A value formatted for people and sent to a machine: a report used as a source, a spreadsheet saved as shown.
        Small values still convert and only large ones break, so tests with small amounts pass.
    Should trigger:
        A drift alert that tells values of a wrong type apart (bundled: FeatureDrift, by its cell type_error). No
        null-rate alert, and an alert on 5xx only where a server breaks on it.
    Example:
        - {kind: thousands_separator, features: [amount], share: 20%}
    References:
        BIPM 2019, The International System of Units (SI), 9th edition, section 5.4.4: neither points nor commas
        between groups of digits; Unicode Technical Standard 35 (CLDR), part 3: Numbers.
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS

    kind: Literal["thousands_separator"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the touched numbers with separators."""
        return with_json(column, context.touched, context.feature.kind, lambda text: b'"%b"' % _grouped(text))


def _grouped(text: bytes) -> bytes:
    return _WHOLE_PART.sub(lambda digits: f"{int(digits[0]):,}".encode(), text, count=1)
