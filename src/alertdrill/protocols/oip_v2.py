"""The `oip_v2` protocol: the Open Inference Protocol, version 2 (kserve/open-inference-protocol, inference_rest.md).

MLServer, Triton, KServe V2, Seldon and OpenVINO speak it. A request holds tensors `{"name", "shape", "datatype",
"data"}`, their data flat or nested: one for each feature, with one value a row, or a single one of shape
[rows, features].
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field, JsonValue, StrictBool

from alertdrill.protocols.bad_value import BadValue
from alertdrill.protocols.base import Protocol, Row, error_under
from alertdrill.protocols.features import Feature, FeatureKind
from alertdrill.protocols.forms import Form, Tensors, Trait, Values, Within
from alertdrill.protocols.malformed import Malformed, NoRows
from alertdrill.protocols.pointer import Nowhere

Number = Literal["FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]


class Matrix(Values):
    """The data of one tensor for all features."""

    lacks: ClassVar[Mapping[Trait, str]] = {
        Trait.KEYS: "its values stand in one tensor, without keys: a value left out would be another shape",
        Trait.SHAPE: "the data of a tensor may be nested or flat",
    }


class OipV2(Protocol):
    """Tensors, one for each feature or one for all: MLServer, Triton, KServe V2, Seldon, OpenVINO."""

    example_path: ClassVar[str] = "/v2/models/MODEL/infer"

    kind: Literal["oip_v2"] = "oip_v2"
    tensors: Literal["each", "one"] = Field(
        default="each", description="each: a tensor for each feature, named like it; one: a single one for all of them"
    )
    name: str | None = Field(
        default=None, min_length=1, description="name of the one tensor; default: input-0", examples=["predict"]
    )
    numbers: Number = Field(default="FP64", description="datatype of features of kind number")
    integers: Number = Field(default="INT64", description="datatype of features of kind integer")
    flat: StrictBool = Field(
        default=False, description="whether a tensor for each feature has the shape [rows], instead of [rows, 1]"
    )
    parameters: dict[str, JsonValue] | None = Field(
        default=None,
        description="parameters of the request, such as {content_type: pd} where MLServer is to make a data frame of "
        "the tensors",
        examples=[{"content_type": "pd"}],
    )
    text_parameters: dict[str, JsonValue] | None = Field(
        default=None,
        description="parameters of tensors of texts, such as {content_type: str} for MLServer",
        examples=[{"content_type": "str"}],
    )
    outputs: tuple[str, ...] = Field(
        default=(),
        description="names of the outputs that are asked for; default: the server's. With several, a prediction is an "
        "object of their values",
        examples=[["predict", "predict_proba"]],
    )

    def unfit(self, features: Sequence[Feature]) -> Iterator[BadValue]:
        """Features that cannot stand in one tensor, and options of the other way."""
        if self.tensors == "one" and len({feature.numeric for feature in features}) > 1:
            expected = "each, as a tensor has one datatype and there are numbers and texts among the features"
            yield BadValue(expected, "write tensors: each", "one", ("tensors",))
        if self.tensors == "one" and self.flat:
            yield BadValue("false for one tensor of [rows, features]", "remove it", "true", ("flat",))
        if self.tensors == "each" and self.name is not None:
            expected = "no name, as tensors are named like their features"
            yield BadValue(expected, "remove it, or write tensors: one", None, ("name",))

    def _datatype(self, feature: Feature) -> str:
        if not feature.numeric:
            return "BYTES"
        return self.integers if feature.kind is FeatureKind.INTEGER else self.numbers

    def form(self, features: Sequence[Feature]) -> Form:
        """Tensors of one row."""
        opening = b'"parameters":' + orjson.dumps(self.parameters) + b"," if self.parameters is not None else b""
        named = orjson.dumps([{"name": name} for name in self.outputs])
        closing = (b',"outputs":' + named if self.outputs else b"") + b"}"
        text = b',"parameters":' + orjson.dumps(self.text_parameters) if self.text_parameters is not None else b""
        opening = b"{" + opening + b'"inputs":'
        if self.tensors == "each":
            datatypes = {feature.name: self._datatype(feature) for feature in features}
            shape = b"[1]" if self.flat else b"[1,1]"
            return Within(Tensors(datatypes, self.numbers, shape, text), opening, closing)
        types = {self._datatype(feature) for feature in features}
        datatype = types.pop() if len(types) == 1 else self.numbers
        head = (orjson.dumps(self.name or "input-0"), len(features), datatype.encode())
        head_text = b'[{"name":%b,"shape":[1,%d],"datatype":"%b"' % head
        more = text if datatype == "BYTES" else b""
        return Within(Matrix(), opening + head_text + more + b',"data":', b"}]" + closing)

    def rows_in(self, value: Any, features: Sequence[Feature]) -> Sequence[Row]:
        """Rows of tensors in either way, whichever was sent."""
        if type(value) is not dict:
            raise NoRows(Malformed.NOT_AN_OBJECT)
        if "inputs" not in value:
            raise NoRows(Malformed.NO_ROWS)
        tensors = value["inputs"]
        if not _are_tensors(tensors):
            raise NoRows(Malformed.WRONG_BATCH)
        names = [feature.name for feature in features]
        if len(tensors) == 1 and tensors[0]["name"] not in names:
            return _of_matrix(tensors[0], names)
        columns = {str(tensor["name"]): _flattened(tensor["data"]) for tensor in tensors}
        lengths = {len(column) for column in columns.values()}
        if len(lengths) != 1 or lengths == {0} or any(_shape(one)[0] not in lengths for one in tensors):
            raise NoRows(Malformed.WRONG_BATCH)
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def predictions(self, answer: Any) -> Sequence[Any]:
        """The values of the only output, or objects of the values of all of them."""
        outputs: Any = answer.get("outputs") if type(answer) is dict else None
        if not _are_tensors(outputs):
            raise Nowhere("got no tensors under outputs")
        try:
            columns = {str(one["name"]): _values(one) for one in outputs}
        except NoRows:
            raise Nowhere("got an output whose data do not fit its shape") from None
        if len(columns) == 1:
            return next(iter(columns.values()))
        if len({len(column) for column in columns.values()}) != 1:
            raise Nowhere("got outputs of different numbers of rows")
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def error_in(self, answer: Any) -> str | None:
        """What stands under `error`."""
        return error_under(answer, "error")


def _are_tensors(found: Any) -> bool:
    """Whether this is a list of tensors, by their keys."""
    is_list = isinstance(found, list) and bool(found)
    return is_list and all(isinstance(one, dict) and one.keys() >= {"name", "shape", "data"} for one in found)


def _of_matrix(tensor: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    shape, values, width = _shape(tensor), _flattened(tensor["data"]), len(names)
    if len(shape) != 2 or shape[1] != width or shape[0] * width != len(values) or not values:
        raise NoRows(Malformed.WRONG_BATCH)
    return [dict(zip(names, values[at : at + width], strict=True)) for at in range(0, len(values), width)]


def _values(tensor: Mapping[str, Any]) -> list[Any]:
    """One value a row: plain where there is one, else a list of them."""
    rows, values = _shape(tensor)[0], _flattened(tensor["data"])
    if rows < 1 or not values or len(values) % rows:
        raise NoRows(Malformed.WRONG_BATCH)
    width = len(values) // rows
    return values if width == 1 else [values[at : at + width] for at in range(0, len(values), width)]


def _shape(tensor: Mapping[str, Any]) -> tuple[int, ...]:
    shape = tensor["shape"]
    if not isinstance(shape, list) or not shape or not all(type(one) is int for one in shape):
        raise NoRows(Malformed.WRONG_BATCH)
    return tuple(shape)


def _flattened(data: object) -> list[Any]:
    if not isinstance(data, list):
        raise NoRows(Malformed.WRONG_BATCH)
    while data and all(isinstance(one, list) for one in data):
        data = list(chain.from_iterable(data))
    return data
