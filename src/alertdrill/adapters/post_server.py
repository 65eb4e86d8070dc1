"""A server on loopback that takes bodies which somebody posts: keep-alive HTTP/1.1 and no more."""

import asyncio
from types import TracebackType
from typing import Self

import httptools

MAX_BODY_BYTES = 32_000_000


class PostServer:
    """A server on a free port of 127.0.0.1; subclasses say what they answer.

    Attributes:
        refused: how many requests could not be read.
        connections: those that are open.
    """

    def __init__(self) -> None:
        self.refused = 0
        self.connections: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """`host:port`.

        Raises:
            RuntimeError: it has not been started.
        """
        if self._server is None:
            raise RuntimeError("the receiver has not been started")
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            for connection in list(self.connections):
                connection.abort()
            await self._server.wait_closed()

    def answer(self, method: bytes, path: bytes, body: bytes) -> tuple[int, bytes]:
        """Take in one request; returns the status and body of the answer."""
        raise NotImplementedError


class _Connection(asyncio.Protocol):
    """One connection of keep-alive HTTP/1.1; its parser calls the `on_` methods."""

    def __init__(self, server: PostServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._url, self._body = b"", bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is not None:
            self._server.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end(400, b"no upgrades here")
        except httptools.HttpParserError:
            self._server.refused += 1
            self._end(400, b"not HTTP")

    def on_message_begin(self) -> None:
        self._url = b""
        self._body.clear()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > MAX_BODY_BYTES:
            self._end(413, b"too large")

    def on_message_complete(self) -> None:
        path = self._url.partition(b"?")[0]
        self._send(*self._server.answer(self._parser.get_method(), path, bytes(self._body)))
        if not self._parser.should_keep_alive() and self._transport:
            self._transport.close()

    def _send(self, status: int, body: bytes, *, close: bool = False) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        kind = b"application/json" if body.startswith(b"{") else b"text/plain"
        head = b"HTTP/1.1 %d -\r\ncontent-type: %b\r\ncontent-length: %d\r\n" % (status, kind, len(body))
        self._transport.write(head + (b"connection: close\r\n" if close else b"") + b"\r\n" + body)

    def _end(self, status: int, body: bytes) -> None:
        self._send(status, body, close=True)
        if self._transport:
            self._transport.close()
