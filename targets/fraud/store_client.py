"""A small asynchronous HTTP/1.1 client with a pool of kept-alive connections: GET only, as cheap as it gets."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Answer:
    """Status code and body of a response."""

    code: int
    body: bytes


class _Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._pending: asyncio.Future[Answer] | None = None
        self._body: list[bytes] = []
        self.open = True
        self.used = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"not an HTTP answer: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ConnectionError("closed before the answer was complete"))

    def on_body(self, chunk: bytes) -> None:
        self._body.append(chunk)

    def on_message_complete(self) -> None:
        answer = Answer(self._parser.get_status_code(), b"".join(self._body))
        self._body.clear()
        if not self._parser.should_keep_alive():
            self.close()
        self.used = True
        if self._pending is not None and not self._pending.done():
            self._pending.set_result(answer)

    def _fail(self, error: ConnectionError) -> None:
        self.close()
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(error)

    def close(self) -> None:
        self.open = False
        self._transport.close()

    async def ask(self, request: bytes) -> Answer:
        self._pending = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._pending


class StoreClient:
    """GETs from one server, at most `connections` at once; the rest wait for their turn within the timeout."""

    def __init__(self, url: str, timeout_s: float, connections: int = 512) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(f"got {url!r}, expected a URL such as http://127.0.0.1:8001")
        self._address = (parts.hostname, parts.port or 80)
        self._host = parts.netloc.encode()
        self._timeout_s = timeout_s
        self._turns = asyncio.Semaphore(connections)
        self._idle: list[_Connection] = []

    async def get(self, path: str, headers: Iterable[Header] = ()) -> Answer:
        """The answer to a GET of `path`, which must be quoted already.

        Raises:
            TimeoutError: no complete answer within the timeout, waiting for a connection included.
            OSError: the server cannot be reached, or broke off.
        """
        lines = [b"GET %b HTTP/1.1" % path.encode("ascii"), b"host: " + self._host]
        lines += [b"%b: %b" % header for header in headers]
        request = b"\r\n".join([*lines, b"", b""])
        async with asyncio.timeout(self._timeout_s), self._turns:
            while True:
                connection = await self._connection()
                try:
                    answer = await connection.ask(request)
                except ConnectionError:
                    if connection.used:  # kept alive, and closed by the server just as we wrote: GET may be repeated
                        continue
                    raise
                except asyncio.CancelledError:
                    connection.close()  # its answer may still come, and would be taken for the next one's
                    raise
                if connection.open:
                    self._idle.append(connection)
                return answer

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, *self._address)
        return connection

    def close(self) -> None:
        """Close the connections that are idle."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
