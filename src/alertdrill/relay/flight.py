"""One request on its way through a relay: forwarded, its answer streamed back."""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from alertdrill.relay import wire
from alertdrill.relay.answer import Framing
from alertdrill.relay.control import Control
from alertdrill.relay.exchange import KEPT_BODY_BYTES, End, Exchange, Headers, Request, exchange_of
from alertdrill.relay.heads import AnswerHead
from alertdrill.relay.upstream import Upstream
from alertdrill.relay.upstream_pool import NoSession
from alertdrill.relay.wire import Survey

_now = time.monotonic
_LENGTH = Framing.LENGTH
_ANSWERED, _CLIENT_GONE = End.ANSWERED, End.CLIENT_GONE  # a member looked up in its enum costs a tenth of a microsecond

ERROR_OF = {
    End.UPSTREAM_REFUSED: (502, "could not be reached"),
    End.UPSTREAM_TLS: (502, "gave no TLS session"),
    End.UPSTREAM_CLOSED: (502, "closed the connection, or sent no HTTP, instead of an answer"),
    End.UPSTREAM_TIMEOUT: (504, "sent no answer in time"),
}


@dataclass(slots=True)
class Incoming:
    """A request that was read completely, and what its answer depends on."""

    request: Request
    headers: Survey  # names as the client wrote them
    started_at: float
    keep_alive: bool
    http_1_0: bool
    forwarded: bytes | None  # the head to send upstream, where it is known

    @property
    def bodiless(self) -> bool:
        """Whether no answer to it has a body."""
        return self.request.method == b"HEAD"

    def connection(self, *, close: bool) -> bytes | None:
        """Value of the answer's `Connection` header; None where silence says the same."""
        if close:
            return b"close"
        return b"keep-alive" if self.http_1_0 else None


class Back(Protocol):
    """The client's side of a flight."""

    @property
    def stuck(self) -> bool:
        """Whether some of what was written still waits for the client to read."""

    def write(self, pieces: list[bytes]) -> None:
        """Send bytes to the client."""

    def cut(self, *, reset: bool) -> None:
        """End the connection within the exchange; `reset`: by a TCP reset, at once, unread bytes lost."""

    def landed(self, *, keep_alive: bool) -> None:
        """The exchange is over; the next request may be taken if the connection stays."""


