"""Rename a key."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal, Self

import orjson
from pydantic import Field, model_validator

from alertdrill.core.errors import BadValue, nearest
from alertdrill.core.faults.base import Body, BodyFault
from alertdrill.protocols.forms import Trait
from alertdrill.protocols.schema import Schema


class RenamedField(BodyFault):
    """Rename a key.

    What it does:
        Writes the key `to` in place of the key `field`, with the same value in the same place. A body without `field`
        gets `to` with null at its end.
    Why it matters:
        camelCase for snake_case, a schema that moved on, a typo in a mapping. To the model the feature is missing and
        an unknown key is there; what imputes answers 200 and is quietly wrong.
    Should trigger:
        A missing-rate alert and a drift alert on `field` (bundled: FeatureNullRateHigh, FeatureDrift, where the
        feature is watched), or an alert on 4xx.
    Example:
        - {kind: renamed_field, field: amount, to: amountEur, share: 20%}
    References:
        Breck, Polyzotis, Roy, Whang, Zinkevich 2019, Data Validation for Machine Learning (MLSys).
    """

    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.JSON, Trait.KEYS})

    kind: Literal["renamed_field"]
    field: str = Field(min_length=1, max_length=200, description="key to rename, such as amount")
    to: str = Field(min_length=1, max_length=200, description="what it is called instead, such as amountEur")

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if self.to == self.field:
            raise BadValue("another name than that of field", "write a new name", at=("to",))
        return self

    def unfit(self, schema: Schema) -> Iterator[BadValue]:
        """A key that no request has."""
        if self.field not in schema.names():
            near = nearest(self.field, schema.names())
            yield BadValue(
                "a feature of the target", f"did you mean {near}?" if near else "write its name", at=("field",)
            )

    def edit(self, body: Body, draw: float) -> Body:
        """The body with the key renamed wherever it stands in the row."""
        old, new = orjson.dumps(self.field), orjson.dumps(self.to)
        members = body.form.split(body.data) or []
        if all(name != old for name, _ in members):
            return replace(body, data=body.form.added(body.data, (new, b"null")))
        renamed = [(new if name == old else name, value) for name, value in members]
        return replace(body, data=body.form.join(renamed))
