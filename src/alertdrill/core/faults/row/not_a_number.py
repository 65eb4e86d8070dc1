"""Write the literals NaN, Infinity or -Infinity, which are not JSON."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from alertdrill.core.faults.base import CellContext, CellFault
from alertdrill.protocols.rows import Cell, Column

_LITERALS: Mapping[str, bytes] = {"nan": b"NaN", "infinity": b"Infinity", "-infinity": b"-Infinity"}


class NotANumber(CellFault):
    """Write the literals NaN, Infinity or -Infinity, which are not JSON.

    What it does:
        Writes the bare word `NaN` (or `Infinity`, `-Infinity`) for `features` in the touched requests, whatever the
        key held, nulls included. A key that is absent stays absent. The body is no JSON any more, although Python
        writes it by default: json.dumps(float("nan")) is `NaN`.
    Why it matters:
        A division by zero, or pandas, which keeps nulls as NaN, and a client in Python. What happens is up to the
        parser, and then to the model. Python's json module takes all three words; orjson and JavaScript's JSON.parse
        refuse them. With a model that takes no NaN, MLServer answered 422, MLflow and KServe 400, BentoML and FastAPI
        500; with one that does, FastAPI and MLflow answered 200. The bundled target answers 422.
    Should trigger:
        An alert on malformed requests where the monitor's parser is strict (bundled: MalformedRequestsHigh), or on 4xx
        or 5xx, by server. Not FeatureNullRateHigh and not FeatureDrift: a body that cannot be read has no features.
    Example:
        - {kind: not_a_number, features: [amount], share: 10%}
    References:
        RFC 8259, The JavaScript Object Notation (JSON) Data Interchange Format, section 6: NaN and Infinity are not
        permitted. Python documentation, json, Infinite and NaN Number Values.
    """

    kind: Literal["not_a_number"]
    literal: Literal["nan", "infinity", "-infinity"] = Field(
        default="nan", description="the word written: nan (NaN), infinity (Infinity) or -infinity (-Infinity)"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the literal into the touched cells whose key is there."""
        return column.with_raw(context.touched & (column.cells != Cell.MISSING), _LITERALS[self.literal])
