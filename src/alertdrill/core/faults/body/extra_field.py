"""Add a key that the schema lacks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal

import orjson
from pydantic import Field

from alertdrill.core.errors import BadValue
from alertdrill.core.faults.base import Body, BodyFault
from alertdrill.protocols.forms import Trait
from alertdrill.protocols.schema import Schema


class ExtraField(BodyFault):
    """Add a key that the schema lacks.

    What it does:
        Writes `name` with the value 1 behind the last feature of the row. All features stay as they are.
    Why it matters:
        A producer that is a version ahead. Strict schemas refuse every request (400 or 422); lenient ones ignore the
        key, also when it is a misspelt one that they need; row-to-matrix code may take it for a feature.
    Should trigger:
        An alert on 4xx where the schema is strict, or on keys that the schema does not name. Bundled: nothing; the
        monitor counts such keys and no alert reads the counter.
    Example:
        - {kind: extra_field, name: unexpected, share: 10%}
    References:
        RFC 9413, Maintaining Robust Protocols (2023).
    """

    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.JSON, Trait.KEYS})

    kind: Literal["extra_field"]
    name: str = Field(
        default="unexpected", min_length=1, max_length=200, description="key to add, none of the schema's: unexpected"
    )

    def unfit(self, schema: Schema) -> Iterator[BadValue]:
        """A key that requests have anyway."""
        if self.name in schema.names():
            yield BadValue("a key that the schema lacks", "write another name", at=("name",))

    def edit(self, body: Body, draw: float) -> Body:
        """The body with one more member."""
        return replace(body, data=body.form.added(body.data, (orjson.dumps(self.name), b"1")))
