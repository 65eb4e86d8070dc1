"""Reads a Prometheus, ours or the user's: samples, rules, targets, clock. It changes nothing and guesses nothing."""

import asyncio
import math
import re
import ssl
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import yaml

from alertdrill.adapters import prometheus_answers as answers
from alertdrill.adapters.access import Access
from alertdrill.adapters.access_httpx import http_client
from alertdrill.adapters.prometheus_answers import Sample
from alertdrill.adapters.prometheus_errors import (
    QueryFailed,
    answer_data,
    broken,
    check_status,
    malformed,
    timed_out,
    unreachable,
    without_password,
    without_secret,
)
from alertdrill.adapters.prometheus_queries import Queries
from alertdrill.adapters.secret import NoSecret
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.observations import (
    ClockBracket,
    ClockReading,
    EngineSettings,
    RawSeries,
    RuleGroup,
    SelfMetrics,
    TargetInfo,
    read_clock,
)

TIMEOUT_S = 5.0
CLOCK_READINGS = 7
VICTORIA_METRICS = "VictoriaMetrics"
_ITS_VERSION = re.compile(r'vm_app_version\{[^}]*\bshort_version="([^"]+)"')

T = TypeVar("T")


class PrometheusApi:
    """Asks one Prometheus. Every method raises `QueryFailed` when there is no answer that can be used.

    Args:
        access: the way to it, or its base address, with its path prefix if it has one.
        timeout_s: time in which every single request must be answered.

    Raises:
        BadInput: its address is no http or https address.
    """

    def __init__(self, access: Access | str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.access = access if isinstance(access, Access) else Access(access)
        self.url, self.timeout_s = _checked_url(self.access.url), timeout_s
        self._http = http_client(self.access, timeout_s)
        self._queries = Queries(self.access, timeout_s=timeout_s)
        self._time_query, self._live = "time()", False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        self._queries.close()

    async def ready(self) -> bool:
        """Whether it can answer queries; False while it still starts (503)."""
        path = "/-/ready"
        answer = await self._get(path)
        if answer.status_code == 503:
            return False
        check_status(self.access, path, answer.status_code, _headers(answer), answer.content)
        if "html" in answer.headers.get("content-type", ""):
            answer_data(self.access, path, answer.status_code, _headers(answer), answer.content)
        return True

    async def build_version(self) -> str:
        """Its version, such as `2.42.0+ds`; of a VictoriaMetrics, its name and, where it says one, its version."""
        path = "/api/v1/status/buildinfo"
        answer = await self._get(path)
        data = answer_data(self.access, path, answer.status_code, _headers(answer), answer.content)
        if data == {} or "x-server-hostname" in answer.headers:
            found = _ITS_VERSION.search((await self._get("/metrics")).text)
            return f"{VICTORIA_METRICS} {found[1]}" if found else VICTORIA_METRICS
        return self._decode(path, lambda data: str(data["version"]), data)

    async def as_victoria_metrics(self) -> float:
        """Ask as VictoriaMetrics wants to be asked: for what is newest, not for what is 30 s old and cached.

        Returns:
            How old that is which it shows to those who do not ask so, as vmalert: seconds, to the next tenth.
        """
        now = round(time.time(), 3)
        shown = self._decode("time()", answers.vector, await asyncio.to_thread(self._queries.ask, "time()", now))
        self._queries.always, self._time_query, self._live = {"nocache": "1"}, "now()", True
        return max(0, math.ceil((now - shown[0][1]) * 10)) / 10

    async def flags(self) -> dict[str, str]:
        """The flags it was started with, by name without dashes."""
        return await self.read("/api/v1/status/flags", lambda data: {str(k): str(v) for k, v in data.items()})

    async def settings(self) -> EngineSettings:
        """Global intervals, external labels and rule files, from its configuration."""
        return await self.read("/api/v1/status/config", _settings)

    async def rules(self) -> list[RuleGroup]:
        """The rule groups it has loaded, in its order."""
        return await self.read("/api/v1/rules", answers.rule_groups)

    async def alertmanagers(self) -> list[str]:
        """Base addresses of the Alertmanagers that it posts its alerts to."""
        path = "/api/v1/alertmanagers"
        return await self.read(path, lambda data: [_base(str(one["url"])) for one in data["activeAlertmanagers"]])

    async def targets(self) -> list[TargetInfo]:
        """The targets it scrapes."""
        return await self.read("/api/v1/targets?state=active", answers.targets)

    async def self_metrics(self) -> SelfMetrics:
        """What it counts about itself, read from its `/metrics`."""
        path = "/metrics"
        answer = await self._get(path)
        check_status(self.access, path, answer.status_code, _headers(answer), answer.content)
        return self._decode(path, answers.self_metrics, answer.text)

    async def instant(self, promql: str, at: float | None = None) -> list[Sample]:
        """Labels and value of every series of an instant query; a scalar is one sample without labels.

        Args:
            promql: the query.
            at: Unix seconds, to the millisecond; None means the engine's own present.
        """
        return self._decode(promql, answers.vector, await asyncio.to_thread(self._queries.ask, promql, at))

    async def raw(self, selector: str, at: float | None = None) -> list[RawSeries]:
        """The samples that a range selector such as `ALERTS{alertstate="firing"}[5m]` covers, as they are stored.

        The range reaches back from `at`. Its start is included before Prometheus 3.0 and excluded since.

        Args:
            selector: a selector with its range.
            at: Unix seconds, to the millisecond; None means the engine's own present.
        """
        found = self._decode(selector, answers.matrix, await asyncio.to_thread(self._queries.ask, selector, at))
        return [answers.without_markers(one) for one in found] if self._live else found

    async def between(self, selector: str, from_s: float, to_s: float) -> list[RawSeries]:
        """The samples of a selector without range between two instants (Unix seconds)."""
        range_ms = max(1, math.ceil((to_s - from_s) * 1000))
        return await self.raw(f"{selector}[{range_ms}ms]", round(to_s, 3))

    async def clock(self, readings: int = CLOCK_READINGS) -> ClockReading:
        """How far the engine's clock is ahead of ours; see `read_clock`."""
        brackets = [await asyncio.to_thread(self._bracket) for _ in range(readings)]
        return read_clock(brackets)

    async def date(self, path: str) -> ClockBracket:
        """The clock of who answers a path, cut to whole seconds, as its header `Date` has it."""
        before_s = time.time()
        answer = await self._get(path)
        after_s = time.time()
        date = self._decode(path, lambda headers: parsedate_to_datetime(headers["date"]), answer.headers)
        return ClockBracket(before_s, date.timestamp(), after_s)

    def _bracket(self) -> ClockBracket:
        before_s = time.time()
        result = self._queries.ask(self._time_query)
        after_s = time.time()
        return ClockBracket(before_s, self._decode(self._time_query, answers.vector, result)[0][1], after_s)

    async def read(self, path: str, decode: Callable[[Any], T]) -> T:
        """What a path answers, turned into something typed."""
        answer = await self._get(path)
        data = answer_data(self.access, path, answer.status_code, _headers(answer), answer.content)
        return self._decode(path, decode, data)

    def _decode(self, query: str, decode: Callable[[Any], T], data: Any) -> T:
        try:
            return decode(data)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, yaml.YAMLError) as error:
            raise malformed(self.access, query, error) from None

    async def _get(self, path: str) -> httpx.Response:
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._http.get(self.url + path)
        except NoSecret as error:
            raise without_secret(self.access, path, error) from None
        except (TimeoutError, httpx.TimeoutException):
            raise timed_out(self.access, path, self.timeout_s) from None
        except httpx.ConnectError as error:
            raise unreachable(self.access, path, error) from None
        except (httpx.HTTPError, ssl.SSLError) as error:  # refused as a client, httpx leaves that as it is
            raise broken(self.access, path, error) from None


def _base(url: str) -> str:
    return url.partition("/api/v")[0]


def _settings(data: Any) -> EngineSettings:
    config = yaml.safe_load(data["yaml"])
    general = config["global"]
    return EngineSettings(
        scrape_interval_s=answers.duration_s(general.get("scrape_interval", "1m")),
        evaluation_interval_s=answers.duration_s(general.get("evaluation_interval", "1m")),
        external_labels={str(k): str(v) for k, v in (general.get("external_labels") or {}).items()},
        rule_files=tuple(config.get("rule_files") or ()),
    )


def _headers(answer: httpx.Response) -> dict[str, str]:
    return dict(answer.headers.items())


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        fix = "write http://HOST:PORT, with the path prefix if it has one"
        raise BadInput([Mistake(where="prometheus url", got=repr(url), expected="an http or https address", fix=fix)])
    return url.rstrip("/")


__all__ = ["PrometheusApi", "QueryFailed", "without_password"]
