"""PromQL through prometheus-api-client, whose requests are bounded in time and size and whose failures are typed."""

import time
from collections.abc import Mapping
from typing import Any

import requests
import urllib3
from prometheus_api_client import PrometheusConnect
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError as TransportError
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.retry import Retry

from alertdrill.adapters.access import Access
from alertdrill.adapters.prometheus_errors import (
    answer_data,
    broken,
    malformed,
    timed_out,
    unreachable,
    without_secret,
)
from alertdrill.adapters.secret import NoSecret

MAX_ANSWER_BYTES = 512_000_000
READ_BYTES = 262_144


class Shown(AuthBase):
    """Shows what a server asks for; being an auth object, it is not replaced by what a ~/.netrc says."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the headers."""
        request.headers.update(self._access.headers())
        return request


class _OverTls(HTTPAdapter):
    """Connections that are checked by our context alone, whatever the environment or requests would trust."""

    def __init__(self, access: Access) -> None:
        self._tls = {"ssl_context": access.context, "server_hostname": access.tls.server_name}
        self._verify = access.tls.verify
        super().__init__(max_retries=Retry(0, read=False))
        if not self._verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the scenario says so itself

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Make the connections."""
        super().init_poolmanager(connections, maxsize, block, **options, **self._tls)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Make those through a proxy."""
        return super().proxy_manager_for(proxy, **options, **self._tls)

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:
        """Leave the checks to our context."""
        super().cert_verify(conn, url, self._verify, None)  # type: ignore[no-untyped-call]

    def build_connection_pool_key_attributes(self, request: Any, verify: object, cert: object = None) -> Any:
        """Leave the checks to our context."""
        return super().build_connection_pool_key_attributes(request, self._verify, None)


class _BoundedSession(requests.Session):
    """A session whose every request ends within its timeout, however slowly the answer drips.

    requests bounds the wait for each read only.
    """

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._access, self.trust_env = access, access.trust_env

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send, read to the end, and raise QueryFailed for anything but a Prometheus's success."""
        query, timeout_s = str(options["params"]["query"]), float(options["timeout"])
        deadline = time.monotonic() + timeout_s
        try:
            answer = super().request(method, url, **{**options, "stream": True, "allow_redirects": False})
            body = _read(answer, deadline)
        except NoSecret as error:
            raise without_secret(self._access, query, error) from None
        except (requests.Timeout, ReadTimeoutError, TimeoutError):
            raise timed_out(self._access, query, timeout_s) from None
        except requests.ConnectionError as error:
            aborted = "Connection aborted" in str(error)
            raise (broken if aborted else unreachable)(self._access, query, error) from None
        except (requests.RequestException, TransportError) as error:
            raise broken(self._access, query, error) from None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        answer_data(self._access, query, answer.status_code, headers, body)
        answer._content = body
        return answer


def _read(answer: requests.Response, deadline: float) -> bytes:
    parts, size = [], 0
    with answer:
        while part := answer.raw.read1(READ_BYTES, decode_content=True):
            parts.append(part)
            size += len(part)
            if time.monotonic() > deadline:
                raise TimeoutError
            if size > MAX_ANSWER_BYTES:
                raise requests.RequestException(f"more than {MAX_ANSWER_BYTES} bytes")
    return b"".join(parts)


class Queries:
    """Asks PromQL; blocking, to be run in a thread. Several threads may ask at once.

    Attributes:
        always: parameters of every question.
    """

    def __init__(self, access: Access, *, timeout_s: float) -> None:
        self._access, self._timeout_s = access, timeout_s
        self.always: Mapping[str, str] = {}
        session = _BoundedSession(access)
        self._client = PrometheusConnect(
            url=access.url, auth=Shown(access), retry=Retry(0, read=False), session=session
        )
        if access.context is not None:
            session.mount(access.url, _OverTls(access))  # in place of the client's own

    def ask(self, promql: str, at: float | None = None) -> list[Any]:
        """The `result` of an instant query at `at` (Unix seconds; None means the engine's own present).

        Raises:
            QueryFailed: see there.
        """
        params = {**self.always} if at is None else {**self.always, "time": f"{at:.3f}"}
        try:
            result = self._client.custom_query(promql, params=params, timeout=self._timeout_s)
        except (KeyError, TypeError) as error:
            raise malformed(self._access, promql, error) from None
        if not isinstance(result, list):
            raise malformed(self._access, promql, TypeError(f"result is {type(result).__name__}, not a list"))
        return result

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
