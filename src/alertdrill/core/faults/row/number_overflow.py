"""Write numbers that no double holds, such as 1e400."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

_FORMS: Mapping[str, bytes] = {"exponent": b"1e400", "digits": b"9" * 400}


class NumberOverflow(CellFault):
    """Write numbers that no double holds, such as 1e400.

    What it does:
        Writes `1e400`, or an integer of 400 digits, over the values of `features` in the touched requests. Both are
        JSON by its grammar; the largest double is about 1.8e308. Nulls stay null.
    Why it matters:
        An overflow upstream, decimals of arbitrary precision, an exponent that was mistyped. The grammar sets no limit,
        so every parser sets its own. Python's json module reads 1e400 as infinity and the digits as an exact integer,
        which fails later, when a float is made of it; JavaScript's JSON.parse reads both as infinity; orjson refuses
        both. Ariane 5 was lost to a number that did not fit its type.
    Should trigger:
        An alert on malformed requests where the monitor's parser refuses such numbers (bundled: MalformedRequestsHigh;
        the bundled target answers 422), else an alert on 5xx, or a drift alert with a cell above the sample's range.
    Example:
        - {kind: number_overflow, features: [amount], share: 10%}
    References:
        RFC 8259, The JavaScript Object Notation (JSON) Data Interchange Format, section 6: its example is 1E400.
        Lions et al. 1996, Ariane 5 Flight 501 Failure, Report by the Inquiry Board.
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS

    kind: Literal["number_overflow"]
    form: Literal["exponent", "digits"] = Field(
        default="exponent", description="exponent (1e400) or digits (an integer of 400 digits)"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the literal over the touched values."""
        return column.with_raw(column.having_value(context.touched), _FORMS[self.form])
