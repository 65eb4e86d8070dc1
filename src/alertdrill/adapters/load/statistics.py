"""Adds ended requests to Locust's own statistics in batches: an event for each would cost as much as the request."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from locust.stats import RequestStats, StatsEntry, StatsError, bucket_response_time

from alertdrill.adapters.load.request import FIRST_ERROR_STATUS, Request

METHOD = "POST"


def _error(request: Request) -> str:
    """What Locust calls the failure of a request; like its own users, it counts an answer of 400 or more as one."""
    return f"HTTP {request.status}" if request.failure is None else request.failure.value


class LocustStatistics:
    """One entry of Locust's statistics, under the path of the endpoint."""

    def __init__(self, stats: RequestStats, name: str) -> None:
        self._stats = stats
        self._name = name

    def fold(self, requests: Sequence[Request], at: float) -> None:
        """Add answered and failed requests, response times from the intended send; `at` is wall time."""
        if not requests:
            return
        wrong = [request for request in requests if not 0 < request.status < FIRST_ERROR_STATUS]
        errors = Counter(map(_error, wrong))
        batch = self._batch(requests, errors.total(), at)
        self._stats.entries[(self._name, METHOD)].extend(batch)
        self._stats.total.extend(batch)
        for error, count in errors.items():
            self._add_error(error, count, at)

    def _batch(self, requests: Sequence[Request], failures: int, at: float) -> StatsEntry:
        times_ms = np.rint([(request.ended - request.intended) * 1e3 for request in requests]).astype(np.int64)
        batch = StatsEntry(self._stats, self._name, METHOD)
        batch.num_requests, batch.num_failures = len(requests), failures
        batch.total_response_time = int(times_ms.sum())
        batch.min_response_time, batch.max_response_time = int(times_ms.min()), int(times_ms.max())
        batch.total_content_length = sum([request.size for request in requests])
        for time_ms, count in sorted(Counter(times_ms.tolist()).items()):
            batch.response_times[bucket_response_time(time_ms)] += count
        batch.num_reqs_per_sec[int(at)] = len(requests)
        if failures:
            batch.num_fail_per_sec[int(at)] = failures
        batch.last_request_timestamp = at
        return batch

    def _add_error(self, error: str, count: int, at: float) -> None:
        key = StatsError.create_key(METHOD, self._name, error)
        entry = self._stats.errors.setdefault(key, StatsError(METHOD, self._name, error))
        entry.occurrences += count
        entry.first_seen = entry.first_seen or at
        entry.last_seen = at
