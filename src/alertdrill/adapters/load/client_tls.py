"""Locust's HTTP clients check the first server on the wire as the target's settings say, and other servers as ever."""

import ssl
from collections.abc import MutableMapping
from functools import partial
from typing import Any
from weakref import WeakSet

from geventhttpclient.client import HTTPClient
from geventhttpclient.url import URL
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession

from alertdrill.tls import SYSTEM_ROOTS, TlsSettings


class ClientTls:
    """The settings of an https target for the clients of users; where there are none, users trust as ever."""

    def __init__(self, settings: TlsSettings, url: str) -> None:
        """Change nothing yet.

        Args:
            settings: of the target.
            url: address of the first server on the wire.
        """
        self._settings, self._url = settings, url
        self._needed = url.startswith("https:") and settings != SYSTEM_ROOTS
        self._clients: WeakSet[HTTPClient] = WeakSet()

    def apply(self, session: object, call: MutableMapping[str, Any]) -> None:
        """Prepare a call of a session to the first server on the wire; a call's own arguments come second."""
        if not self._needed:
            return
        if isinstance(session, HttpSession):
            self._apply_to_arguments(session, call)
        elif isinstance(session, FastHttpSession):
            self._apply_to_pool(session)

    def _apply_to_arguments(self, session: HttpSession, call: MutableMapping[str, Any]) -> None:
        settings = self._settings
        if settings.ca is not None or not settings.verify:
            call["verify"] = str(settings.ca) if settings.verify else False
        if settings.cert is not None:
            call["cert"] = (str(settings.cert), str(settings.key or settings.cert))
        if settings.server_name is None:
            return
        adapter: Any = session.get_adapter(self._url)
        attributes = adapter.build_connection_pool_key_attributes  # which requests has for those who need other ones
        if not isinstance(attributes, partial):
            adapter.build_connection_pool_key_attributes = partial(self._named, attributes)

    def _named(self, attributes: Any, request: Any, *more: Any, **named: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """What an adapter tells its pool of a connection, with the name that the server is certified as."""
        host, pool = attributes(request, *more, **named)
        if request.url.startswith(self._url.rstrip("/") + "/"):
            name = self._settings.server_name
            pool |= {"server_hostname": name, "assert_hostname": name if self._settings.verify else False}
        return host, pool

    def _apply_to_pool(self, session: FastHttpSession) -> None:
        """Put a client of ours for this server into the pool, which may be shared by many users."""
        pool, url = session.client.clientpool, URL(self._url)
        if pool.clients.get((url.host, url.port)) in self._clients:
            return
        settings = self._settings
        options = {"server_hostname": settings.server_name or url.host}
        own = {"ssl_context_factory": self._context, "ssl_options": options, "insecure": not settings.verify}
        client = HTTPClient.from_url(url, **{**pool.client_args, **own})
        pool.clients[url.host, url.port] = client
        self._clients.add(client)

    def _context(self, cafile: str | None = None) -> ssl.SSLContext:
        """The client would have more authorities trusted, those of `cafile`."""
        return self._settings.context()
