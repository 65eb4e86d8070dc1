from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.monitor.bodies import Bodies
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.features import Feature, FeatureKind
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.malformed import Malformed
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2

FEATURES = (Feature(name="amount", kind=FeatureKind.NUMBER), Feature(name="country", kind=FeatureKind.CATEGORY))


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


@pytest.mark.parametrize(
    ("protocol", "sent", "rows"),
    [
        (Instances(), {"instances": [[1.5, "DE"], {"amount": 2}]}, [{"amount": 1.5, "country": "DE"}, {"amount": 2}]),
        (OipV2(), {"inputs": [{"name": "amount", "shape": [1], "data": [1.5]}]}, [{"amount": 1.5}]),
        (Mlflow(), {"dataframe_split": {"columns": ["amount"], "data": [[1.5]]}}, [{"amount": 1.5}]),
        (Json(body=["$values"]), [[1.5, "DE"]], [{"amount": 1.5, "country": "DE"}]),
    ],
)
def test_rows_are_read_as_the_protocol_has_them(protocol: Protocol, sent: Any, rows: list[Any]) -> None:
    bodies = Bodies(protocol, FEATURES)
    assert list(bodies.read(orjson.dumps(sent))) == rows
    assert [list(one) for one in bodies.read_all([orjson.dumps(sent)] * 2)] == [rows] * 2  # type: ignore[arg-type]
    assert bodies.read(b"{}") is Malformed.NO_ROWS or isinstance(protocol, Json)


def test_csv_is_read_although_it_may_look_like_json() -> None:
    bodies = Bodies(Mlflow(format="csv"), FEATURES[:1])
    assert bodies.read_all([b"amount\r\n7\r\n", b"7\n8", Malformed.INCOMPLETE, b"", b'amount\n"7,8"\n']) == [
        [{"amount": 7.0}],
        [{"7": "8"}],
        Malformed.INCOMPLETE,
        Malformed.EMPTY,
        [{"amount": "7,8"}],
    ]
