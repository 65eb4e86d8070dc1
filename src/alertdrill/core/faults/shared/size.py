"""How far a fault moves values when its direction is drawn: a shift above 0."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from alertdrill.core.errors import BadValue
from alertdrill.core.units import Shift, ShiftBy


def _above_0(size: ShiftBy) -> ShiftBy:
    if size.amount > 0:
        return size
    raise BadValue("a size above 0, such as 1sd or 12.5", "write it without a sign; for a control write share: 0")


Size = Annotated[
    Shift,
    AfterValidator(_above_0),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^\d+(\.\d+)?\s*sd$"},
            ],
            "examples": ["1sd", 12.5],
        }
    ),
]
"""A `ShiftBy` above 0, written `1sd` (standard deviations of the sample) or `12.5` (the feature's unit)."""
