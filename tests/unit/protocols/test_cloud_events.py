import base64
from typing import Any

import orjson
import pytest

from alertdrill.protocols.cloud_events import BadEvent, Event, Kind, read_events
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES
from alertdrill.protocols.malformed import Malformed

REQUEST = "org.kubeflow.serving.inference.request"
RESPONSE = "org.kubeflow.serving.inference.response"
AT = "2026-11-22T20:46:15.250Z"
AT_S = 1795380375.25


def binary(**changes: bytes | None) -> dict[bytes, bytes]:
    """Headers as KServe's logger sends them."""
    headers: dict[bytes, bytes | None] = {
        b"content-type": b"application/json", b"ce-specversion": b"1.0", b"ce-id": b"u-1", b"ce-type": REQUEST.encode(),
        b"ce-source": b"http://localhost:9081/", b"ce-time": AT.encode(), b"ce-inferenceservicename": b"fraud",
        b"ce-namespace": b"default", b"ce-component": b"predictor", b"ce-endpoint": b"",
        **{b"ce-" + name.encode(): value for name, value in changes.items()},
    }  # fmt: skip
    return {name: value for name, value in headers.items() if value is not None}


def structured(**changes: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "u-1", "type": REQUEST, "source": "s", "time": AT, "data": {"a": 1}, **changes}


def test_binary_mode_is_read_as_kserve_sends_it() -> None:
    assert read_events(binary(), b'{"instances": []}') == [Event("u-1", Kind.REQUEST, b'{"instances": []}', AT_S)]
    assert read_events(binary(type=RESPONSE.encode()), b"{}")[0].kind is Kind.RESPONSE
    assert read_events(binary(type=b"org.example.else", time=None), b"{}")[0] == Event("u-1", Kind.OTHER, b"{}", None)


def test_structured_mode_holds_json_or_bytes() -> None:
    headers = {b"content-type": b"application/cloudevents+json; charset=utf-8"}
    assert read_events(headers, orjson.dumps(structured())) == [Event("u-1", Kind.REQUEST, b'{"a":1}', AT_S)]
    raw = structured(data_base64=base64.b64encode(b"\x00\xff").decode())
    assert read_events(headers, orjson.dumps(raw))[0].data == b"\x00\xff"


@pytest.mark.parametrize(("levels", "is_read"), [(254, True), (255, False), (1000, False)])
def test_data_that_is_nested_too_deep_is_malformed_and_costs_no_other_event(levels: int, is_read: bool) -> None:
    headers = {b"content-type": b"application/cloudevents-batch+json"}
    deep = b"[" * levels + b"]" * levels
    whole = orjson.dumps([structured(data="here"), structured(id="u-2")]).replace(b'"here"', deep)
    found, other = read_events(headers, whole)
    assert found.data == (deep if is_read else Malformed.BAD_JSON)
    assert other == Event("u-2", Kind.REQUEST, b'{"a":1}', AT_S)


def test_a_batch_holds_many() -> None:
    headers = {b"content-type": b"application/cloudevents-batch+json"}
    events = read_events(headers, orjson.dumps([structured(), structured(id="u-2", type=RESPONSE)]))
    assert [(event.id, event.kind) for event in events] == [("u-1", Kind.REQUEST), ("u-2", Kind.RESPONSE)]


def test_data_that_is_too_large_is_not_kept() -> None:
    assert read_events(binary(), b" " * (LARGEST_BODY_BYTES + 1))[0].data is Malformed.TOO_LARGE


@pytest.mark.parametrize("time", ["", "yesterday", "2026-11-22T20:46:15", "9999-99-99T00:00:00Z", 5, None])
def test_a_time_that_is_none_is_not_known(time: Any) -> None:
    headers = {b"content-type": b"application/cloudevents+json"}
    assert read_events(headers, orjson.dumps(structured(time=time)))[0].at is None


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"{}"),
        (binary(id=None), b"{}"),
        (binary(id=b"x" * 999), b"{}"),
        (binary(type=b""), b"{}"),
        ({b"content-type": b"application/cloudevents+json"}, b"{"),
        ({b"content-type": b"application/cloudevents+json"}, b"[]"),
        ({b"content-type": b"application/cloudevents+json"}, b'{"id": 5, "type": "a"}'),
        ({b"content-type": b"application/cloudevents+json"}, b'{"id": "5", "type": "a", "data_base64": "*"}'),
        ({b"content-type": b"application/cloudevents+json"}, b'{"id": "5", "type": "a", "data_base64": 5}'),
        ({b"content-type": b"application/cloudevents-batch+json"}, b"{}"),
        ({b"content-type": b"application/cloudevents-batch+json"}, b"[1]"),
    ],
)
def test_what_is_no_event_says_why(headers: dict[bytes, bytes], body: bytes) -> None:
    with pytest.raises(BadEvent, match="expected"):
        read_events(headers, body)
