"""HTTP/1.1 heads as bytes: which headers pass through a proxy, and how an answer is framed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from alertdrill.relay.exchange import Headers, Request, Response

HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade"}
)  # RFC 9110, section 7.6.1
MARKS = HOP_BY_HOP | {b"content-length", b"expect", b"host"}
PLAIN_CONNECTIONS = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close"})
MOST_NAMES, LONGEST_NAME = 1000, 64
_LOWER: dict[bytes, bytes] = {}  # of header names as they were written
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NO_BODY_STATUSES = frozenset({204, 304})
REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


@dataclass(slots=True)
class Survey:
    """Headers sorted by what a proxy does with them.

    Attributes:
        lower: all headers, names in lower case.
        passed: the headers to pass on, names as written: all but the hop-by-hop ones and those that `Connection` names.
        marks: lower-case name to value of those that decide about framing and the connection.
    """

    lower: Headers
    passed: list[tuple[bytes, bytes]]
    marks: dict[bytes, bytes]


def survey(headers: list[tuple[bytes, bytes]]) -> Survey:
    """Sort the headers of a head."""
    known = _LOWER.get
    lower = tuple([(known(name) or _lower(name), value) for name, value in headers])
    marks: dict[bytes, bytes] = {}
    for name, value in lower:
        if name in MARKS:
            marks[name] = value if name not in marks else marks[name] + b"," + value
    if HOP_BY_HOP.isdisjoint(marks):
        return Survey(lower, headers, marks)
    dropped = HOP_BY_HOP
    connection = marks.get(b"connection")
    if connection is not None and connection not in PLAIN_CONNECTIONS:
        dropped |= {token.strip().lower() for token in connection.split(b",")}
    passed = [header for header, (name, _) in zip(headers, lower, strict=True) if name not in dropped]
    return Survey(lower, passed, marks)


def _lower(name: bytes) -> bytes:
    """A name in lower case; that of the next one written alike is known."""
    if len(_LOWER) < MOST_NAMES and len(name) <= LONGEST_NAME:
        _LOWER[name] = name.lower()
    return name.lower()


def head(start: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A start line and headers, with the empty line that ends them."""
    return b"\r\n".join([start, *[b"%b: %b" % header for header in headers], b"", b""])


def request_head(request: Request, headers: Survey, authority: bytes) -> bytes:
    """The head to send upstream for a request whose body was read completely.

    Args:
        request: the request.
        headers: its headers, surveyed.
        authority: host and port of the upstream, for clients that name no host (HTTP/1.0).
    """
    passed = headers.passed
    if b"expect" in headers.marks:  # 100-continue was answered by the relay itself
        passed = [header for header in passed if header[0].lower() != b"expect"]
    if b"transfer-encoding" in headers.marks:
        passed = [*passed, (b"Content-Length", b"%d" % len(request.body))]
    if b"host" not in headers.marks:
        passed = [*passed, (b"Host", authority)]
    return head(b"%b %b HTTP/1.1" % (request.method, request.target), passed)


def status_line(status: int, reason: bytes) -> bytes:
    """The first line of an answer, without its line end."""
    return b"HTTP/1.1 %d %b" % (status, reason)


def reason_of(status: int) -> bytes:
    """The usual reason phrase of a status code, empty for one that has none."""
    return REASONS.get(status, b"")


def answer(response: Response, *, bodiless: bool, connection: bytes | None) -> bytes:
    """A whole answer that the relay gives itself.

    Args:
        response: status, headers and body.
        bodiless: the request was HEAD: the head is the same, the body stays away.
        connection: value of the `Connection` header, None for no such header.
    """
    headers = [*response.headers, (b"Content-Length", b"%d" % len(response.body))]
    if connection is not None:
        headers.append((b"Connection", connection))
    return head(status_line(response.status, reason_of(response.status)), headers) + (
        b"" if bodiless else response.body
    )


def error(status: int, code: str, detail: str) -> Response:
    """The JSON answer of a relay that could not do its work."""
    body = json.dumps({"error": code, "detail": detail}).encode()
    return Response(status, ((b"Content-Type", b"application/json"),), body)


def origin_form(target: bytes) -> bytes:
    """Path and query of a request target; `http://host/path` is what clients send to a proxy they know of."""
    if target[:1] == b"/" or b"://" not in target:
        return target
    rest = target.partition(b"://")[2]
    starts = [at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0]
    path = rest[min(starts) :] if starts else b"/"
    return path if path[:1] == b"/" else b"/" + path


def chunk(data: bytes) -> list[bytes]:
    """One chunk of the chunked encoding."""
    return [b"%x\r\n" % len(data), data, b"\r\n"]


def last_chunk(trailers: Headers) -> bytes:
    """What ends a chunked body."""
    return head(b"0", trailers)
