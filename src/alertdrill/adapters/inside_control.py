"""Asks the middleware in an app: the requests under /.alertdrill/ that `alertdrill.inside.control` answers."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from alertdrill.core.drill_headers import RUN_HEADER
from alertdrill.core.inside_protocol import PREFIX, TOKEN_HEADER
from alertdrill.core.scenario.target import is_loopback
from alertdrill.tls import SYSTEM_ROOTS, TlsSettings

TIMEOUT_S = 2.0


class Unanswered(Exception):
    """No middleware with our token answered; the text says what came instead."""


class Refused(Exception):
    """The middleware said no; the text says why."""


class InsideControl:
    """Control requests to one app. Every request raises Unanswered, or Refused.

    Args:
        url: address of the app.
        token: the secret that it knows.
        run_id: of the drill.
        headers: sent with every request, as the load sends them.
        tls: how an https app is trusted.
    """

    def __init__(
        self, url: str, token: str, run_id: str, headers: Mapping[str, str], tls: TlsSettings = SYSTEM_ROOTS
    ) -> None:
        self.url = url.rstrip("/")
        self._extensions = {"sni_hostname": tls.server_name} if tls.server_name else {}
        self._http = httpx.AsyncClient(
            headers={**headers, TOKEN_HEADER: token, RUN_HEADER.decode(): run_id},
            verify=tls.context() if self.url.startswith("https:") else False,  # loading certificates takes 0.1 s
            trust_env=not is_loopback(httpx.URL(url).host),  # a proxy of the environment cannot reach our loopback
        )

    async def ask(
        self, method: str, what: str, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """What the middleware answers to `method` on /.alertdrill/`what`."""
        path = f"{PREFIX}{what}"
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._http.request(
                    method,
                    self.url + path,
                    headers=dict(headers),
                    content=body,
                    timeout=timeout_s,
                    extensions=self._extensions,
                )
        except (TimeoutError, httpx.TimeoutException):
            raise Unanswered(f"no answer to {method} {path} within {timeout_s:g} s") from None
        except httpx.HTTPError as error:
            raise Unanswered(f"no answer to {method} {path} ({error})") from None
        return _said(answer, f"{answer.status_code} to {method} {path}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _said(answer: httpx.Response, got: str) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        raise Unanswered(got) from None
    if not isinstance(content, dict) or not {"process", "version"} <= content.keys():
        raise Unanswered(got)
    if answer.status_code != httpx.codes.OK:
        raise Refused(f"{content.get('error')} (alertdrill {content['version']} in the app)")
    return content
