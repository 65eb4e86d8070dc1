from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.monitor.bodies import Bodies, Malformed
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Malformed.EMPTY),
        (b" \n", Malformed.EMPTY),
        (b'{"amount": "\xff"}', Malformed.BAD_ENCODING),
        (b'{"amount": 1', Malformed.BAD_JSON),
        (b'{"amount": NaN}', Malformed.BAD_JSON),
        (b'{"amount": 1e999}', Malformed.BAD_JSON),
        (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, Malformed.BAD_JSON),
        (b"[1, 2]", Malformed.NOT_AN_OBJECT),
        (b"null", Malformed.NOT_AN_OBJECT),
        (b'{"a": "' + b"x" * LARGEST_BODY_BYTES + b'"}', Malformed.TOO_LARGE),
    ],
)
def test_every_unreadable_body_has_one_reason(body: bytes, reason: Malformed) -> None:
    assert Bodies().read(body) is reason


def test_an_object_is_a_row() -> None:
    assert Bodies().read(b'{"amount": null, "country": "DE"}') == ({"amount": None, "country": "DE"},)


@given(st.binary(max_size=40))
def test_no_bytes_raise(body: bytes) -> None:
    assert isinstance(Bodies().read(body), tuple | Malformed)


ROW = {"amount": 1.5, "country": "DE"}
TENSORS = [
    {"name": "amount", "shape": [2, 1], "datatype": "FP64", "data": [[1.5], [2.5]]},
    {"name": "country", "shape": [2], "datatype": "BYTES", "data": ["DE", "FR"]},
]


@pytest.mark.parametrize(
    ("pointer", "sent", "rows"),
    [
        ("/row", {"row": ROW}, [ROW]),
        ("/instances", {"instances": [ROW, ROW]}, [ROW, ROW]),
        ("/instances", {"instances": [[1.5, "DE"]]}, [ROW]),
        ("/inputs", {"inputs": TENSORS}, [ROW, {"amount": 2.5, "country": "FR"}]),
        ("/inputs", {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "BYTES", "data": [1.5, "DE"]}]}, [ROW]),
    ],
)
def test_a_pointer_leads_to_rows_in_every_usual_shape(pointer: str, sent: Any, rows: list[Any]) -> None:
    assert list(Bodies(("amount", "country"), pointer).read(orjson.dumps(sent))) == rows


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({}, Malformed.NO_ROWS),
        ([ROW], Malformed.NO_ROWS),
        ({"inputs": []}, Malformed.WRONG_BATCH),
        ({"inputs": 5}, Malformed.WRONG_BATCH),
        ({"inputs": [[1.5, "DE"], [1.5]]}, Malformed.WRONG_BATCH),
        ({"inputs": [[[1.5, "DE"]]]}, Malformed.WRONG_BATCH),
        ({"inputs": [ROW, [1.5, "DE"]]}, Malformed.WRONG_BATCH),
        ({"inputs": [TENSORS[0], {**TENSORS[1], "data": ["DE"]}]}, Malformed.WRONG_BATCH),
        ({"inputs": [{**TENSORS[0], "shape": [7]}]}, Malformed.WRONG_BATCH),
        ({"inputs": [{**TENSORS[0], "shape": "no"}]}, Malformed.WRONG_BATCH),
        ({"inputs": [{**TENSORS[0], "data": 5}]}, Malformed.WRONG_BATCH),
        ({"inputs": [{"name": "x", "shape": [2, 2], "data": [1.5, "DE"]}]}, Malformed.WRONG_BATCH),
    ],
)
def test_a_wrong_batch_has_a_reason(sent: Any, reason: Malformed) -> None:
    assert Bodies(("amount", "country"), "/inputs").read(orjson.dumps(sent)) is reason
