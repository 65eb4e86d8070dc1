"""The `instances` protocol, version 1 of KServe's, which TensorFlow Serving and Vertex AI speak too.

Requests are `{"instances": [row, …]}` or, in TensorFlow Serving's columnar format, `{"inputs": {name: [value, …]}}`
(TensorFlow Serving, RESTful API; KServe, V1 Protocol; Vertex AI, projects.locations.endpoints.predict).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field, JsonValue

from alertdrill.protocols.base import Protocol, Row, error_under, predictions_in, rows_of, rows_of_columns
from alertdrill.protocols.features import Feature
from alertdrill.protocols.forms import Columns, Form, Objects, Values, Within
from alertdrill.protocols.malformed import Malformed, NoRows


class Instances(Protocol):
    """Rows under `instances`, or columns under `inputs`: KServe V1, TensorFlow Serving, Vertex AI."""

    example_path: ClassVar[str] = "/v1/models/MODEL:predict"

    kind: Literal["instances"] = "instances"
    rows: Literal["objects", "values", "columns"] = Field(
        default="objects",
        description="how rows are written: objects (values by feature) or values (lists in the order of the schema) "
        "under instances, or columns (a list for each feature) under inputs, as TensorFlow Serving has them",
    )
    signature_name: str | None = Field(
        default=None, min_length=1, description="of TensorFlow Serving: the signature that is asked", examples=["serve"]
    )
    parameters: dict[str, JsonValue] | None = Field(
        default=None, description="of Vertex AI: parameters of the prediction", examples=[{"threshold": 0.5}]
    )

    def form(self, features: Sequence[Feature]) -> Form:
        """What the server needs to know stands before the rows."""
        opening = [b'"signature_name":' + orjson.dumps(self.signature_name)] if self.signature_name else []
        opening += [b'"parameters":' + orjson.dumps(self.parameters)] if self.parameters is not None else []
        row: Mapping[str, tuple[Form, bytes, bytes]] = {
            "objects": (Objects(), b'"instances":[', b"]"),
            "values": (Values(), b'"instances":[', b"]"),
            "columns": (Columns(), b'"inputs":', b""),
        }
        form, before, behind = row[self.rows]
        return Within(form, b"{" + b",".join([*opening, before]), behind + b"}")

    def rows_in(self, value: Any, features: Sequence[Feature]) -> Sequence[Row]:
        """Rows in either format, whichever was sent."""
        if type(value) is not dict:
            raise NoRows(Malformed.NOT_AN_OBJECT)
        if "instances" in value:
            return rows_of(value["instances"], features)
        if "inputs" not in value:
            raise NoRows(Malformed.NO_ROWS)
        inputs = value["inputs"]
        return rows_of_columns(inputs) if type(inputs) is dict else rows_of(inputs, features)

    def predictions(self, answer: Any) -> Sequence[Any]:
        """Those under `predictions`, or the rows of the columns under `outputs`."""
        found = answer.get("predictions", answer.get("outputs")) if type(answer) is dict else None
        return predictions_in(found, "predictions or outputs", "outputs")

    def error_in(self, answer: Any) -> str | None:
        """What stands under `error`."""
        return error_under(answer, "error")
