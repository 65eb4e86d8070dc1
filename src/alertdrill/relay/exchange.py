"""What passes through a relay: requests, answers, how an exchange ended, and the handler that watches and edits it."""

from collections.abc import Callable
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
    """An answer that a handler gives by itself. The relay adds the length and the connection headers.

    Attributes:
        status, headers, body: of the answer.
        last_resort: the upstream is asked first: this is given if it answers 404, or does not answer.
    """

    status: int
    headers: Headers
    body: bytes
    last_resort: bool = False


class End(StrEnum):
    """How an exchange ended."""

    ANSWERED = "answered"
    UPSTREAM_REFUSED = "upstream_refused"  # no connection: the client got 502
    UPSTREAM_TLS = "upstream_tls"  # connected, but no TLS session: the certificate or the handshake; the client got 502
    UPSTREAM_CLOSED = "upstream_closed"  # before an answer: 502; within one: the client's connection was cut too
    UPSTREAM_TIMEOUT = "upstream_timeout"  # before an answer: 504; within one: the client's connection was cut
    CLIENT_GONE = "client_gone"  # the client left, or the relay was closed, before the answer was out
    CUT = "cut"  # the effect ended the client's connection, before an answer or within it


class Cut(StrEnum):
    """How an effect ends an exchange without an answer."""

    RESET = "reset"  # the client's connection is reset
    SILENCE = "silence"  # nothing comes until the client leaves


@dataclass(frozen=True, slots=True)
class Effect:
    """What is done to one exchange, in this order. What is left at its default is not done.

    Attributes:
        delay_s: how long the request is held before anything else happens, in seconds.
        upload_s: seconds over which the body is sent upstream, evenly; the head goes at once.
        answer: given instead of forwarding the request.
        cut: how the exchange ends, instead of forwarding the request or answering it.
        edit: body of the answer to the body that the client gets, of the same length. Bodies longer than
            `KEPT_BODY_BYTES` pass as they are.
        kept: share of the answer's body that is passed back before the client's connection is ended, always less than
            all of it; an answer without a body is cut within its head.
        download_s: seconds over which the answer's body is passed back, evenly; the head goes at once.
        causes: ids of the injections that asked for it; the relay only carries them to `Exchange.effect`.
    """

    delay_s: float = 0.0
    upload_s: float = 0.0
    answer: Response | None = None
    cut: Cut | None = None
    edit: Callable[[bytes], bytes] | None = None
    kept: float | None = None
    download_s: float = 0.0
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
        effect_at: when the effect first became real: the hold or the slow upload began, the answer was given, the
            connection was reset or cut, the silence began, or the first edited or delayed byte of the answer was
            written. None if it never did, as when the upstream failed before there was an answer to edit.
        released_at: the touched request went on to the upstream; None if it was untouched, or never went on.
        cut: the client got no whole answer, not even one of the relay's own 502 and 504.
        response_headers: of the upstream's answer, or of the effect's; names in lower case. Empty if there was none.
    """

    request: Request
    status: int | None
    response_body: bytes
    started_at: float
    ended_at: float
    end: End
    effect: Effect | None = field(default=None)
    effect_at: float | None = field(default=None)
    released_at: float | None = field(default=None)
    cut: bool = field(default=False)
    response_headers: Headers = field(default=())


class Handler(Protocol):
    """What watches and edits the exchanges of a relay. Called on the event loop: return quickly, never block.

    An exception in any of the three, or in the edit of an effect, is counted in `Relay.handler_errors` and hurts no
    exchange: the request is forwarded untouched (for `local`: too), the answer passed back unedited.
    """

    def local(self, request: Request) -> Response | None:
        """The answer to give here, such as `/metrics`; None to forward.

        Such exchanges are not given to `ended`, those with an answer of last resort excepted.
        """

    def effect(self, request: Request) -> Effect | None:
        """What to do to this exchange, asked once before it is forwarded; None to forward it untouched."""

    def ended(self, exchange: Exchange) -> None:
        """Told once for every request that was not answered locally, after its last byte went to the client."""
