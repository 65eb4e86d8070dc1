"""A reverse proxy for HTTP/1.1 that a handler can watch, and disturb."""

import asyncio
import contextlib
from urllib.parse import urlsplit

from alertdrill.relay.client import Client
from alertdrill.relay.control import Control
from alertdrill.relay.exchange import Handler
from alertdrill.relay.upstream import Pool

BACKLOG = 4096


class Relay:
    """A running relay; `serve` makes one."""

    def __init__(self, control: Control, clients: set[Client], server: asyncio.Server) -> None:
        self._control = control
        self._clients = clients
        self._server = server

    @property
    def port(self) -> int:
        """The TCP port that it listens on."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def handler_errors(self) -> int:
        """How often the handler raised; no exchange was hurt by it."""
        return self._control.handler_errors

    @property
    def refused(self) -> int:
        """How many requests the relay refused by itself: not HTTP/1.1 (400, 501), too big (413, 431)."""
        return self._control.refused

    @property
    def in_flight(self) -> int:
        """How many exchanges are under way."""
        return len(self._control.flights)

    def release_held(self) -> None:
        """End every effect at once: what is held goes on untouched, what is slow is sent, what is silent is closed."""
        for flight in tuple(self._control.flights):
            flight.release()

    async def close(self, grace_s: float = 0.0) -> None:
        """Stop listening, give the exchanges under way `grace_s` seconds to end, then cut every connection."""
        self._server.close()
        if self._control.flights:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._control.idle.wait()
        clients = tuple(self._clients)
        for client in clients:
            client.abort()
        self._control.pool.close()
        await asyncio.gather(*[client.gone.wait() for client in clients])
        await self._server.wait_closed()


def upstream_address(url: str) -> tuple[str, int]:
    """Host and port of an upstream `http://host:port`.

    Raises:
        ValueError: it is anything else; the message says how to write it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme != "http" or not parts.hostname or port is None or parts.path not in ("", "/"):
        raise ValueError(
            f"upstream: got {url!r}, expected http://host:port; fix: write for example http://127.0.0.1:8000"
        )
    return parts.hostname, port


async def serve(
    upstream: str,
    handler: Handler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    upstream_timeout_s: float = 30.0,
    max_body_bytes: int = 16 << 20,
) -> Relay:
    """Start a relay on the running event loop.

    Args:
        upstream: `http://host:port` of the server behind it. It need not run yet.
        handler: watches and edits the exchanges.
        host: address to listen on.
        port: port to listen on; 0 lets the operating system choose.
        upstream_timeout_s: seconds that the upstream may take to accept a connection, and to send anything while an
            answer is awaited.
        max_body_bytes: longest request body that is taken; longer ones are answered 413.

    Raises:
        ValueError: `upstream` is not `http://host:port`.
        OSError: the port is taken.
    """
    pool = Pool(*upstream_address(upstream), upstream_timeout_s)
    control = Control(handler, pool, max_body_bytes)
    clients: set[Client] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Client(control, clients), host, port, backlog=BACKLOG)
    return Relay(control, clients, server)
