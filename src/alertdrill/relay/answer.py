"""What an upstream connection tells about an answer, piece by piece, and how the end of its body is known."""

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from alertdrill.relay.exchange import End, Headers
from alertdrill.relay.wire import NO_BODY_STATUSES, Survey

if TYPE_CHECKING:
    from alertdrill.relay.heads import AnswerHead


class Framing(Enum):
    """How the end of an answer's body is known."""

    NONE = "none"  # HEAD, 204, 304: there is no body
    LENGTH = "length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until_close"


class Listener(Protocol):
    """Who waits for the answer of an upstream connection. Exactly one of the last two is called, once."""

    def interim(self, status: int, reason: bytes, headers: Survey) -> None:
        """A 1xx answer came; the final one is still to come."""

    def head(self, status: int, reason: bytes, headers: Survey, framing: Framing) -> None:
        """Status and headers of the answer came."""

    def body(self, data: bytes) -> None:
        """Some bytes of the body came, chunked encoding removed."""

    def whole(self, head: "AnswerHead", body: bytes) -> None:
        """Head and body came in one read, all of it: stands for `head` and, unless it is empty, `body`."""

    def flush(self) -> None:
        """All that one read of the socket brought has been told."""

    def complete(self, trailers: Headers) -> None:
        """The answer is complete, and the connection free again."""

    def lost(self, end: End, *, stale: bool) -> None:
        """No complete answer will come. `stale`: the connection had been idle, and not a byte was answered."""


def framing_of(status: int, marks: Mapping[bytes, bytes], *, bodiless: bool) -> Framing | None:
    """How the body ends; None for a transfer coding that a relay cannot undo (RFC 9112, section 6.3)."""
    if bodiless or status in NO_BODY_STATUSES:
        return Framing.NONE
    coding = marks.get(b"transfer-encoding")
    if coding is not None:
        return Framing.CHUNKED if coding.strip().lower() == b"chunked" else None
    return Framing.LENGTH if b"content-length" in marks else Framing.UNTIL_CLOSE
