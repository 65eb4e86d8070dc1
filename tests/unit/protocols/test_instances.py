from typing import Any

import orjson
import pytest
from tests.unit.protocols.rows_of_two import FEATURES, ROW, faulted, read, written

from alertdrill.protocols.instances import Instances
from alertdrill.protocols.malformed import Malformed
from alertdrill.protocols.pointer import Nowhere


@pytest.mark.parametrize(
    ("of", "body"),
    [
        (Instances(), {"instances": [ROW]}),
        (Instances(rows="values"), {"instances": [[1.5, 3, "RS"]]}),
        (Instances(rows="columns"), {"inputs": {"amount": [1.5], "hour": [3], "country": ["RS"]}}),
        (Instances(parameters={"a": 1}), {"parameters": {"a": 1}, "instances": [ROW]}),
        (Instances(rows="values", signature_name="s"), {"signature_name": "s", "instances": [[1.5, 3, "RS"]]}),
    ],
)
def test_a_row_is_written_as_the_server_takes_it_and_read_back(of: Instances, body: Any) -> None:
    assert orjson.loads(written(of)) == body
    assert read(of, written(of)) == [ROW]


def test_faults_are_written_as_a_broken_client_would() -> None:
    rest = b'"hour":3,"country":"RS"}]}'
    assert faulted(Instances()) == [
        b'{"instances":[{"amount":null,' + rest,
        b'{"instances":[{' + rest,
        b'{"instances":[{"amount":NaN,' + rest,
        b'{"instances":[{"amount":"",' + rest,
        b'{"instances":[{"amount":true,' + rest,
    ]
    null, missing, *_ = faulted(Instances(rows="columns"))
    assert null == b'{"inputs":{"amount":[null],"hour":[3],"country":["RS"]}}'
    assert missing == b'{"inputs":{"hour":[3],"country":["RS"]}}'


@pytest.mark.parametrize(
    ("sent", "rows"),
    [
        ({"instances": [[1.5, 3, "RS"], ROW]}, [ROW, ROW]),
        ({"inputs": [[1.5, 3, "RS"]]}, [ROW]),
        (
            {"inputs": {"amount": [[1.5], [2.5]], "hour": [3, 4]}},
            [{"amount": 1.5, "hour": 3}, {"amount": 2.5, "hour": 4}],
        ),
        ({}, Malformed.NO_ROWS),
        ([ROW], Malformed.NOT_AN_OBJECT),
        ({"instances": []}, Malformed.WRONG_BATCH),
        ({"instances": ROW}, Malformed.WRONG_BATCH),
        ({"instances": [[1.5]]}, Malformed.WRONG_BATCH),
        ({"inputs": {}}, Malformed.WRONG_BATCH),
        ({"inputs": {"amount": 1.5}}, Malformed.WRONG_BATCH),
        ({"inputs": {"amount": [1.5], "hour": []}}, Malformed.WRONG_BATCH),
    ],
)
def test_rows_are_read_in_either_format(sent: Any, rows: Any) -> None:
    assert read(Instances(), orjson.dumps(sent)) == rows


def test_a_model_of_one_feature_takes_bare_values() -> None:
    assert read(Instances(), b'{"instances":[1.5,null]}', FEATURES[:1]) == [{"amount": 1.5}, {"amount": None}]
    assert read(Instances(), b'{"instances":[1.5]}') is Malformed.WRONG_BATCH


@pytest.mark.parametrize(
    ("answer", "predictions"),
    [
        ({"predictions": [1, 0]}, [1, 0]),
        ({"predictions": [{"label": 1}]}, [{"label": 1}]),
        ({"outputs": [0.25]}, [0.25]),
        ({"outputs": {"y": [1, 0], "p": [[0.1], [0.9]]}}, [{"y": 1, "p": 0.1}, {"y": 0, "p": 0.9}]),
        ({"outputs": {"y": 1}}, None),
        ({"prediction": [1]}, None),
        ([1], None),
    ],
)
def test_an_answer_holds_one_prediction_a_row(answer: Any, predictions: Any) -> None:
    if predictions is None:
        with pytest.raises(Nowhere):
            Instances().predictions(answer)
    else:
        assert Instances().predictions(answer) == predictions


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"error": "bad"}, "bad"),
        ({"error": {"code": 400, "message": "bad\ninput"}}, "bad input"),
        ({"error": {"code": 400}}, '{"code":400}'),
        ({"error": None, "predictions": [1]}, None),
        ({"error": 0.5}, None),
        ([], None),
    ],
)
def test_an_error_is_one_line(answer: Any, error: str | None) -> None:
    assert Instances().error_in(answer) == error
