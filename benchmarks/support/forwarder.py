"""The least that a proxy in Python does: parse both ways, forward. Nothing is checked, kept or counted.

`python forwarder.py PORT` listens on a free port, which it prints, and forwards to PORT on 127.0.0.1. What a sidecar
costs beside it is what its own work costs; what it costs beside nginx is what Python costs.
"""

import asyncio
import gc
import sys
from typing import Any

import httptools
import uvloop

UPSTREAM = int(sys.argv[1])
idle: list["Upstream"] = []


class Side(asyncio.Protocol):
    """One connection, whose messages are parsed and thrown away."""

    transport: Any
    parser: Any

    def connection_made(self, transport: Any) -> None:
        """Keep the transport (asyncio)."""
        self.transport = transport

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header (httptools)."""

    def on_body(self, data: bytes) -> None:
        """Some bytes of the body (httptools)."""


class Upstream(Side):
    """A connection to the upstream; an answer is taken to come in one read."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.client: Any = None

    def data_received(self, data: bytes) -> None:
        """Pass the answer on (asyncio)."""
        self.parser.feed_data(data)
        idle.append(self)
        if not self.client.is_closing():
            self.client.write(data)


class Client(Side):
    """A connection of a client; a request is taken to come in one read."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)

    def on_url(self, url: bytes) -> None:
        """The target (httptools)."""

    def data_received(self, data: bytes) -> None:
        """Pass the request on (asyncio)."""
        self.parser.feed_data(data)
        if idle:
            self.forward(idle.pop(), data)
        else:
            self.task = asyncio.get_running_loop().create_task(self.connect(data))

    async def connect(self, data: bytes) -> None:
        """Pass the request on over one more connection."""
        _, upstream = await asyncio.get_running_loop().create_connection(Upstream, "127.0.0.1", UPSTREAM)
        self.forward(upstream, data)

    def forward(self, upstream: Upstream, data: bytes) -> None:
        """Send the request."""
        upstream.client = self.transport
        upstream.transport.write(data)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Client, "127.0.0.1", 0)
    gc.collect()
    gc.freeze()
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
