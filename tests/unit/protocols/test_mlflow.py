from typing import Any

import orjson
import pytest
from tests.unit.protocols.rows_of_two import FEATURES, ROW, faulted, read, schema, written

from alertdrill.protocols.malformed import Malformed
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.pointer import Nowhere
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import Schema

TABLE = {"columns": ["amount", "hour", "country"], "data": [[1.5, 3, "RS"]]}


@pytest.mark.parametrize(
    ("of", "body"),
    [
        (Mlflow(), {"dataframe_split": TABLE}),
        (Mlflow(format="dataframe_records"), {"dataframe_records": [ROW]}),
        (Mlflow(format="inputs"), {"inputs": {"amount": [1.5], "hour": [3], "country": ["RS"]}}),
        (Mlflow(format="instances"), {"instances": [ROW]}),
        (Mlflow(format="inputs", named=False), {"inputs": [[1.5, 3, "RS"]]}),
        (Mlflow(params={"a": 1}), {"dataframe_split": TABLE, "params": {"a": 1}}),
    ],
)
def test_a_row_is_written_as_the_server_takes_it_and_read_back(of: Mlflow, body: Any) -> None:
    assert orjson.loads(written(of)) == body
    assert read(of, written(of)) == [ROW]


def test_csv_has_a_header_and_a_line() -> None:
    of = Mlflow(format="csv")
    assert schema(of).form.content_type == "text/csv"
    assert written(of) == b"amount,hour,country\r\n1.5,3,RS\r\n"
    assert written(of, FEATURES[:1], cell=Cell.NULL) == b'amount\r\n""\r\n'
    assert written(of, raw=b'"1,5"') == b'amount,hour,country\r\n"1,5",3,RS\r\n'
    assert written(of, raw=b'"a\\"b"') == b'amount,hour,country\r\n"a""b",3,RS\r\n'
    null, missing, nan, _, _ = faulted(of)
    assert null == b"amount,hour,country\r\n,3,RS\r\n"
    assert missing == b"hour,country\r\n3,RS\r\n"
    assert nan == b"amount,hour,country\r\nNaN,3,RS\r\n"


def test_a_missing_column_is_missing_in_names_and_values() -> None:
    null, missing, nan, empty, boolean = faulted(Mlflow())
    assert b'"data":[[null,3,"RS"]]' in null
    assert missing == b'{"dataframe_split":{"columns":["hour","country"],"data":[[3,"RS"]]}}'
    assert [b"[[NaN,3" in nan, b'[["",3' in empty, b"[[true,3" in boolean] == [True] * 3


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"amount,hour,country\n1.5,3,RS\n", [{**ROW, "hour": 3.0}]),
        (
            b"\xef\xbb\xbfamount,country\r\nx,7\r\n,\r\n",
            [{"amount": "x", "country": "7"}, {"amount": None, "country": None}],
        ),
        (b"amount\r\nNaN\r\n", [{"amount": None}]),
        (b"", Malformed.EMPTY),
        (b"\r\n", Malformed.EMPTY),
        (b"amount\r\n", Malformed.NO_ROWS),
        (b"amount,hour\r\n1\r\n", Malformed.WRONG_BATCH),
        (b"amount\r\n\xff\r\n", Malformed.BAD_ENCODING),
        (orjson.dumps({"dataframe_records": [ROW]}), [ROW]),
    ],
)
def test_csv_is_read_as_a_table(body: bytes, rows: Any) -> None:
    assert read(Mlflow(format="csv"), body) == rows


@pytest.mark.parametrize(
    ("sent", "rows"),
    [
        ({"dataframe_split": {**TABLE, "index": [0]}}, [ROW]),
        ({"dataframe_split": {"data": [[1.5, 3, "RS"]]}}, [ROW]),
        ({"dataframe_split": {"columns": ["amount"], "data": [[1, 2]]}}, Malformed.WRONG_BATCH),
        ({"dataframe_split": {"columns": ["amount"], "data": []}}, Malformed.WRONG_BATCH),
        ({"dataframe_split": {"columns": ["amount"]}}, Malformed.NO_ROWS),
        ({"dataframe_split": 5}, Malformed.NO_ROWS),
        ({"params": {}}, Malformed.NO_ROWS),
        ([ROW], Malformed.NOT_AN_OBJECT),
        ({"instances": [[1.5, 3, "RS"]]}, [ROW]),
    ],
)
def test_json_is_read_in_each_format(sent: Any, rows: Any) -> None:
    assert read(Mlflow(), orjson.dumps(sent)) == rows
    assert read(Mlflow(), b"amount\n1\n") is Malformed.BAD_JSON


@pytest.mark.parametrize(
    ("answer", "predictions"),
    [
        ({"predictions": [1, 0]}, [1, 0]),
        ({"predictions": {"y": [1, 0]}}, [{"y": 1}, {"y": 0}]),
        ([0.5], [0.5]),
        ({"predictions": 5}, None),
        ({"predictions": {"y": 5}}, None),
        ({}, None),
    ],
)
def test_an_answer_holds_one_prediction_a_row(answer: Any, predictions: Any) -> None:
    if predictions is None:
        with pytest.raises(Nowhere):
            Mlflow().predictions(answer)
    else:
        assert Mlflow().predictions(answer) == predictions


def test_an_error_has_a_code_and_a_message() -> None:
    assert Mlflow().error_in({"error_code": "BAD_REQUEST", "message": "no"}) == "no"
    assert Mlflow().error_in({"error_code": "BAD_REQUEST"}) == "BAD_REQUEST"
    assert Mlflow().error_in({"message": "hello"}) is None


@pytest.mark.parametrize(("options", "at"), [({"named": False}, "named"), ({"format": "csv", "params": {}}, "params")])
def test_options_that_do_not_fit_are_mistakes(options: dict[str, Any], at: str) -> None:
    assert [one.at for one in Mlflow(**options).unfit(FEATURES)] == [(at,)]


def test_the_endpoint_is_known_without_its_path() -> None:
    assert Schema(protocol="mlflow", features=FEATURES).path == "/invocations"
