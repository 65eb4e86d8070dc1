"""Connections to the server behind a relay, kept alive between exchanges."""

import asyncio
import ssl
from typing import NamedTuple

from alertdrill.relay.heads import Heads, learn_answer
from alertdrill.relay.upstream import Upstream

MAX_IDLE = 256


class NoSession(Exception):
    """The upstream was reached, but there is no TLS session with it; the text says why."""


class Secure(NamedTuple):
    """How TLS is spoken with an upstream: what is checked, and as what it must be certified."""

    context: ssl.SSLContext
    server_name: str


class Pool:
    """Idle connections to one upstream, the last used first, so that spare ones grow old and are closed by the server.

    Args:
        host: name or address of the upstream.
        port: its port.
        timeout_s: seconds that it may take to connect, and to send anything while an answer is awaited.
        secure: how TLS is spoken with it; None for plain HTTP.
    """

    def __init__(self, host: str, port: int, timeout_s: float, secure: Secure | None = None) -> None:
        self.host, self.port, self.timeout_s = host, port, timeout_s
        self.authority = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").encode()
        self.url = f"{'http' if secure is None else 'https'}://{self.authority.decode()}"
        self._secure = secure
        self.heads = Heads(learn_answer)
        self._idle: list[Upstream] = []
        self._open: set[Upstream] = set()

    def take(self) -> Upstream | None:
        """An idle connection, or None."""
        while self._idle:
            upstream = self._idle.pop()
            if upstream.usable:
                return upstream
        return None

    async def connect(self) -> Upstream:
        """A new connection.

        Raises:
            TimeoutError: the upstream did not answer in `timeout_s`.
            OSError: it refused, or its name is unknown.
            NoSession: it was reached, but no TLS session came about.
        """
        loop = asyncio.get_running_loop()
        context, name = self._secure or (None, None)
        try:
            async with asyncio.timeout(self.timeout_s):
                _, upstream = await loop.create_connection(
                    lambda: Upstream(self), self.host, self.port, ssl=context, server_hostname=name
                )
        except ssl.SSLCertVerificationError as error:
            raise NoSession(error.verify_message) from None
        except ssl.SSLError as error:
            raise NoSession((error.reason or str(error)).lower().replace("_", " ")) from None
        except (ConnectionResetError, ConnectionAbortedError) as error:
            if self._secure is None:
                raise
            raise NoSession("the connection ended within the handshake") from error
        return upstream

    def opened(self, upstream: Upstream) -> None:
        """A connection is there."""
        self._open.add(upstream)

    def give_back(self, upstream: Upstream) -> None:
        """Keep a connection for the next exchange."""
        if len(self._idle) < MAX_IDLE:
            self._idle.append(upstream)
        else:
            upstream.close()

    def forget(self, upstream: Upstream) -> None:
        """A connection is gone."""
        self._open.discard(upstream)
        if upstream in self._idle:
            self._idle.remove(upstream)

    def close(self) -> None:
        """End every connection."""
        for upstream in tuple(self._open):
            upstream.close()
