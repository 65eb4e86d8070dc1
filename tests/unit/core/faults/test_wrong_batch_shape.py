import json

import pytest
from tests.unit.core.faults.bodies import assert_every_body_changes, edited

from alertdrill.core.faults.body.wrong_batch_shape import WrongBatchShape

BODY = b'{"amount":1.50,"country":"D,E","hour":null}'


def fault(shape: str = "list") -> WrongBatchShape:
    return WrongBatchShape.model_validate({"kind": "wrong_batch_shape", "shape": shape, "share": 0.1})


@pytest.mark.parametrize("shape", ["list", "double", "columns"])
def test_every_body_changes(shape: str):
    assert_every_body_changes(fault(shape))


@pytest.mark.parametrize(
    ("shape", "data"),
    [
        ("list", b"[" + BODY + b"]"),
        ("double", b"[[" + BODY + b"]]"),
        ("columns", b'{"amount":[1.50],"country":["D,E"],"hour":[null]}'),
    ],
)
def test_the_row_becomes_a_batch_with_the_same_values(shape: str, data: bytes):
    assert edited(fault(shape), BODY) == data
    json.loads(data)


def test_a_literal_that_is_no_json_is_wrapped_as_it_is():
    assert edited(fault("columns"), b'{"amount":NaN}') == b'{"amount":[NaN]}'


@pytest.mark.parametrize(("shape", "data"), [("list", b"[{}]"), ("double", b"[[{}]]"), ("columns", b"[{}]")])
def test_an_empty_object_has_no_columns(shape: str, data: bytes):
    assert edited(fault(shape), b"{}") == data
