"""A reverse proxy for HTTP/1.1 that a handler can watch, and disturb."""

import asyncio
import contextlib
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from alertdrill.relay import wire
from alertdrill.relay.client import Client
from alertdrill.relay.control import Control
from alertdrill.relay.exchange import Handler
from alertdrill.relay.upstream_pool import Pool, Secure

BACKLOG = 4096
NOWHERE = wire.error(404, "not_found", "nothing is behind this server")


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


class Address(NamedTuple):
    """Where an upstream is, and whether it speaks TLS."""

    host: str
    port: int
    secure: bool


def upstream_address(url: str) -> Address:
    """The address in `http://host:port` or `https://host:port`.

    Raises:
        ValueError: it is anything else; the message says how to write it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    known = parts.scheme in ("http", "https")
    if not known or not parts.hostname or port is None or parts.path not in ("", "/"):
        raise ValueError(
            f"upstream: got {url!r}, expected http://host:port or https://host:port; "
            "fix: write for example http://127.0.0.1:8000"
        )
    return Address(parts.hostname, port, parts.scheme == "https")


async def serve(
    upstream: str | None,
    handler: Handler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    context: ssl.SSLContext | None = None,
    server_name: str | None = None,
    upstream_timeout_s: float = 30.0,
    max_body_bytes: int = 16 << 20,
) -> Relay:
    """Start a relay on the running event loop.

    Args:
        upstream: `http://host:port` or `https://host:port` of the server behind it. It need not run yet. None: there is
            none, and what the handler does not answer itself is answered 404.
        handler: watches and edits the exchanges.
        host: address to listen on.
        port: port to listen on; 0 lets the operating system choose.
        context: how an https upstream is checked; None: by the system's roots.
        server_name: what an https upstream is asked for and must be certified as; None: its host.
        upstream_timeout_s: seconds that the upstream may take to accept a connection, and to send anything while an
            answer is awaited.
        max_body_bytes: longest request body that is taken; longer ones are answered 413.

    Raises:
        ValueError: `upstream` is not such an address.
        OSError: the port is taken.
    """
    address = upstream_address(upstream) if upstream is not None else Address("", 0, False)
    secure = Secure(context or ssl.create_default_context(), server_name or address.host) if address.secure else None
    pool = Pool(address.host, address.port, upstream_timeout_s, secure)
    control = Control(handler, pool, max_body_bytes, otherwise=NOWHERE if upstream is None else None)
    clients: set[Client] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Client(control, clients), host, port, backlog=BACKLOG)
    return Relay(control, clients, server)
