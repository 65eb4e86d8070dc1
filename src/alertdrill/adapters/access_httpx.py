"""An HTTP client that goes the way that a server of the monitoring is reached."""

from collections.abc import Generator

import httpx

from alertdrill.adapters.access import Access


class _Shown(httpx.Auth):
    """Shows with each request what the server asks for, and the name that it must be certified as."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the headers."""
        request.headers.update(self._access.headers())
        if self._access.tls.server_name is not None:
            request.extensions = {**request.extensions, "sni_hostname": self._access.tls.server_name}
        yield request


def http_client(access: Access, timeout_s: float) -> httpx.AsyncClient:
    """A client whose every request raises NoSecret where a secret cannot be read.

    Args:
        access: the way to the server.
        timeout_s: of each step of a request.
    """
    verify = access.context or False  # of plain http nothing is checked; loading certificates takes 0.1 s
    return httpx.AsyncClient(auth=_Shown(access), timeout=timeout_s, verify=verify, trust_env=access.trust_env)