class Flight:
    """An exchange under way. Listens to its upstream connection, writes to its client."""

    # Class attributes stand for what is set later, or never.
    _connecting: asyncio.Task[None] | None = None
    _upstream: Upstream | None = None
    _status: int | None = None
    _headers: Headers = ()
    _framing = Framing.NONE
    _chunked = False
    _room = KEPT_BODY_BYTES
    _outcome: End | None = None  # known, though the client may not have taken all of it yet
    _over = False

    def __init__(self, control: Control, back: Back, incoming: Incoming) -> None:
        self._control = control
        self._back = back
        self._incoming = incoming
        self._keep_alive = incoming.keep_alive
        self._pieces: list[bytes] = []
        self._kept: list[bytes] = []

    # the way out

    def start(self) -> None:
        """Forward the request."""
        self._control.flights.add(self)
        self._forward()

    def release(self) -> None:
        """Nothing is held: there is no effect on this exchange."""

    def _forward(self) -> None:
        upstream = self._control.pool.take()
        if upstream is not None:
            self._send(upstream)
        else:
            self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            upstream = await self._control.pool.connect()
        except TimeoutError:
            self._fail(End.UPSTREAM_TIMEOUT)
        except OSError:
            self._fail(End.UPSTREAM_REFUSED)
        except NoSession as error:
            self._fail(End.UPSTREAM_TLS, f": {error}")
        else:
            if self._over:
                self._control.pool.give_back(upstream)
            elif upstream.usable:
                self._send(upstream)
            else:
                self._fail(End.UPSTREAM_CLOSED)

    def _send(self, upstream: Upstream) -> None:
        self._upstream = upstream
        request = self._incoming.request
        head = self._incoming.forwarded or self._request_head()
        upstream.send(self, head, request.body, bodiless=request.method == b"HEAD")

    def _request_head(self) -> bytes:
        incoming, request = self._incoming, self._incoming.request
        authority = self._control.pool.authority
        return wire.request_head(request.method, request.target, incoming.headers, len(request.body), authority)

    # the way back (Listener)

    def interim(self, status: int, reason: bytes, headers: Survey) -> None:
        """Pass a 1xx answer on, but for 100: the client got that from the relay (RFC 9110, section 15.2)."""
        if status != 100 and not self._incoming.http_1_0:
            self._pieces.append(wire.head(wire.status_line(status, reason), headers.passed))

    def head(self, status: int, reason: bytes, headers: Survey, framing: Framing) -> None:
        """Pass the head on, framed as the client can read it."""
        self._status, self._headers, self._framing = status, headers.lower, framing
        if framing in (Framing.CHUNKED, Framing.UNTIL_CLOSE):
            self._chunked = not self._incoming.http_1_0
            self._keep_alive = self._keep_alive and self._chunked
        own = [(b"Transfer-Encoding", b"chunked")] if self._chunked else []
        connection = self._incoming.connection(close=not self._keep_alive)
        if connection is not None:
            own.append((b"Connection", connection))
        self._pieces.append(wire.head(wire.status_line(status, reason), headers.passed + own))

    def whole(self, head: AnswerHead, body: bytes) -> None:
        """Pass head and body on as they came, where the client can read both."""
        if not self._keep_alive or self._incoming.http_1_0 or len(body) > self._room:
            self.head(head.status, head.reason, head.headers, _LENGTH)
            self.body(body)
            return
        self._status, self._headers, self._framing = head.status, head.headers.lower, _LENGTH
        self._kept.append(body)
        self._pieces.append(head.forwarded + body)

    def body(self, data: bytes) -> None:
        """Pass some bytes of the body on, and keep a bounded copy."""
        if self._room:
            kept = data[: self._room]
            self._kept.append(kept)
            self._room -= len(kept)
        if self._chunked:
            self._pieces += wire.chunk(data)
        else:
            self._pieces.append(data)

    def flush(self) -> None:
        """Write what has come."""
        if self._pieces and not self._over:
            pieces, self._pieces = self._pieces, []
            self._back.write(pieces)

    def complete(self, trailers: Headers) -> None:
        """End the body; the exchange is over once the client's socket has taken all of it."""
        self._upstream = None
        if self._chunked:
            self._pieces.append(wire.last_chunk(trailers))
        self._write_last(_ANSWERED)

    def lost(self, end: End, *, stale: bool) -> None:
        """Try once more if a kept connection had merely been closed meanwhile; else tell the client."""
        self._upstream = None
        if stale and end is End.UPSTREAM_CLOSED:  # once: a new connection is never stale
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
        else:
            self._fail(end)

    # what the client's side tells

    def client_stuck(self) -> None:
        """The client does not keep up: read no further."""
        if self._upstream is not None:
            self._upstream.pause()

    def client_drained(self) -> None:
        """The client has taken all that was written."""
        if self._outcome is not None:
            self._end(self._outcome)
        elif self._upstream is not None:
            self._upstream.resume()

    def client_gone(self) -> None:
        """The client left: nobody waits for the answer."""
        if self._upstream is not None:
            self._upstream.abandon()
            self._upstream = None
        self._end(End.CLIENT_GONE)

    # the end

    def _write_last(self, outcome: End) -> None:
        self._outcome = outcome
        if self._pieces and not self._over:
            pieces, self._pieces = self._pieces, []
            self._back.write(pieces)
        if not self._back.stuck:
            self._end(outcome)

    def _fail(self, end: End, why: str = "") -> None:
        """Answer 502 or 504 where nothing was answered yet; else cut the answer, which must not look complete."""
        if self._over:
            return
        if self._status is None:
            self._apologise(end, why)
            self._write_last(end)
        else:
            self.flush()
            # Without length or chunks, only a reset shows that the answer is incomplete.
            self._cut(end, reset=not self._chunked and self._framing is not Framing.LENGTH)

    def _apologise(self, end: End, why: str) -> None:
        status, what = ERROR_OF[end]
        response = wire.error(status, end.value, f"{self._control.pool.url} {what}{why}")
        self._status = status
        self._kept = [response.body]
        connection = self._incoming.connection(close=not self._keep_alive)
        self._pieces.append(wire.answer(response, bodiless=self._incoming.bodiless, connection=connection))

    def _end(self, end: End) -> None:
        if not self._over:
            self._settle(end, cut=end is _CLIENT_GONE)
            self._back.landed(keep_alive=self._keep_alive)

    def _cut(self, end: End, *, reset: bool) -> None:
        if not self._over:
            self._settle(end, cut=True)
            self._back.cut(reset=reset)

    def _settle(self, end: End, *, cut: bool) -> None:
        self._over = True
        self._control.landed(self, self._exchange(end, cut=cut))

    def _exchange(self, end: End, *, cut: bool) -> Exchange:
        incoming, body = self._incoming, b"".join(self._kept)
        return exchange_of(
            (
                incoming.request,
                self._status,
                body,
                incoming.started_at,
                _now(),
                end,
                None,
                None,
                None,
                cut,
                self._headers,
            )
        )
