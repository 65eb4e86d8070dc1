"""Heads that came before, or nearly: clients and servers repeat theirs, and what one means need be found out once.

They repeat them to the byte, or but for the values of headers that decide about nothing: an id, a trace, a date; and
the length. The parser is asked what a head means that has slots for these, its frame.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

import httptools

from alertdrill.relay import wire
from alertdrill.relay.wire import NO_BODY_STATUSES, Survey

MOST_HEADS = 1000
MOST_FRAMES = 16
LONGEST_HEAD = 4096
EOL = b"\r\n"
END = EOL + EOL
BESIDE = wire.HOP_BY_HOP - {b"connection", b"keep-alive"} | {b"expect"}  # what asks for more than head and length
HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): (.*)", re.DOTALL)
VALUE, SLOT = rb"([!-~\x80-\xff][\t -~\x80-\xff]*)", b"(value)"
LENGTH, NO_LENGTH = rb"([0-9]{1,15})", b"000000000000000"


class Head(Protocol):
    """What a head means."""

    @property
    def size(self) -> int:
        """Bytes of the message, its body included."""

    @property
    def body_at(self) -> int:
        """Where the body begins."""

    @property
    def headers(self) -> Survey:
        """Its headers, surveyed."""

    @property
    def forwarded(self) -> bytes:
        """The head to pass on."""

    def refilled(self, size: int, body_at: int, headers: Survey, forwarded: bytes) -> Self:
        """The same but for the values of some headers."""


H = TypeVar("H", bound=Head)


@dataclass(frozen=True, slots=True)
class Frame(Generic[H]):
    """What heads mean that differ in nothing but the values of their slots.

    Attributes:
        pattern: what all of them match, a group a slot.
        head: with slots; None where more depends on such heads than can be remembered.
        pieces: of the head to pass on, every second one a slot.
        slots: place and name of each among all headers of the survey, and place and name among those that pass.
        length: which slot is the length of the body; None without one.
    """

    pattern: re.Pattern[bytes]
    head: H | None = None
    pieces: tuple[bytes, ...] = ()
    slots: tuple[tuple[int, bytes, int, bytes], ...] = ()
    length: int | None = None

    def filled(self, text: bytes, values: tuple[bytes, ...]) -> H | None:
        """What a head means that matches, with these values in its slots."""
        if self.head is None:
            return None
        shape = self.head.headers
        pieces, lower, passed, marks = list(self.pieces), list(shape.lower), shape.passed.copy(), shape.marks
        pieces[1::2] = values
        for value, (lower_at, name, passed_at, written) in zip(values, self.slots, strict=True):
            lower[lower_at] = (name, value)
            passed[passed_at] = (written, value)
        size = len(text)
        if self.length is not None:
            marks = {**marks, b"content-length": values[self.length]}
            size += int(values[self.length])
        return self.head.refilled(size, len(text), Survey(tuple(lower), passed, marks), b"".join(pieces))


class Heads(Generic[H]):
    """Remembers what heads and frames mean that came at least twice, within bounds.

    Args:
        learn: what a head, its empty line included, means; None if it asks for more than can be remembered.
        max_body_bytes: longest body that such a head may announce.
    """

    def __init__(self, learn: Callable[[bytes], H | None], max_body_bytes: float = math.inf) -> None:
        self._learn = learn
        self._max_body_bytes = max_body_bytes
        self._known: dict[bytes, H | None] = {}
        self._frames: list[Frame[H]] = []  # the one that came last first
        self._once: set[bytes] = set()

    def find(self, data: bytes) -> H | None:
        """What the head means of a whole message, if `data` is one and nothing more, and one like it is known."""
        at = data.find(END) + 4
        text = data[:at]
        found = self._known.get(text)
        if found is None and 4 <= at <= LONGEST_HEAD and text not in self._known:
            found = self._recognise(text)
        return found if found is not None and found.size == len(data) else None

    def _recognise(self, text: bytes) -> H | None:
        for at, frame in enumerate(self._frames):
            match = frame.pattern.fullmatch(text)
            if match is not None:
                if at:
                    self._frames.insert(0, self._frames.pop(at))
                return self._remembered(text, frame.filled(text, match.groups()))
        self._look_closer(text)
        return None

    def _remembered(self, text: bytes, found: H | None) -> H | None:
        """Keep what a head means that came before, if its body may be that long."""
        if found is not None and found.size - found.body_at > self._max_body_bytes:
            found = None
        if self._again(text):
            if len(self._known) >= MOST_HEADS:
                self._known.clear()
            self._known[text] = found
        return found

    def _again(self, what: bytes) -> bool:
        """Whether it comes for the second time: only then is it worth while to remember it."""
        if what in self._once:
            self._once.discard(what)
            return True
        if len(self._once) >= MOST_HEADS:
            self._once.clear()
        self._once.add(what)
        return False

    def _look_closer(self, text: bytes) -> None:
        """Remember the frame of a head, if it comes again."""
        lines = [_slotted(line) for line in text[: -len(END)].split(EOL)]
        pattern = EOL.join([pattern for pattern, _ in lines]) + END
        if self._again(pattern):
            head = self._learn(EOL.join([line for _, line in lines]) + END)
            del self._frames[MOST_FRAMES - 1 :]
            self._frames.insert(0, _frame(re.compile(pattern), head))


def _slotted(line: bytes) -> tuple[bytes, bytes]:
    """A pattern for a line and its like, and the one of them that the parser is shown."""
    header = HEADER.fullmatch(line)
    if header is not None:
        named, name = header[1] + b": ", header[1].lower()
        if name == b"content-length" and re.fullmatch(LENGTH, header[2]):
            return re.escape(named) + LENGTH, named + NO_LENGTH
        if name not in wire.MARKS and re.fullmatch(VALUE, header[2]):
            return re.escape(named) + VALUE, named + SLOT
    return re.escape(line), line


def _frame(pattern: re.Pattern[bytes], head: H | None) -> Frame[H]:
    """The frame of heads, if its slots are found again in what the parser made of it."""
    if head is None:
        return Frame(pattern)
    lower, passed = _slots(head.headers.lower), _slots(head.headers.passed)
    pieces = re.split(b"(%b|%b)" % (re.escape(SLOT), NO_LENGTH), head.forwarded)
    if not pattern.groups == len(lower) == len(passed) == len(pieces) // 2:
        return Frame(pattern)
    slots = tuple([(*one, *other) for one, other in zip(lower, passed, strict=True)])
    lengths = [at for at, (_, name, _, _) in enumerate(slots) if name == b"content-length"]
    return Frame(pattern, head, tuple(pieces), slots, lengths[0] if lengths else None)


def _slots(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[int, bytes]]:
    """Where slots are among headers, and their names."""
    return [(at, name) for at, (name, value) in enumerate(headers) if value in (SLOT, NO_LENGTH)]


class RequestHead(NamedTuple):
    """A request of HTTP/1.1 on a connection that stays, its body framed by a length.

    Attributes:
        size: bytes of head and body.
        body_at: where the body begins.
        headers: surveyed.
        forwarded: the head to send upstream.
        method: verb in upper case.
        target: path and query.
    """

    size: int
    body_at: int
    headers: Survey
    forwarded: bytes
    method: bytes
    target: bytes

    def refilled(self, size: int, body_at: int, headers: Survey, forwarded: bytes) -> "RequestHead":
        """The same but for the values of some headers."""
        return RequestHead(size, body_at, headers, forwarded, self.method, self.target)


class AnswerHead(NamedTuple):
    """A final answer of HTTP/1.1 to anything but HEAD, on a connection that stays, its body framed by a length.

    Attributes:
        size: bytes of head and body.
        body_at: where the body begins.
        headers: surveyed.
        forwarded: the head to pass on to a client of HTTP/1.1 whose connection stays.
        status: its code.
        reason: phrase after the code.
    """

    size: int
    body_at: int
    headers: Survey
    forwarded: bytes
    status: int
    reason: bytes

    def refilled(self, size: int, body_at: int, headers: Survey, forwarded: bytes) -> "AnswerHead":
        """The same but for the values of some headers."""
        return AnswerHead(size, body_at, headers, forwarded, self.status, self.reason)


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


def learn_request(text: bytes, authority: bytes) -> RequestHead | None:
    """What the head of a request means; None if more depends on it than where to send how many bytes.

    Args:
        text: of the head, up to and including its empty line.
        authority: host and port of the upstream, for clients that name no host.
    """
    reader = _Reader()
    parser = httptools.HttpRequestParser(reader)
    if not _ends_there(parser, reader, text) or parser.get_http_version() != "1.1":
        return None
    headers = wire.survey(reader.headers)
    length = _length(headers)
    method, target = parser.get_method(), wire.origin_form(reader.target)
    if length is None or method == b"CONNECT":
        return None
    forwarded = wire.request_head(method, target, headers, length, authority)
    return RequestHead(len(text) + length, len(text), headers, forwarded, method, target)


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
    forwarded = wire.head(wire.status_line(status, reader.reason), headers.passed)
    return AnswerHead(len(text) + length, len(text), headers, forwarded, status, reader.reason)


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
