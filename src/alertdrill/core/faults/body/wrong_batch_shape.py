"""Send the row in the shape of a batch."""

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import Body, BodyFault
from alertdrill.protocols.forms import Trait


class WrongBatchShape(BodyFault):
    """Send the row in the shape of a batch.

    What it does:
        `list` wraps the object in a list, [{…}]; `double` in two, [[{…}]]; `columns` keeps the object and wraps each
        value in a list, {"amount": [1.5], …}. An empty object has no columns and comes as a list.
    Why it matters:
        Serving frameworks differ in whether they take a row, rows or columns, and clients are moved from one to the
        other. Some servers broadcast a wrong shape instead of refusing it.
    Should trigger:
        list and double: an alert on malformed requests (bundled: MalformedRequestsHigh) or on 4xx. columns: a drift
        alert on every watched feature, as each value has a wrong type (bundled: FeatureDrift), or on 4xx.
    Example:
        - {kind: wrong_batch_shape, shape: list, share: 10%}
    References:
        TensorFlow Serving, RESTful API: predict requests in row format (instances) and in column format (inputs).
    """

    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.JSON, Trait.SHAPE})

    kind: Literal["wrong_batch_shape"]
    shape: Literal["list", "double", "columns"] = Field(
        default="list", description='list ([{…}]), double ([[{…}]]) or columns ({"amount": [1.5], …})'
    )

    def edit(self, body: Body, draw: float) -> Body:
        """Wrap the row, or each of its values."""
        members = body.form.split(body.data) if self.shape == "columns" else None
        if members:
            return replace(body, data=body.form.join([(name, b"[" + value + b"]") for name, value in members]))
        depth = 2 if self.shape == "double" else 1
        return replace(body, data=body.form.wrapped(body.data, b"[" * depth, b"]" * depth))
