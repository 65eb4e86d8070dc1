"""What alters answers on their way back: a chain of listeners, each passing on to the next."""

from typing import Protocol

from alertdrill.relay.answer import Framing, Listener
from alertdrill.relay.exchange import End, Headers
from alertdrill.relay.heads import AnswerHead
from alertdrill.relay.wire import Survey


class Shaped(Protocol):
    """What a shaper may ask of the exchange whose answer it alters."""

    def took_effect(self) -> None:
        """The effect is real from here on, if it was not before."""

    def pause(self) -> None:
        """Read no more of the answer for now."""

    def resume(self) -> None:
        """Read on, if the client keeps up."""

    def detach(self) -> None:
        """The upstream connection is done with, though the exchange is not."""

    def abandon(self) -> None:
        """Want no more of the answer."""

    def break_head(self, status: int, reason: bytes, headers: Survey) -> None:
        """Send the client the head but for its end, and end its connection."""


class Shaper:
    """Passes an answer on as it comes; the base of those that alter it.

    Args:
        exchange: whose answer it is.
        listener: gets what leaves here.
    """

    def __init__(self, exchange: Shaped, listener: Listener) -> None:
        self._exchange = exchange
        self._listener = listener

    @property
    def full(self) -> bool:
        """Whether so much is kept back that no more should be read."""
        return False

    def release(self) -> None:
        """Alter nothing from here on, and pass on at once what is kept back."""

    def stop(self) -> None:
        """The exchange is over."""

    def interim(self, status: int, reason: bytes, headers: Survey) -> None:
        """Pass a 1xx answer on."""
        self._listener.interim(status, reason, headers)

    def head(self, status: int, reason: bytes, headers: Survey, framing: Framing) -> None:
        """Pass the head on."""
        self._listener.head(status, reason, headers, framing)

    def body(self, data: bytes) -> None:
        """Pass some bytes of the body on."""
        self._listener.body(data)

    def whole(self, head: AnswerHead, body: bytes) -> None:
        """Pass a head and a body on, one after the other."""
        self.head(head.status, head.reason, head.headers, Framing.LENGTH)
        if body:
            self.body(body)

    def flush(self) -> None:
        """Pass on that a read has ended."""
        self._listener.flush()

    def complete(self, trailers: Headers) -> None:
        """Pass the end of the answer on."""
        self._listener.complete(trailers)

    def lost(self, end: End, *, stale: bool) -> None:
        """Pass on that no complete answer will come."""
        self._listener.lost(end, stale=stale)


def length_of(headers: Survey, framing: Framing) -> int | None:
    """How long the body will be, None if only its end will tell."""
    match framing:
        case Framing.NONE:
            return 0
        case Framing.LENGTH:
            return int(headers.marks[b"content-length"])
        case _:
            return None
