from typing import Any

import orjson
import pytest
from pydantic import ValidationError
from tests.unit.protocols.rows_of_two import FEATURES, NUMBERS, ROW, faulted, read, schema, written

from alertdrill.protocols.malformed import Malformed
from alertdrill.protocols.oip_v2 import OipV2
from alertdrill.protocols.pointer import Nowhere

AMOUNT = {"name": "amount", "shape": [1, 1], "datatype": "FP64", "data": [1.5]}


def inputs(body: bytes) -> Any:
    return orjson.loads(body)["inputs"]


def test_each_feature_is_a_tensor_of_its_datatype() -> None:
    assert inputs(written(OipV2())) == [
        AMOUNT,
        {"name": "hour", "shape": [1, 1], "datatype": "INT64", "data": [3]},
        {"name": "country", "shape": [1, 1], "datatype": "BYTES", "data": ["RS"]},
    ]


def test_datatypes_shapes_parameters_and_outputs_can_be_set() -> None:
    of = OipV2(
        numbers="FP32", integers="INT32", flat=True, parameters={"content_type": "pd"},
        text_parameters={"content_type": "str"}, outputs=("predict", "predict_proba"),
    )  # fmt: skip
    body = orjson.loads(written(of))
    assert [(one["datatype"], one["shape"]) for one in body["inputs"]] == [
        ("FP32", [1]),
        ("INT32", [1]),
        ("BYTES", [1]),
    ]
    assert [one.get("parameters") for one in body["inputs"]] == [None, None, {"content_type": "str"}]
    assert body["parameters"] == {"content_type": "pd"}
    assert body["outputs"] == [{"name": "predict"}, {"name": "predict_proba"}]


def test_one_tensor_holds_all_features_if_they_are_alike() -> None:
    (one,) = inputs(written(OipV2(tensors="one", name="predict"), NUMBERS))
    assert one == {"name": "predict", "shape": [1, 2], "datatype": "FP64", "data": [1.5, 3]}
    (texts,) = inputs(written(OipV2(tensors="one", text_parameters={"content_type": "str"}), FEATURES[2:]))
    assert texts["datatype"] == "BYTES"
    assert texts["parameters"] == {"content_type": "str"}
    (whole,) = inputs(written(OipV2(tensors="one"), FEATURES[1:2]))
    assert (whole["name"], whole["datatype"]) == ("input-0", "INT64")


def test_faults_are_written_as_a_broken_client_would() -> None:
    head, tail = b'{"name":"amount","shape":[1,1],"datatype":"FP64","data":[', b"]}"
    null, missing, nan, empty, boolean = faulted(OipV2())
    assert head + b"null" + tail in null
    assert b"amount" not in missing
    assert head + b"NaN" + tail in nan
    assert head + b'""' + tail in empty
    assert head + b"true" + tail in boolean
    assert b'"data":[null,3]' in faulted(OipV2(tensors="one"), NUMBERS)[0]


@pytest.mark.parametrize(
    ("options", "at"),
    [({"tensors": "one"}, "tensors"), ({"tensors": "one", "flat": True}, "flat"), ({"name": "x"}, "name")],
)
def test_options_that_do_not_fit_are_mistakes(options: dict[str, Any], at: str) -> None:
    features = NUMBERS if at == "flat" else FEATURES
    mistakes = [one.at for one in OipV2(**options).unfit(features)]
    assert mistakes == [(at,)]
    with pytest.raises(ValidationError):
        schema(OipV2(**options), features)


