"""A connection to the server behind a relay: one exchange at a time on it."""

import asyncio
import ssl
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import httptools

from alertdrill.relay.answer import Framing, Listener, framing_of
from alertdrill.relay.exchange import End
from alertdrill.relay.heads import AnswerHead
from alertdrill.relay.wire import survey

if TYPE_CHECKING:
    from alertdrill.relay.upstream_pool import Pool

_now = time.monotonic

MAX_HEAD_BYTES = 1 << 16


class Upstream(asyncio.Protocol):
    """One connection to the upstream server; at most one exchange is in flight on it."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._known = pool.heads.find
        self._listener: Listener | None = None
        self._used = False
        self._timer: asyncio.TimerHandle | None = None
        self._active_at = 0.0
        self._paused = False
        self._renew()

    def _renew(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._dirty = self._bodiless = self._answered = False
        self._start()

    def _start(self) -> None:
        self._spoken = False  # the parser has been fed, or the body comes later
        self._unsent = False
        self._headed = False
        self._complete = False
        self._framing = Framing.NONE
        self._since_body = 0  # bytes of heads, interim answers or trailers that came in one go
        self._reason = b""
        self._headers: list[tuple[bytes, bytes]] = []

    # what a flight calls

    def send(self, listener: Listener, head: bytes, body: bytes, *, bodiless: bool) -> None:
        """Send one request and tell `listener` what comes back. `bodiless`: the request is HEAD."""
        if self._spoken:
            self._start()
        self._bodiless = bodiless
        self._answered = False
        self._listener = listener
        self._active_at = _now()
        if self._timer is None:
            self._arm(self._pool.timeout_s)
        if len(body) < 65536:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))

    def send_head(self, listener: Listener, head: bytes, *, bodiless: bool) -> None:
        """Send the head of a request whose body `send_piece` brings; listener and `bodiless` as for `send`."""
        self.send(listener, head, b"", bodiless=bodiless)
        self._unsent = self._spoken = True

    def send_piece(self, piece: bytes, *, last: bool) -> None:
        """Send the next bytes of the body. The upstream has its full time to answer from here on."""
        self._active_at = time.monotonic()
        self._unsent = not last
        self._transport.write(piece)

    def abandon(self) -> None:
        """Forget the exchange in flight; the connection is of no more use, its answer may still be coming."""
        self._listener = None
        self._transport.abort()

    def pause(self) -> None:
        """Read no further until `resume`: the client does not keep up."""
        self._paused = True
        self._transport.pause_reading()

    def resume(self) -> None:
        """Read on after `pause`."""
        self._paused = False
        self._active_at = time.monotonic()
        self._transport.resume_reading()

    # what the pool calls

    @property
    def usable(self) -> bool:
        """Whether another request can be sent."""
        return not self._transport.is_closing()

    def close(self) -> None:
        """End the connection."""
        self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio)."""
        self._transport = cast(asyncio.Transport, transport)
        self._pool.opened(self)

    def data_received(self, data: bytes) -> None:
        """Parse what the upstream sent (asyncio)."""
        listener = self._listener
        if listener is None:  # nobody asked: whatever this is, it must not become the next answer
            self._transport.abort()
            return
        self._active_at = _now()
        fresh, self._answered = not self._answered, True
        if fresh and not self._bodiless and (head := self._known(data)) is not None:
            self._take_whole(listener, head, data)
            return
        self._spoken = True
        self._since_body += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._dirty = True
        if self._complete:
            self._end(listener)
        elif self._dirty or self._since_body > MAX_HEAD_BYTES:
            self._lose(End.UPSTREAM_CLOSED)
        else:
            listener.flush()

    def _take_whole(self, listener: Listener, head: AnswerHead, data: bytes) -> None:
        """Tell of an answer that came in one read, its head known: as the parser would."""
        listener.whole(head, data[head.body_at :])
        self._end(listener)

    def eof_received(self) -> None:
        """The upstream will send no more; for an answer without length that is its end (asyncio).

        Over TLS only if the upstream said so: anybody on the way can cut a connection.
        """
        until_close = self._listener is not None and self._headed and self._framing is Framing.UNTIL_CLOSE
        if self._listener is not None and until_close and _ended_properly(self._transport):
            self._dirty = True
            self._end(self._listener)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone (asyncio)."""
        self._pool.forget(self)
        if self._timer is not None:
            self._timer.cancel()
        self._lose(End.UPSTREAM_CLOSED)

    # httptools

    def on_message_begin(self) -> None:
        """An answer begins (httptools)."""
        self._dirty = self._dirty or self._complete

    def on_status(self, reason: bytes) -> None:
        """A piece of the reason phrase (httptools)."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or after the body a trailer (httptools)."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete (httptools)."""
        if self._complete or self._listener is None:
            return
        status = self._parser.get_status_code()
        headers, self._headers = survey(self._headers), []
        reason, self._reason = self._reason, b""
        framing = framing_of(status, headers.marks, bodiless=self._bodiless)
        if framing is None or status == HTTPStatus.SWITCHING_PROTOCOLS:
            self._dirty = True
        elif status < 200:
            self._listener.interim(status, reason, headers)
        else:
            self._headed, self._framing = True, framing
            self._listener.head(status, reason, headers, framing)
            if self._bodiless:  # the parser does not know it, and would wait for the body that a length announces
                self._finish()

    def on_body(self, data: bytes) -> None:
        """Some bytes of the body (httptools)."""
        if self._complete:
            self._dirty = True
        elif self._headed and self._listener is not None:
            self._since_body = 0
            self._listener.body(data)

    def on_message_complete(self) -> None:
        """The answer is complete (httptools)."""
        if self._headed and not self._complete:
            self._finish()

    def _finish(self) -> None:
        self._complete = True
        if not self._parser.should_keep_alive():  # the parser knows it only inside its callbacks
            self._dirty = True

    # how an exchange ends

    def _end(self, listener: Listener) -> None:
        self._listener = None
        trailers = tuple(self._headers)
        self._used = True
        if self._dirty or self._unsent or self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            if self._bodiless:
                self._renew()
            self._pool.give_back(self)
        listener.complete(trailers)

    def _lose(self, end: End) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self._transport.abort()
            listener.lost(end, stale=self._used and not self._answered)

    # One timer a connection, armed anew only when it fires: a timer a request would cost more than the request.

    def _arm(self, delay_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._check)

    def _check(self) -> None:
        self._timer = None
        if self._listener is None:
            return
        left_s = self._active_at + self._pool.timeout_s - time.monotonic()
        if self._paused:
            self._arm(self._pool.timeout_s)
        elif left_s > 0:
            self._arm(left_s)
        else:
            self._lose(End.UPSTREAM_TIMEOUT)


def _ended_properly(transport: asyncio.Transport) -> bool:
    """Whether the end of a connection is one that the other side meant: of TLS, only after its close_notify."""
    session = transport.get_extra_info("ssl_object")
    if session is None:
        return True
    try:
        return not session.read(1)
    except ssl.SSLError:
        return False
