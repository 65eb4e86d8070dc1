"""Read the UTF-8 bytes of categories as windows-1252."""

from typing import ClassVar, Literal

from alertdrill.core.faults.base import CATEGORIES, CellContext, CellFault
from alertdrill.core.faults.shared.rewriting import with_texts
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

# Five bytes stand for nothing in Python's cp1252; the Encoding Standard gives them the control of the same number.
_WINDOWS_1252 = tuple(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


class Mojibake(CellFault):
    """Read the UTF-8 bytes of categories as windows-1252.

    What it does:
        Takes the UTF-8 bytes of the touched categories for windows-1252 and sends the text that they then are:
        "café" becomes "cafÃ©". Plain ASCII is the same in both, so such a text first gets a no-break space at its end,
        as web pages and spreadsheets leave one on what is copied from them, and "DE" becomes "DEÂ" with that space
        behind it. So every touched text changes. Nulls stay null.
    Why it matters:
        One job in a chain that does not say its encoding. The bytes stay valid UTF-8 and the JSON stays valid, so
        nothing is refused: names with accents fall out of every lookup, join and encoder, and those without do not.
    Should trigger:
        A drift alert with a cell for unseen categories (bundled: FeatureDrift, on watched features).
    Example:
        - {kind: mojibake, features: [merchant_category], share: 20%}
    References:
        WHATWG, Encoding Standard, windows-1252; RFC 3629, UTF-8, a transformation format of ISO 10646.
    """

    edits: ClassVar[frozenset[FeatureKind]] = CATEGORIES

    kind: Literal["mojibake"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Garble the touched texts."""
        return with_texts(column, context.touched, _garbled)


def _garbled(text: str) -> str:
    text = text + _NO_BREAK_SPACE if text.isascii() else text
    return "".join(_WINDOWS_1252[byte] for byte in text.encode())