def test_data_may_be_nested_and_hold_many_rows() -> None:
    nested = {
        "inputs": [
            {"name": "amount", "shape": [2, 1], "data": [[1.5], [2.5]]},
            {"name": "hour", "shape": [2], "data": [3, 4]},
        ]
    }
    assert read(OipV2(), orjson.dumps(nested)) == [{"amount": 1.5, "hour": 3}, {"amount": 2.5, "hour": 4}]
    matrix = {"inputs": [{"name": "x", "shape": [2, 3], "data": [[1.5, 3, "RS"], [2.5, 4, "CZ"]]}]}
    assert read(OipV2(), orjson.dumps(matrix)) == [ROW, {"amount": 2.5, "hour": 4, "country": "CZ"}]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([], Malformed.NOT_AN_OBJECT),
        ({}, Malformed.NO_ROWS),
        ({"inputs": []}, Malformed.WRONG_BATCH),
        ({"inputs": 5}, Malformed.WRONG_BATCH),
        ({"inputs": [[1.5, "DE"]]}, Malformed.WRONG_BATCH),
        ({"inputs": [AMOUNT, {**AMOUNT, "name": "hour", "shape": [2], "data": [1, 2]}]}, Malformed.WRONG_BATCH),
        ({"inputs": [{**AMOUNT, "shape": [7]}]}, Malformed.WRONG_BATCH),
        ({"inputs": [{**AMOUNT, "shape": "no"}]}, Malformed.WRONG_BATCH),
        ({"inputs": [{**AMOUNT, "data": 5}]}, Malformed.WRONG_BATCH),
        ({"inputs": [{"name": "x", "shape": [2, 2], "data": [1.5, "DE"]}]}, Malformed.WRONG_BATCH),
        ({"inputs": [{"name": "x", "shape": [1, 2], "data": [1, 2, 3]}]}, Malformed.WRONG_BATCH),
    ],
)
def test_what_holds_no_rows_has_a_reason(sent: Any, reason: Malformed) -> None:
    assert read(OipV2(), orjson.dumps(sent)) is reason


def tensor(name: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": "FP64", "data": data}


@pytest.mark.parametrize(
    ("outputs", "predictions"),
    [
        ([tensor("y", [2], [0, 1])], [0, 1]),
        ([tensor("y", [2, 1], [[0], [1]])], [0, 1]),
        ([tensor("p", [2, 2], [0.9, 0.1, 0.2, 0.8])], [[0.9, 0.1], [0.2, 0.8]]),
        ([tensor("y", [1], [1]), tensor("p", [1, 2], [0.2, 0.8])], [{"y": 1, "p": [0.2, 0.8]}]),
    ],
)
def test_an_answer_holds_one_prediction_a_row(outputs: list[Any], predictions: list[Any]) -> None:
    assert OipV2().predictions({"model_name": "m", "outputs": outputs}) == predictions


@pytest.mark.parametrize(
    "answer",
    [
        {}, [], {"outputs": []}, {"outputs": [{"name": "y"}]}, {"outputs": [tensor("y", [0], [])]},
        {"outputs": [tensor("y", [2], [1, 2, 3])]}, {"outputs": [tensor("y", [1], [1]), tensor("z", [2], [1, 2])]},
    ],
)  # fmt: skip
def test_an_answer_without_predictions_is_none(answer: Any) -> None:
    with pytest.raises(Nowhere):
        OipV2().predictions(answer)


def test_pointers_lead_from_each_prediction() -> None:
    answer = {"outputs": [tensor("y", [2], [0, 1]), tensor("p", [2, 2], [0.9, 0.1, 0.2, 0.8])]}
    assert OipV2().find_in_each("/p/1", "no")([answer, {}]) == [[0.1, 0.8], "no"]
    assert OipV2().find_in_each("/y", "no")([answer]) == [[0, 1]]
    assert OipV2().find_in_each("/z", "no")([answer]) == [["no", "no"]]


def test_an_error_is_found_whatever_its_status() -> None:
    assert OipV2().error_in({"error": "no such model"}) == "no such model"
    assert OipV2().error_in({"outputs": []}) is None
    assert OipV2().error_of(b"Internal Server\nError") == "Internal Server Error"
    assert OipV2().error_of(b"") is None
    assert OipV2().why_none(b'{"error":"x"}') == "an error: x"
    assert OipV2().why_none(b"{}") == "got no tensors under outputs"
    assert OipV2().why_none(orjson.dumps({"outputs": [tensor("y", [1], [1])]})) is None
