"""PromQL through prometheus-api-client, whose requests are bounded in time and size and whose failures are typed."""

import time
from collections.abc import Mapping
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError as TransportError
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.retry import Retry

from alertdrill.adapters.prometheus_errors import answer_data, broken, malformed, timed_out, unreachable

MAX_ANSWER_BYTES = 512_000_000
READ_BYTES = 262_144


class Bearer(AuthBase):
    """Sends a token; being an auth object, it is not replaced by what a ~/.netrc says."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _BoundedSession(requests.Session):
    """A session whose every request ends within its timeout, however slowly the answer drips.

    requests bounds the wait for each read only.
    """

    def __init__(self, url: str, *, trust_env: bool, verify: bool) -> None:
        super().__init__()
        self._url, self.trust_env, self.verify = url, trust_env, verify

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send, read to the end, and raise QueryFailed for anything but a Prometheus's success."""
        query, timeout_s = str(options["params"]["query"]), float(options["timeout"])
        deadline = time.monotonic() + timeout_s
        try:
            answer = super().request(method, url, **{**options, "stream": True, "allow_redirects": False})
            body = _read(answer, deadline)
        except (requests.Timeout, ReadTimeoutError, TimeoutError):
            raise timed_out(self._url, query, timeout_s) from None
        except requests.ConnectionError as error:
            aborted = "Connection aborted" in str(error)
            raise (broken if aborted else unreachable)(self._url, query, error) from None
        except (requests.RequestException, TransportError) as error:
            raise broken(self._url, query, error) from None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        answer_data(self._url, query, answer.status_code, headers, body)
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
    """Asks PromQL; blocking, to be run in a thread. Several threads may ask at once."""

    def __init__(self, url: str, *, timeout_s: float, token: str | None, verify: bool, trust_env: bool) -> None:
        self._url, self._timeout_s = url, timeout_s
        self._client = PrometheusConnect(
            url=url,
            auth=Bearer(token) if token else None,
            retry=Retry(0, read=False),
            session=_BoundedSession(url, trust_env=trust_env, verify=verify),
        )

    def ask(self, promql: str, at: float | None = None) -> list[Any]:
        """The `result` of an instant query at `at` (Unix seconds; None means the engine's own present).

        Raises:
            QueryFailed: see there.
        """
        params: Mapping[str, str] = {} if at is None else {"time": f"{at:.3f}"}
        try:
            result = self._client.custom_query(promql, params=dict(params), timeout=self._timeout_s)
        except (KeyError, TypeError) as error:
            raise malformed(self._url, promql, error) from None
        if not isinstance(result, list):
            raise malformed(self._url, promql, TypeError(f"result is {type(result).__name__}, not a list"))
        return result

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
