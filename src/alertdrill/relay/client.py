"""A client's connection to a relay: requests parsed, taken one at a time, answered in their order."""

import asyncio
import socket
import struct
import time
from collections import deque
from typing import cast

import httptools

from alertdrill.relay import wire
from alertdrill.relay.control import Control
from alertdrill.relay.exchange import Request, Response
from alertdrill.relay.flight import Flight, Incoming
from alertdrill.relay.stand_in import StandIn
from alertdrill.relay.touched import Touched

MAX_HEAD_BYTES = 1 << 16
MAX_WAITING = 100
MAX_WAITING_BYTES = 1 << 20
LINGER_S = 1.0


class Client(asyncio.Protocol):
    """One connection of a client.

    A client that closes its sending side is taken to have left: on the wire the two look the same until an answer is
    written, and an answer that nobody reads must not count as answered.
    """

    def __init__(self, control: Control, clients: "set[Client]") -> None:
        self._control = control
        self._clients = clients
        self._queue: deque[Incoming | Response] = deque()  # a response: a refusal, after which the connection ends
        self._flight: Flight | None = None
        self._deaf = False  # the last request was taken: whatever else comes is thrown away
        self._reading = True
        self._read_bytes = 0
        self._begun = False
        self._continue_wanted = False
        self._linger: asyncio.TimerHandle | None = None
        self.stuck = False
        self.gone = asyncio.Event()
        self._parser = httptools.HttpRequestParser(self)
        self.on_message_begin()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio)."""
        self._transport = cast(asyncio.Transport, transport)
        # Without a buffer of our own, "paused" means that the kernel has not taken everything yet.
        self._transport.set_write_buffer_limits(0)
        self._clients.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse what the client sent (asyncio)."""
        if self._deaf:
            return
        self._read_bytes = len(data)
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError:
            raise
        except httptools.HttpParserError as problem:
            self._refuse(400, "bad_request", f"this is not HTTP/1.1: {problem}")
        if self._in_head:
            self._unparsed_bytes += len(data)
            if self._unparsed_bytes > MAX_HEAD_BYTES:
                self._refuse_head()
        self._advance()

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self._deaf:
                self._feed(self._without_upgrade() + data[upgrade.args[0] :])

    def _without_upgrade(self) -> bytes:
        """The head that was just parsed, without its wish to upgrade, for a parser that then reads the body too.

        That declines the upgrade, as a server may (RFC 9110, section 7.8).
        """
        version = self._parser.get_http_version().encode()
        start = b"%b %b HTTP/%b" % (self._parser.get_method(), self._target, version)
        headers = [header for header in self._headers if header[0].lower() != b"upgrade"]
        self._parser = httptools.HttpRequestParser(self)
        self._begun = True
        return wire.head(start, headers)

    def eof_received(self) -> None:
        """The client will send no more (asyncio)."""
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone (asyncio)."""
        self._clients.discard(self)
        self.gone.set()
        if self._linger is not None:
            self._linger.cancel()
        self._leave()

    def pause_writing(self) -> None:
        """The kernel takes no more for now (asyncio)."""
        self.stuck = True
        if self._flight is not None:
            self._flight.client_stuck()

    def resume_writing(self) -> None:
        """All that was written is with the kernel (asyncio)."""
        self.stuck = False
        if self._flight is not None:
            self._flight.client_drained()
        else:
            self._advance()

    def _leave(self) -> None:
        self._deaf = True
        self._continue_wanted = False
        self._queue.clear()
        if self._flight is not None:
            self._flight.client_gone()

    # httptools

    def on_message_begin(self) -> None:
        """A request begins (httptools)."""
        if not self._begun:
            self._started_at = time.monotonic()
        self._begun = False
        self._in_head = True
        self._unparsed_bytes = -self._read_bytes  # the read that it begins in also holds what came before
        self._header_bytes = 0
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._body_bytes = 0

    def on_url(self, piece: bytes) -> None:
        """A piece of the request target (httptools)."""
        self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or after the body a trailer, which is dropped (httptools)."""
        if self._in_head:
            self._headers.append((name, value))
            self._header_bytes += len(name) + len(value)

    def on_headers_complete(self) -> None:
        """The head is complete (httptools)."""
        self._in_head = False
        self._survey = wire.survey(self._headers)
        marks = self._survey.marks
        if self._header_bytes > MAX_HEAD_BYTES:
            self._refuse_head()
        if int(marks.get(b"content-length", 0)) > self._control.max_body_bytes:
            self._refuse_body()
        if marks.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked":
            self._refuse(501, "unknown_transfer_coding", "the only transfer coding supported is chunked")
        if self._parser.get_method() == b"CONNECT":
            self._refuse(501, "not_a_forward_proxy", "CONNECT is not supported")
        if not self._deaf and marks.get(b"expect", b"").strip().lower() == b"100-continue":
            self._continue_wanted = self._parser.get_http_version() != "1.0"

    def on_body(self, data: bytes) -> None:
        """Some bytes of the body (httptools)."""
        self._body_bytes += len(data)
        if self._body_bytes > self._control.max_body_bytes:
            self._refuse_body()
        elif not self._deaf:
            self._body.append(data)

    def on_message_complete(self) -> None:
        """The request is complete (httptools)."""
        if self._deaf or self._parser.should_upgrade():
            return
        self._continue_wanted = False
        keep_alive = self._parser.should_keep_alive()
        request = Request(
            method=self._parser.get_method(),
            target=wire.origin_form(self._target),
            headers=self._survey.lower,
            body=b"".join(self._body),
            received_at=time.monotonic(),
        )
        http_1_0 = self._parser.get_http_version() == "1.0"
        self._queue.append(Incoming(request, self._survey, self._started_at, keep_alive, http_1_0))
        self._deaf = not keep_alive

    # the order of answers

    def _advance(self) -> None:
        if self._transport.is_closing():
            return
        while self._queue and self._flight is None and not self.stuck:
            item = self._queue.popleft()
            if isinstance(item, Response):
                self._reject(item)
            else:
                self._take(item)
        if self._continue_wanted and self._flight is None and not self._queue:
            self._continue_wanted = False
            self.write([wire.CONTINUE])
        self._set_reading(not self._queue or self._has_room())

    def _has_room(self) -> bool:
        """Whether few enough requests wait their turn to read on.

        Reading goes on for as long as it can, because only a socket that is read tells that its client has left.
        """
        waiting_bytes = sum(len(item.body if isinstance(item, Response) else item.request.body) for item in self._queue)
        return len(self._queue) < MAX_WAITING and waiting_bytes < MAX_WAITING_BYTES

    def _take(self, incoming: Incoming) -> None:
        response = self._control.local(incoming.request)
        if response is None or response.last_resort:
            self._flight = self._flight_of(incoming, response)
            self._flight.start()
            return
        connection = incoming.connection(close=not incoming.keep_alive)
        bodiless = incoming.request.method == b"HEAD"
        self.write([wire.answer(response, bodiless=bodiless, connection=connection)])
        if not incoming.keep_alive:
            self._transport.close()

    def _flight_of(self, incoming: Incoming, last_resort: Response | None) -> Flight:
        if last_resort is not None:
            return StandIn(self._control, self, incoming, last_resort)
        effect = self._control.effect(incoming.request)
        if effect is None:
            return Flight(self._control, self, incoming)
        return Touched(self._control, self, incoming, effect)

    def _set_reading(self, reading: bool) -> None:
        if reading is self._reading or self._transport.is_closing():
            return
        self._reading = reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # Back, for flights

    def write(self, pieces: list[bytes]) -> None:
        """Send bytes to the client."""
        if self._transport.is_closing():
            return
        if len(pieces) == 1:
            self._transport.write(pieces[0])
        else:
            self._transport.writelines(pieces)

    def cut(self, *, reset: bool) -> None:
        """End the connection within an exchange; `reset`: by a TCP reset, at once."""
        self._flight = None
        self._deaf = True
        self._queue.clear()
        connection: socket.socket | None = self._transport.get_extra_info("socket")
        if reset and connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        else:
            self._transport.close()

    def landed(self, *, keep_alive: bool) -> None:
        """The exchange is over: take the next request, or end the connection."""
        self._flight = None
        if keep_alive:
            self._advance()
        else:
            self._transport.close()

    # refusals

    def _refuse_body(self) -> None:
        self._refuse(413, "body_too_large", f"the limit is {self._control.max_body_bytes} bytes")

    def _refuse_head(self) -> None:
        self._refuse(431, "head_too_large", f"the limit of all headers is {MAX_HEAD_BYTES} bytes")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answer with an error, in turn, and take nothing more from this client."""
        if self._deaf:
            return
        self._deaf = True
        self._continue_wanted = False
        self._control.refused += 1
        self._queue.append(wire.error(status, code, detail))

    def _reject(self, response: Response) -> None:
        """Write a refusal; read on for a moment, as closing on unread bytes would reset it away from the client."""
        self.write([wire.answer(response, bodiless=False, connection=b"close")])
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._linger = asyncio.get_running_loop().call_later(LINGER_S, self._transport.close)
