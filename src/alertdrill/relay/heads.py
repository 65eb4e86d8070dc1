"""Heads that came before: clients and servers repeat theirs to the byte, and what one means need be found out once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import httptools

from alertdrill.relay import wire
from alertdrill.relay.wire import NO_BODY_STATUSES, Survey

MOST_HEADS = 1000
LONGEST_HEAD = 4096
END = b"\r\n\r\n"
BESIDE = wire.HOP_BY_HOP - {b"connection", b"keep-alive"} | {b"expect"}  # what asks for more than head and length


class Head(Protocol):
    """What a head means."""

    @property
    def size(self) -> int:
        """Bytes of the message, its body included."""


H = TypeVar("H", bound=Head)


class Heads(Generic[H]):
    """Remembers what heads mean that came at least twice, within bounds.

    Args:
        learn: what a head, its empty line included, means; None if it asks for more than can be remembered.
    """

    def __init__(self, learn: Callable[[bytes], H | None]) -> None:
        self._learn = learn
        self._known: dict[bytes, H | None] = {}
        self._once: set[bytes] = set()

    def find(self, data: bytes) -> H | None:
        """What the head means of a whole message, if `data` is one and nothing more, and the head is known."""
        at = data.find(END) + 4
        text = data[:at]
        found = self._known.get(text)
        if found is not None:
            return found if found.size == len(data) else None
        if 4 <= at <= LONGEST_HEAD and text not in self._known:
            self._remember(text)
        return None

    def _remember(self, text: bytes) -> None:
        """Heads with an id of their own come but once: only the second time is it worth while to look closer."""
        if text not in self._once:
            if len(self._once) >= MOST_HEADS:
                self._once.clear()
            self._once.add(text)
            return
        self._once.discard(text)
        if len(self._known) >= MOST_HEADS:
            self._known.clear()
        self._known[text] = self._learn(text)


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request of HTTP/1.1 on a connection that stays, its body framed by a length.

    Attributes:
        size: bytes of head and body.
        body_at: where the body begins.
        method: verb in upper case.
        target: path and query.
        headers: surveyed.
        forwarded: the head to send upstream.
    """

    size: int
    body_at: int
    method: bytes
    target: bytes
    headers: Survey
    forwarded: bytes


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """A final answer of HTTP/1.1 to anything but HEAD, on a connection that stays, its body framed by a length.

    Attributes:
        size: bytes of head and body.
        body_at: where the body begins.
        status: its code.
        reason: phrase after the code.
        headers: surveyed.
        text: the head to pass on to a client of HTTP/1.1 whose connection stays.
    """

    size: int
    body_at: int
    status: int
    reason: bytes
    headers: Survey
    text: bytes


class _Reader:
    """What a parser finds in a head."""

    def __init__(self) -> None:
        self.target = self.reason = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False

    def on_url(self, piece: bytes) -> None:
        self.target += piece

    def on_status(self, piece: bytes) -> None:
        self.reason += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.complete = True


def learn_request(text: bytes, authority: bytes, max_body_bytes: int) -> RequestHead | None:
    """What the head of a request means; None if more depends on it than where to send how many bytes.

    Args:
        text: of the head, up to and including its empty line.
        authority: host and port of the upstream, for clients that name no host.
        max_body_bytes: longest body that is taken.
    """
    reader = _Reader()
    parser = httptools.HttpRequestParser(reader)
    if not _ends_there(parser, reader, text) or parser.get_http_version() != "1.1":
        return None
    headers = wire.survey(reader.headers)
    length = _length(headers)
    method, target = parser.get_method(), wire.origin_form(reader.target)
    if length is None or length > max_body_bytes or method == b"CONNECT":
        return None
    forwarded = wire.request_head(method, target, headers, length, authority)
    return RequestHead(len(text) + length, len(text), method, target, headers, forwarded)


def learn_answer(text: bytes) -> AnswerHead | None:
    """What the head of an answer means; None if more depends on it than how many bytes to pass on.

    Args:
        text: of the head, up to and including its empty line.
    """
    reader = _Reader()
    parser = httptools.HttpResponseParser(reader)
    if not _ends_there(parser, reader, text) or parser.get_http_version() != "1.1":
        return None
    headers = wire.survey(reader.headers)
    length, status = _length(headers), parser.get_status_code()
    if length is None or b"content-length" not in headers.marks or status < 200 or status in NO_BODY_STATUSES:
        return None
    passed = wire.head(wire.status_line(status, reader.reason), headers.passed)
    return AnswerHead(len(text) + length, len(text), status, reader.reason, headers, passed)


def _ends_there(
    parser: httptools.HttpRequestParser | httptools.HttpResponseParser, reader: _Reader, text: bytes
) -> bool:
    """Whether the text is one head to its very end, as the parser reads it."""
    try:
        parser.feed_data(text[:-1])
        early = reader.complete
        parser.feed_data(text[-1:])
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return False
    return reader.complete and not early


def _length(headers: Survey) -> int | None:
    """Bytes of the body; None where something else than a length decides, or the connection will not stay."""
    marks = headers.marks
    if not BESIDE.isdisjoint(marks) or marks.get(b"connection", b"keep-alive") not in (b"keep-alive", b"Keep-Alive"):
        return None
    length = marks.get(b"content-length", b"0")
    return int(length) if length.isdigit() else None
