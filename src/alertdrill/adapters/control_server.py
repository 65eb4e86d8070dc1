"""Serves a desk over HTTP/1.1: control requests of one controller, one after the other on a connection."""

import asyncio
from contextlib import suppress

import httptools

from alertdrill.control.desk import LONGEST_PLAN_BYTES, Desk

READ_BYTES = 1 << 16
LONGEST_HEAD_BYTES = 1 << 16
IDLE_S = 60.0
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 409: "Conflict", 413: "Content Too Large"}


class _Request:
    """One request, as the parser calls it together; the body of one that the desk does not take is not kept."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.url, self.body, self.headers = b"", bytearray(), dict[bytes, bytes]()
        self.headed = self.taken = self.complete = False

    @property
    def path(self) -> str:
        """Its path."""
        return self.url.partition(b"?")[0].decode("latin-1")

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.setdefault(name.lower(), value)

    def on_headers_complete(self) -> None:
        self.headed = True
        self.taken = self._desk.takes(self.path, self.headers.get)

    def on_body(self, body: bytes) -> None:
        if self.taken:
            self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


class ControlServer:
    """A server whose only business is a desk; whoever does not know the token is told 404."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; the port.

        Raises:
            OSError: it is taken, or no address of this machine.
        """
        self._server = await asyncio.start_server(self._serve, host, port)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._open):
                writer.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether another may follow."""
        request = _Request(self._desk)
        parser = httptools.HttpRequestParser(request)
        read_bytes = 0
        while not request.complete:
            data = await asyncio.wait_for(reader.read(READ_BYTES), IDLE_S)
            if not data:
                return False
            read_bytes += len(data)
            try:
                parser.feed_data(data)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                return await _send(writer, 400, b'{"error":"not HTTP/1.1"}', keep=False)
            if read_bytes > LONGEST_HEAD_BYTES + (LONGEST_PLAN_BYTES if request.headed else 0):
                return await _send(writer, 413, b'{"error":"more than a plan takes"}', keep=False)
        if not request.taken:
            return await _send(writer, 404, b'{"error":"nothing is here"}', keep=False)

        async def body() -> bytes:
            return bytes(request.body)

        status, answer = await self._desk.answer(parser.get_method().decode(), request.path, request.headers.get, body)
        return await _send(writer, status, answer, keep=parser.should_keep_alive())


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes, keep: bool) -> bool:
    head = f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}\r\ncontent-type: application/json\r\n"
    head += f"cache-control: no-store\r\ncontent-length: {len(body)}\r\n" + ("" if keep else "connection: close\r\n")
    writer.write(head.encode() + b"\r\n" + body)
    with suppress(ConnectionError):
        await writer.drain()
    return keep
