"""The `mlflow` protocol: `/invocations` of MLflow's scoring server and of Databricks.

A request has exactly one of `dataframe_split`, `dataframe_records`, `inputs` and `instances`, or is CSV (MLflow, Deploy
MLflow Model as a Local Inference Server).
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field, JsonValue, StrictBool

from alertdrill.protocols.bad_value import BadValue
from alertdrill.protocols.base import Protocol, Row, error_text, predictions_in, row_of, rows_of, rows_of_columns
from alertdrill.protocols.features import Feature
from alertdrill.protocols.forms import Columns, Csv, Form, Objects, Table, Values, Within
from alertdrill.protocols.malformed import Malformed, NoRows, unreadable

NO_VALUE = frozenset({"", "NaN", "nan"})  # what readers of CSV take for no value


class Mlflow(Protocol):
    """A data frame, columns, rows or CSV: MLflow's scoring server, Databricks."""

    default_path: ClassVar[str | None] = "/invocations"
    example_path: ClassVar[str] = "/invocations"

    kind: Literal["mlflow"] = "mlflow"
    format: Literal["dataframe_split", "dataframe_records", "inputs", "instances", "csv"] = Field(
        default="dataframe_split",
        description="dataframe_split (names and rows of values), dataframe_records (objects), inputs (columns), "
        "instances (objects) or csv",
    )
    named: StrictBool = Field(
        default=True,
        description="whether values stand with the names of features; false: inputs and instances hold lists of "
        "values, for a model without named columns",
    )
    params: dict[str, JsonValue] | None = Field(
        default=None, description="parameters of the prediction, not with csv", examples=[{"threshold": 0.5}]
    )

    @property
    def is_text(self) -> bool:
        """Whether requests are CSV."""
        return self.format == "csv"

    def unfit(self, features: Sequence[Feature]) -> Iterator[BadValue]:
        """Options that this format does not have."""
        if not self.named and self.format not in ("inputs", "instances"):
            expected = f"true for {self.format}"
            yield BadValue(expected, "remove it, or write format: inputs", "false", ("named",))
        if self.params is not None and self.format == "csv":
            yield BadValue("no params, as CSV has no place for them", "remove them", "params", ("params",))

    def form(self, features: Sequence[Feature]) -> Form:
        """The rows, and the parameters behind them."""
        if self.format == "csv":
            return Csv()
        rows: Mapping[str, tuple[Form, bytes, bytes]] = {
            "dataframe_split": (Table(), b"{", b"}"),
            "dataframe_records": (Objects(), b"[", b"]"),
            "inputs": (Columns(), b"", b""),
            "instances": (Objects(), b"[", b"]"),
        }
        form, before, behind = rows[self.format] if self.named else (Values(), b"[", b"]")
        params = b',"params":' + orjson.dumps(self.params) if self.params is not None else b""
        return Within(form, b'{"%b":' % self.format.encode() + before, behind + params + b"}")

    def rows_in(self, value: Any, features: Sequence[Feature]) -> Sequence[Row]:
        """Rows in whichever format they were sent."""
        if type(value) is not dict:
            raise NoRows(Malformed.NOT_AN_OBJECT)
        if "dataframe_split" in value:
            return _of_table(value["dataframe_split"], features)
        name = next((name for name in ("dataframe_records", "instances", "inputs") if name in value), None)
        if name is None:
            raise NoRows(Malformed.NO_ROWS)
        found = value[name]
        return rows_of_columns(found) if type(found) is dict else rows_of(found, features)

    def read_other(self, body: bytes, features: Sequence[Feature]) -> Sequence[Row]:
        """Rows of CSV, where that is what is sent."""
        if self.format != "csv":
            raise NoRows(unreadable(body))
        return _of_csv(body, features)

    def read(self, body: bytes, features: Sequence[Feature]) -> Sequence[Row]:
        """A line of digits is CSV and JSON: it is read as what is sent."""
        csv_sent = self.format == "csv" and body.lstrip()[:1] != b"{"
        return _of_csv(body, features) if csv_sent else super().read(body, features)

    def predictions(self, answer: Any) -> Sequence[Any]:
        """Those under `predictions`, or those of columns."""
        found = answer.get("predictions") if type(answer) is dict else answer
        return predictions_in(found, "predictions", "predictions")

    def error_in(self, answer: Any) -> str | None:
        """The message beside `error_code`."""
        if type(answer) is dict and answer.get("error_code"):
            return error_text(answer.get("message") or answer["error_code"])
        return None


def _of_table(table: Any, features: Sequence[Feature]) -> Sequence[Row]:
    data = table.get("data") if type(table) is dict else None
    if type(data) is not list or not data:
        raise NoRows(Malformed.WRONG_BATCH if type(data) is list else Malformed.NO_ROWS)
    names = table.get("columns")
    if names is None:
        return [row_of(one, features) for one in data]
    if type(names) is not list or not all(type(one) is list and len(one) == len(names) for one in data):
        raise NoRows(Malformed.WRONG_BATCH)
    return [dict(zip(map(str, names), one, strict=True)) for one in data]


def _of_csv(body: bytes, features: Sequence[Feature]) -> Sequence[Row]:
    """Rows of a CSV text with a header; a field that no reader takes for a number stays text."""
    try:
        lines = [line for line in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")) if line]
    except (UnicodeDecodeError, csv.Error):
        raise NoRows(Malformed.BAD_ENCODING) from None
    if not lines:
        raise NoRows(Malformed.EMPTY)
    header, rows = lines[0], lines[1:]
    if not rows:
        raise NoRows(Malformed.NO_ROWS)
    if any(len(row) != len(header) for row in rows):
        raise NoRows(Malformed.WRONG_BATCH)
    numeric = {feature.name for feature in features if feature.numeric}
    return [{name: _value(text, name in numeric) for name, text in zip(header, row, strict=True)} for row in rows]


def _value(text: str, numeric: bool) -> object:
    if text in NO_VALUE:
        return None
    if not numeric:
        return text
    try:
        return float(text)
    except ValueError:
        return text
