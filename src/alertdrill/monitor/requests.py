"""Counters of requests: codes, latency, failures, malformed bodies."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from alertdrill.monitor.exposition import header, key, lines, number
from alertdrill.monitor.notes import UNKNOWN_CODE, Failure, Note
from alertdrill.protocols.malformed import Malformed

CODES = (200, 400, 422, 500, 502, 503, 504)
DURATION_EDGES_S = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.25,
    0.3,
    0.4,
    0.5,
    0.75,
    1.0,
    1.5,
    2.5,
    5.0,
    10.0,
)
_EDGES = np.array(DURATION_EDGES_S)


class RequestCounters:
    """What was asked and answered, by code; every code that an alert asks for exists from the start.

    `rate` misses the first increment of a series that is born with it.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = dict(labels)
        self._codes = dict.fromkeys(CODES, 0)
        self._buckets: NDArray[np.int64] = np.zeros(len(DURATION_EDGES_S) + 1, dtype=np.int64)
        self._seconds = 0.0
        self._malformed = dict.fromkeys(Malformed, 0)
        self._failures = dict.fromkeys(Failure, 0)
        self.predictions = 0
        edges = [*map(number, DURATION_EDGES_S), "+Inf"]
        name = "model_request_duration_seconds"
        self._bucket_keys = [key(f"{name}_bucket", {**labels, "le": edge}) for edge in edges]

    def take(self, notes: Sequence[Note]) -> None:
        """Count exchanges."""
        for code, count in Counter([note.code for note in notes]).items():
            self._codes[code] = self._codes.get(code, 0) + count
        durations = np.array([note.duration_s for note in notes if note.duration_s is not None], dtype=np.float64)
        self._buckets += np.bincount(_EDGES.searchsorted(durations), minlength=len(self._buckets))
        self._seconds += float(durations.sum())
        for failure in [note.failure for note in notes if note.failure is not None]:
            self._failures[failure] += 1

    def malformed(self, reason: Malformed) -> None:
        """Count one body that held no row."""
        self._malformed[reason] += 1

    def render(self) -> Iterator[str]:
        """The lines of these metrics."""
        yield header("model_requests_total", "counter", "Requests to the endpoint, by the code of the answer.")
        named = [str(code) if code != UNKNOWN_CODE else "unknown" for code in self._codes]
        codes = [key("model_requests_total", {**self._labels, "code": code}) for code in named]
        yield from lines(codes, self._codes.values())
        yield header("model_predictions_total", "counter", "Predictions that the model gave.")
        yield from lines([key("model_predictions_total", self._labels)], [self.predictions])
        yield header("model_malformed_requests_total", "counter", "Requests whose body holds no row, by reason.")
        reasons = [key("model_malformed_requests_total", {**self._labels, "reason": r.value}) for r in self._malformed]
        yield from lines(reasons, self._malformed.values())
        yield header(
            "model_request_failures_total", "counter", "Requests without a whole answer, by what kept it away."
        )
        kinds = [key("model_request_failures_total", {**self._labels, "kind": kind.value}) for kind in self._failures]
        yield from lines(kinds, self._failures.values())
        yield from self._render_durations()

    def _render_durations(self) -> Iterator[str]:
        name = "model_request_duration_seconds"
        yield header(name, "histogram", "From the whole request read to the last byte of the answer passed on.")
        below = self._buckets.cumsum().tolist()
        yield from lines(self._bucket_keys, below)
        yield from lines([key(f"{name}_sum", self._labels)], [self._seconds])
        yield from lines([key(f"{name}_count", self._labels)], [below[-1]])
