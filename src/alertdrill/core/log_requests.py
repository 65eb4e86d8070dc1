"""The row that a line of a log holds as a whole request: as it was sent, or as the data of a CloudEvent."""

from collections.abc import Mapping
from typing import Any

from alertdrill.core.log_rows import Unusable
from alertdrill.protocols.cloud_events import BadEvent, Kind, read_event
from alertdrill.protocols.malformed import Malformed, NoRows, encoded
from alertdrill.protocols.schema import Schema


def row_of_request(body: object, schema: Schema) -> Mapping[str, Any]:
    """The one row of a request.

    Args:
        body: JSON, decoded or as its text.
        schema: of the target, whose protocol the request is written in.

    Raises:
        Unusable: it is no such request, or holds several rows.
    """
    data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else encoded(body)
    expected = f"a request as protocol {schema.protocol.kind} writes it"
    if isinstance(data, Malformed):
        raise Unusable(f"no request ({data.value})", expected)
    try:
        rows = schema.protocol.read(data, schema.features)
    except NoRows as none:
        raise Unusable(f"no request ({none.reason.value})", expected) from None
    if len(rows) != 1:
        raise Unusable(f"a request of {len(rows)} rows", "requests of one row: the load sends no others")
    return rows[0]


def request_of_event(values: object) -> bytes | None:
    """The request in a CloudEvent; None for an event about something else, such as an answer.

    Raises:
        Unusable: it is no event, or its data cannot be read.
    """
    try:
        event = read_event(values)
    except BadEvent as bad:
        raise Unusable(f"no event ({bad})", "a CloudEvent in JSON") from None
    if event.kind is not Kind.REQUEST:
        return None
    if isinstance(event.data, Malformed):
        raise Unusable(f"data that cannot be read ({event.data.value})", "the body of a request")
    return event.data
