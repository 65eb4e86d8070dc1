"""What passes through a relay: requests, answers, how an exchange ended, and the handler that watches and edits it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

Headers = tuple[tuple[bytes, bytes], ...]

KEPT_BODY_BYTES = 1 << 20


@dataclass(slots=True)
class Request:
    """One request as the client sent it, read completely.

    Attributes:
        method: verb in upper case, `b"POST"`.
        target: path and query, `b"/predict?trace=1"`; never scheme or host.
        headers: names in lower case, values as sent, in order, repeats kept.
        body: the whole body, chunked encoding removed.
        received_at: when the last byte had been read, in seconds of `time.monotonic`.
    """

    method: bytes
    target: bytes
    headers: Headers
    body: bytes
    received_at: float

    def header(self, name: bytes) -> bytes | None:
        """Value of the first header of that name (lower case), or None."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


@dataclass(slots=True)
class Response:
    """An answer that a handler gives by itself. The relay adds the length and the connection headers."""

    status: int
    headers: Headers
    body: bytes


class End(StrEnum):
    """How an exchange ended."""

    ANSWERED = "answered"
    UPSTREAM_REFUSED = "upstream_refused"  # no connection: the client got 502
    UPSTREAM_CLOSED = "upstream_closed"  # before an answer: 502; within one: the client's connection was cut too
    UPSTREAM_TIMEOUT = "upstream_timeout"  # before an answer: 504; within one: the client's connection was cut
    CLIENT_GONE = "client_gone"  # the client left, or the relay was closed, before the answer was out


@dataclass(frozen=True, slots=True)
class Effect:
    """What an exchange fault does to one exchange.

    Attributes:
        delay_s: how long the request is held before it is forwarded, in seconds.
        causes: ids of the injections that asked for it; the relay only carries them to `Exchange.effect`.
    """

    delay_s: float = 0.0
    causes: tuple[str, ...] = ()


@dataclass(slots=True)
class Exchange:
    """One request and what became of it; instants in seconds of `time.monotonic`.

    Attributes:
        request: what the client sent.
        status: the status that the client was sent (502 and 504 of the relay itself included), None if none was.
        response_body: the first `KEPT_BODY_BYTES` of the body that was passed back, chunked encoding removed.
        started_at: the first byte of the request was read.
        ended_at: the last byte was handed to the kernel, or the exchange failed.
        end: how it ended.
        effect: what the handler's `effect` returned.
        held_at: the delay of `effect` began; None if the exchange was not held.
        released_at: the held request went on to the upstream; None if it was not held, or its client left before.
        cut: the client got no whole answer, not even one of the relay's own 502 and 504.
    """

    request: Request
    status: int | None
    response_body: bytes
    started_at: float
    ended_at: float
    end: End
    effect: Effect | None = field(default=None)
    held_at: float | None = field(default=None)
    released_at: float | None = field(default=None)
    cut: bool = field(default=False)


class Handler(Protocol):
    """What watches and edits the exchanges of a relay. Called on the event loop: return quickly, never block.

    An exception in any of the three is counted in `Relay.handler_errors` and hurts no exchange: the request is
    forwarded untouched (for `local`: too).
    """

    def local(self, request: Request) -> Response | None:
        """The answer to give here, such as `/metrics`; None to forward. Such exchanges are not given to `ended`."""

    def effect(self, request: Request) -> Effect | None:
        """What to do to this exchange, asked once before it is forwarded; None to forward it untouched."""

    def ended(self, exchange: Exchange) -> None:
        """Told once for every request that was not answered locally, after its last byte went to the client."""
