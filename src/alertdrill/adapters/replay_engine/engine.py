"""What a replay writes to its Prometheus, and what it asks."""

import http.client
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

import numpy as np
import orjson

from alertdrill.adapters.replay_engine.remote_write import HEADERS, MOST_SAMPLES, requests
from alertdrill.core.errors import AlertdrillError
from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import LabelKey
from alertdrill.run.replay_engine import Refused, Unreadable

TIMEOUT_S = 600.0
AT_ONCE = 2
"""So many questions, or requests with samples, are on their way together."""

T = TypeVar("T")
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class ReplayFailed(AlertdrillError):
    """The Prometheus of a replay did not take samples, or did not answer: nothing of this replay counts."""


Expand = Callable[[Mapping[str, str], Sequence[tuple[LabelKey, float]]], list[dict[str, str]]]


class HttpEngine:
    """One throw-away Prometheus; every thread that asks it has a connection of its own.

    Args:
        url: where it answers.
        expand: has another one expand templates, as its clock is that of today.
    """

    def __init__(self, url: str, expand: Expand) -> None:
        self._address, self._expand = url.removeprefix("http://"), expand
        self._own = threading.local()
        self._open: list[http.client.HTTPConnection] = []
        self._pool = ThreadPoolExecutor(AT_ONCE)

    def close(self) -> None:
        """Close the connections; tasks that were not begun are not."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for one in self._open:
            one.close()

    def together(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """What tasks that do not depend on one another return, two of them at a time; a task's own in turn.

        Raises:
            ReplayFailed: there is no answer that can be used.
        """
        if len(tasks) == 1 or getattr(self._own, "inside", False):
            return [task() for task in tasks]
        return [one.result() for one in [self._pool.submit(self._inside, task) for task in tasks]]

    def _inside(self, task: Callable[[], T]) -> T:
        self._own.inside = True
        return task()

    def write(self, series: Sequence[RawSeries]) -> None:
        """Store samples, staleness markers included; many of them by several requests at a time.

        Raises:
            ReplayFailed: it did not take them; what it holds is not known then.
        """
        if sum(len(one.times_ms) for one in series) > AT_ONCE * MOST_SAMPLES:
            self.together([partial(self._send, series[part::AT_ONCE]) for part in range(AT_ONCE)])
        else:
            self._send(series)

    def _send(self, series: Sequence[RawSeries]) -> None:
        for body in requests(series):
            status, said = self._post("/api/v1/write", body, HEADERS)
            if status not in (200, 204):
                raise ReplayFailed(_story(f"did not take samples ({status}): {said[:300].decode(errors='replace')}"))

    def at(self, query: str, time_ms: int) -> list[RawSeries]:
        """What an expression returns at an instant, a sample each.

        Raises:
            Refused: it cannot be evaluated there.
            ReplayFailed: there is no answer that can be used.
        """
        data = self._ask("/api/v1/query", {"query": query, "time": _seconds(time_ms)})
        if data["resultType"] == "vector":
            return [_series(one["metric"], [one["value"]], one) for one in data["result"]]
        if data["resultType"] == "scalar":
            return [_series({}, [data["result"]], {})]
        raise Refused("rule result is not a vector or scalar")

    def over(self, query: str, first_ms: int, last_ms: int, step_ms: int) -> list[RawSeries]:
        """What an expression returns at every `step_ms` from the first to the last instant.

        Raises:
            Refused: it cannot be evaluated at all of them together.
            ReplayFailed: there is no answer that can be used.
        """
        span = {"start": _seconds(first_ms), "end": _seconds(last_ms), "step": _seconds(step_ms)}
        data = self._ask("/api/v1/query_range", {"query": query, **span})
        return [_series(one["metric"], one.get("values", ()), one) for one in data["result"]]

    def expand(self, labels: Mapping[str, str], samples: Sequence[tuple[LabelKey, float]]) -> list[dict[str, str]]:
        """The templates of a rule's labels for samples that it returned, one mapping for each.

        Raises:
            ReplayFailed: there is no answer that can be used.
        """
        return self._expand(labels, samples)

    def _ask(self, path: str, parameters: Mapping[str, str]) -> Any:
        status, said = self._post(path, urlencode(parameters).encode(), _FORM)
        try:
            answer = orjson.loads(said)
            if status == 200:
                return answer["data"]
            what = str(answer["error"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise ReplayFailed(_story(f"answered {status}: {said[:300].decode(errors='replace')}")) from None
        if status == 400:
            raise Unreadable(what)
        if status == 422:
            raise Refused(what)
        raise ReplayFailed(_story(f"answered {status}: {what}"))

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ReplayFailed(_story(f"does not answer: {type(error).__name__}: {error}")) from error

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT_S)
            self._open.append(self._own.connection)
        found: http.client.HTTPConnection = self._own.connection
        return found


def _story(what: str) -> str:
    return f"the Prometheus of the replay {what}\n  fix: replay again; where it keeps failing, see that it has memory"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def _series(labels: Mapping[str, str], values: Sequence[Sequence[Any]], one: Mapping[str, Any]) -> RawSeries:
    if "histogram" in one or "histograms" in one:
        raise Refused("the result is a native histogram")
    times = np.rint(np.array([time for time, _ in values], dtype=np.float64) * 1000).astype(np.int64)
    return RawSeries(dict(labels), times, np.array([float(value) for _, value in values], dtype=np.float64))
