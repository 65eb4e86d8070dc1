"""A server that costs little: it answers every request of HTTP/1.1 at once, and counts them."""

import asyncio

import httptools


class Answering(asyncio.Protocol):
    """One connection; a subclass has its own count, and says what it answers."""

    count = 0

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        type(self).count += 1
        self._transport.write(self.answer())

    def answer(self) -> bytes:
        """The whole answer to the newest request."""
        raise NotImplementedError
