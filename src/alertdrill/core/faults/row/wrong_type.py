"""Write values as another JSON type."""

from typing import ClassVar, Literal

import orjson
from pydantic import Field

from alertdrill.core.faults.base import CellContext, CellFault
from alertdrill.core.faults.shared.rewriting import with_json
from alertdrill.protocols.forms import Trait
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class WrongType(CellFault):
    """Write values as another JSON type.

    What it does:
        Writes the touched values as the type `to`. `boolean` is the value's truth: false for 0 and for an empty text,
        else true. `integer` cuts the decimals off: 12.5 becomes 12, and 3.0 becomes 3. `list` and `object` wrap the
        value: [12.5] and {"value": 12.5}. Nulls stay null. `integer` changes features of kind number alone: integers
        are whole already, and texts and timestamps stay as they are.
    Why it matters:
        A client in another language, a serializer with a new default, a batch of one sent to the endpoint for single
        rows. A boolean where a number belongs is the quiet one: in Python a bool is an int, so a check for numbers
        lets it pass and the model sees an amount of 1. Amounts in whole units keep their type and lose their cents.
    Should trigger:
        A drift alert that tells values of a wrong type apart (bundled: FeatureDrift, by its cell type_error, for
        boolean, list and object). For `integer`, a drift alert only if the decimals carry weight, which they seldom
        do. Strict servers answer 422; an alert on 5xx fires only where a server breaks on it.
    Example:
        - {kind: wrong_type, features: [amount], to: boolean, share: 20%}
    References:
        PEP 285, Adding a bool type (van Rossum 2002); RFC 8259, The JavaScript Object Notation (JSON) Data Interchange
        Format, section 3.
    """

    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.TYPES})

    kind: Literal["wrong_type"]
    to: Literal["boolean", "integer", "list", "object"] = Field(
        description="the type that is written: boolean, integer (numbers only), list or object"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the touched values as the other type."""
        if self.to == "integer" and context.feature.kind is not FeatureKind.NUMBER:
            return column
        return with_json(column, context.touched, context.feature.kind, self._rewritten)

    def _rewritten(self, text: bytes) -> bytes:
        if self.to == "list":
            return b"[%b]" % text
        if self.to == "object":
            return b'{"value":%b}' % text
        if self.to == "integer":
            return b"%d" % int(float(text))
        return b"true" if orjson.loads(text) else b"false"
