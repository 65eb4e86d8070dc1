"""Asks a model server what it says of itself: bounded, patient with rate limits, and never led to another server."""

import asyncio
import math
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from urllib.parse import quote, urljoin, urlsplit

import httpx

from alertdrill.adapters.access import Access, tls_error
from alertdrill.adapters.access_httpx import http_client
from alertdrill.adapters.certificate import ISSUER_UNKNOWN, OTHER_HOST
from alertdrill.core.errors import AlertdrillError, BadInput, Mistake
from alertdrill.tls import said

TIMEOUT_S = 10.0
MOST_BYTES = 20_000_000
MOST_REDIRECTS = 5
MOST_WAITS, LONGEST_WAIT_S = 5, 30.0
REDIRECTS = (301, 302, 303, 307, 308)


class Unreachable(AlertdrillError):
    """Nobody answers, or not in time; the text says where and how to mend it."""


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Attributes:
        path: that answered, redirects followed, from the root of the server.
        body: all of it.
        seconds: from the request to the end of the answer.
    """

    path: str
    status: int
    body: bytes
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


class ModelServer:
    """One server.

    Attributes:
        origin: scheme, host and port.
        limited: how often it asked to wait (429).
    """

    def __init__(self, access: Access) -> None:
        self.origin, self.limited, self._access = access.url, 0, access
        self._http = http_client(access, TIMEOUT_S)

    async def __aenter__(self) -> "ModelServer":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str) -> Answer:
        """What a path answers.

        Raises:
            Unreachable: nobody answers.
            BadInput: it leads to another server, or TLS or the rate limit is in the way.
        """
        return await self._asked("GET", path)

    async def post(self, path: str, body: bytes, content_type: str) -> Answer:
        """What a path answers to a body; raises as `get`."""
        return await self._asked("POST", path, body, content_type)

    async def _asked(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> Answer:
        for _ in range(MOST_REDIRECTS):
            status, headers, content, seconds = await self._patiently(method, path, body, content_type)
            if status not in REDIRECTS or "location" not in headers:
                return Answer(path, status, content, seconds)
            path = self._led_to(path, headers["location"])
        fix = "name the address that it ends at"
        raise BadInput([Mistake(self.origin + path, "redirects without end", "an answer", fix)])

    def _led_to(self, path: str, location: str) -> str:
        """The path that a redirect means.

        Raises:
            BadInput: it leads to another server, which nobody named.
        """
        fix = "name that address, if it is the one you mean"
        try:
            there = urljoin(self.origin + path, location)
            parts = urlsplit(there)
        except ValueError:
            got = "a redirect to what is no address"
            raise BadInput([Mistake(self.origin + path, got, "an answer of this server", fix)]) from None
        if f"{parts.scheme}://{parts.netloc}".lower() != self.origin.lower():
            raise BadInput([Mistake(self.origin + path, f"a redirect to {there}", "an answer of this server", fix)])
        return quote(parts.path, safe="/%:@!$&'()*+,;=~") + (f"?{parts.query}" if parts.query else "")

    async def _patiently(
        self, method: str, path: str, body: bytes | None, content_type: str
    ) -> tuple[int, httpx.Headers, bytes, float]:
        """What a path answers, once it does not ask to wait."""
        for _ in range(MOST_WAITS):
            status, headers, content, seconds = await self._once(method, path, body, content_type)
            if status != httpx.codes.TOO_MANY_REQUESTS:
                return status, headers, content, seconds
            self.limited += 1
            wait_s = _wait_s(headers.get("retry-after"))
            if wait_s > LONGEST_WAIT_S:
                break
            await asyncio.sleep(wait_s)
        fix = f"come again later; it asks to wait {wait_s:g} s" if wait_s > LONGEST_WAIT_S else "come again later"
        got = f"it answers 429 ({self.limited} times)"
        raise Unreachable(f"{self.origin}{path}\n  got {got}, expected an answer\n  fix: {fix}")

    async def _once(
        self, method: str, path: str, body: bytes | None, content_type: str
    ) -> tuple[int, httpx.Headers, bytes, float]:
        began, url = time.monotonic(), self.origin + path
        headers = {"Content-Type": content_type} if content_type else {"Accept": "application/json"}
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._http.stream(method, url, content=body, headers=headers) as answer,
            ):
                content = b""
                async for part in answer.aiter_bytes():
                    content += part
                    if len(content) > MOST_BYTES:
                        got = f"more than {MOST_BYTES // 10**6} MB"
                        raise BadInput([Mistake(url, got, "a document", "name the address of the model server")])
                return answer.status_code, answer.headers, self._blotted(content), time.monotonic() - began
        except httpx.InvalidURL as error:
            raise BadInput([Mistake(repr(url), str(error), "an address", "correct it")]) from None
        except (TimeoutError, httpx.TimeoutException):
            fix = "see whether the server is up, or correct the address"
            raise Unreachable(f"{url}\n  got no answer within {TIMEOUT_S:g} s\n  fix: {fix}") from None
        except (httpx.HTTPError, OSError, UnicodeError) as error:
            self._refuse_tls(url, error)
            what, fix = str(error) or type(error).__name__, "start the model server, or correct the address"
            if self._access.context is not None and self._access.tls.cert is None:
                # Whether its refusal is read before the connection is reset is a matter of luck in TLS 1.3.
                fix += "; if it asks for a certificate: --tls cert=FILE --tls key=FILE"
            raise Unreachable(f"{url}\n  got {what}, expected a server that answers\n  fix: {fix}") from None

    def _blotted(self, content: bytes) -> bytes:
        """What a server says without the secrets that were sent to it: some say what they got."""
        return self._access.without_secrets(content.decode("latin-1")).encode("latin-1")

    def _refuse_tls(self, url: str, error: Exception) -> None:
        """Raise BadInput if an error is one of TLS, with the option that mends it."""
        found = tls_error(error)
        if found is None:
            return
        code = getattr(found, "verify_code", None)
        fix = "--tls verify=false trusts whoever answers"
        if code in ISSUER_UNKNOWN:
            fix = "--tls ca=FILE, a PEM file with the certificate of its issuer"
        elif code in OTHER_HOST:
            fix = "name it as its certificate does, or --tls server_name=NAME"
        elif code is None and "ALERT" in (found.reason or ""):
            fix = "--tls cert=FILE --tls key=FILE, a certificate that it takes"
        elif code is None:
            fix = "write http:// if it speaks plain HTTP"
        raise BadInput([Mistake(url, said(found), "a TLS session with a server that is trusted", fix)]) from None


def _wait_s(said_so: str | None) -> float:
    """Seconds that `Retry-After` asks to wait, RFC 9110, 10.2.3; one second where it says nothing."""
    try:
        asked_s = float(said_so or "1")
        return 1.0 if math.isnan(asked_s) else max(asked_s, 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(said_so or "").timestamp() - time.time(), 0.0)
    except ValueError:
        return 1.0
