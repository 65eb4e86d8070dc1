"""CloudEvents 1.0 over HTTP: binary, structured and batched mode (CloudEvents, HTTP Protocol Binding, section 3).

KServe's payload logger (kserve/kserve, pkg/logger) posts in binary mode: `ce-id` is shared by the two events of an
exchange, `ce-type` tells them apart, the body is that of the request or the answer as it was, and only answers with
status 200 are posted.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES
from alertdrill.protocols.malformed import Malformed, encoded

STRUCTURED = b"application/cloudevents+json"
BATCHED = b"application/cloudevents-batch+json"
LONGEST_ID = 200
MOST_IN_A_BATCH = 10_000


class Kind(StrEnum):
    """What an event is about. These are all the values of the label `kind`, beside `bad`."""

    REQUEST = "request"
    RESPONSE = "response"
    OTHER = "other"


class BadEvent(ValueError):
    """A message that holds no CloudEvent; the text says what was found and expected."""


class Event(NamedTuple):
    """One event.

    Attributes:
        id: that request and response share.
        kind: which of them it is.
        data: the body of the request or the answer, or why there is none to keep.
        at: when the logger made the event, seconds since 1970; None if it does not say.
    """

    id: str
    kind: Kind
    data: bytes | Malformed
    at: float | None


def read_events(headers: Mapping[bytes, bytes], body: bytes) -> list[Event]:
    """The events of a POST, one unless it is a batch.

    Args:
        headers: names in lower case.
        body: of the POST.

    Raises:
        BadEvent: it holds none, or one of a batch is none.
    """
    content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if content_type == STRUCTURED:
        return [read_event(_json(body))]
    if content_type == BATCHED:
        batch = _json(body)
        if not isinstance(batch, list) or len(batch) > MOST_IN_A_BATCH:
            raise BadEvent(f"expected a list of at most {MOST_IN_A_BATCH:,} events")
        return [read_event(one) for one in batch]
    attributes = {name: _text(headers.get(b"ce-" + name.encode())) for name in ("id", "type", "time")}
    return [_event(attributes, body)]


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        raise BadEvent("got a body that is no JSON, expected an event in JSON") from None


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def read_event(value: Any) -> Event:
    """An event in structured mode, decoded.

    Raises:
        BadEvent: it is none.
    """
    if not isinstance(value, dict):
        raise BadEvent("expected an event to be an object")
    data: bytes | Malformed
    if "data_base64" in value:
        try:
            data = base64.b64decode(value["data_base64"], validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise BadEvent("data_base64: expected base64") from None
    else:
        data = encoded(value["data"]) if "data" in value else b""
    return _event(value, data)


def _event(attributes: Mapping[str, Any], data: bytes | Malformed) -> Event:
    name, type_ = attributes.get("id"), attributes.get("type")
    if not isinstance(name, str) or not name or len(name) > LONGEST_ID:
        raise BadEvent(f"id: expected a text of 1 to {LONGEST_ID} characters (header ce-id in binary mode)")
    if not isinstance(type_, str) or not type_:
        raise BadEvent("type: expected a text (header ce-type in binary mode)")
    kept = data if len(data) <= LARGEST_BODY_BYTES else Malformed.TOO_LARGE
    return Event(name, _kind(type_), kept, _seconds(attributes.get("time")))


def _kind(type_: str) -> Kind:
    """KServe's types end in .request and .response, under org.kubeflow.serving or another prefix."""
    last = type_.rpartition(".")[2]
    return Kind(last) if last in (Kind.REQUEST, Kind.RESPONSE) else Kind.OTHER


def _seconds(time: object) -> float | None:
    if not isinstance(time, str):
        return None
    try:
        moment = datetime.fromisoformat(time)
        return moment.timestamp() if moment.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None
