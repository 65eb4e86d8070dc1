"""Both ends of a relay on real sockets: a scripted upstream, a raw client, a handler that remembers."""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import uvloop

from alertdrill.relay.exchange import Effect, Exchange, Request, Response
from alertdrill.relay.server import Relay, serve

LIMIT_S = 20.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"


def on_both_loops(scenario: Callable[[], Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on asyncio's own loop and on uvloop."""

    @pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
    def test(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        run(asyncio.wait_for(scenario(), LIMIT_S))

    test.__doc__ = scenario.__doc__
    return test


async def until(condition: Callable[[], bool]) -> None:
    """Poll until a condition holds.

    Raises:
        TimeoutError: it did not within the limit of a test.
    """
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition never held")
        await asyncio.sleep(0.005)


@dataclass
class Remembering:
    """A handler that keeps every exchange, and asks for what the test sets."""

    effects: Callable[[Request], Effect | None] = lambda request: None
    answers: Callable[[Request], Response | None] = lambda request: None
    exchanges: list[Exchange] = field(default_factory=list)

    def local(self, request: Request) -> Response | None:
        return self.answers(request)

    def effect(self, request: Request) -> Effect | None:
        return self.effects(request)

    def ended(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


class Peer:
    """One raw connection, seen from either end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        if self.writer.transport.is_closing():
            raise ConnectionResetError("the other end has left")
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def message(self) -> tuple[bytes, bytes]:
        """Head and body of the next message with a length; no length is no body."""
        head = await self.head()
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return head, await self.reader.readexactly(int(lengths[0].partition(b":")[2])) if lengths else b""

    async def ask(self, request: bytes = GET) -> tuple[bytes, bytes]:
        await self.send(request)
        return await self.message()

    async def rest(self) -> bytes:
        return await self.reader.read()

    async def is_closed(self) -> bool:
        with suppress(ConnectionError):
            return await self.reader.read(1) == b""
        return True

    @property
    def left(self) -> bool:
        """Whether the other end has closed, without reading."""
        return self.reader.at_eof() or self.reader.exception() is not None

    def stop_reading(self) -> None:
        cast(asyncio.Transport, self.writer.transport).pause_reading()

    def read_on(self) -> None:
        cast(asyncio.Transport, self.writer.transport).resume_reading()

    def close(self) -> None:
        self.writer.close()

    def cut(self) -> None:
        """End the connection below TLS: the other end gets no goodbye."""
        with socket.socket(fileno=os.dup(self.writer.get_extra_info("socket").fileno())) as same:
            same.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


async def always_ok(peer: Peer) -> None:
    """Answer every request with 200."""
    while True:
        await peer.message()
        await peer.send(OK)


class Upstream:
    """A server whose every connection follows a script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.connections: list[Peer] = []

    async def _run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self.connections.append(peer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._script(peer)
        writer.close()

    async def start(self, context: ssl.SSLContext | None = None) -> int:
        self.server = await asyncio.start_server(self._run, "127.0.0.1", 0, ssl=context)
        return int(self.server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self.server.close()
        for peer in self.connections:
            peer.reset()
        await self.server.wait_closed()


@dataclass
class Line:
    """Client side, relay and upstream of one test."""

    relay: Relay
    upstream: Upstream
    handler: Remembering
    clients: list[Peer] = field(default_factory=list)

    async def connect(self) -> Peer:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.relay.port))
        self.clients.append(peer)
        return peer

    async def ended(self, count: int = 1) -> list[Exchange]:
        await until(lambda: len(self.handler.exchanges) >= count)
        return self.handler.exchanges


@asynccontextmanager
async def line(script: Script = always_ok, handler: Remembering | None = None, **options: Any) -> AsyncIterator[Line]:
    """A relay between a scripted upstream and raw clients; at the end, nothing may have crashed in the loop."""
    crashes: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: crashes.append(context))
    upstream = Upstream(script)
    port = await upstream.start()
    handler = handler or Remembering()
    relay = await serve(f"http://127.0.0.1:{port}", handler, **options)
    built = Line(relay, upstream, handler)
    try:
        yield built
    finally:
        await relay.close()
        for peer in built.clients:
            peer.close()
        await upstream.stop()
        await asyncio.sleep(0.01)
    assert not crashes, repr(crashes)
