"""Running figures of one segment in bounded memory: counts, how late sends were, hashes of the payload."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from alertdrill.adapters.load.payload_hash import ChunkDigests

WITHIN_S = 0.1
TOO_MANY_REQUESTS = 429
NOT_LET_IN = (401, 403)
BINS_PER_OCTAVE = 64
SMALLEST_S = 1e-6

Floats = NDArray[np.float64]


class LogHistogram:
    """Counts of durations by size, so that quantiles of any number of them are known to within 1.1%."""

    def __init__(self) -> None:
        self._counts = np.zeros(40 * BINS_PER_OCTAVE, dtype=np.int64)  # 1 us to 2**40 us, 12 days
        self.max_s = 0.0

    def add(self, durations_s: NDArray[np.float64]) -> None:
        """Count durations in seconds, shape (n,); what is below a microsecond counts as one."""
        if len(durations_s):
            exponents = np.log2(np.maximum(durations_s, SMALLEST_S) / SMALLEST_S) * BINS_PER_OCTAVE
            bins = np.minimum(np.ceil(exponents).astype(np.int64), len(self._counts) - 1)
            self._counts += np.bincount(bins, minlength=len(self._counts))
            self.max_s = max(self.max_s, float(durations_s.max()))

    def merge(self, bins: Mapping[int, int], max_s: float) -> None:
        """Count what another histogram counted."""
        for number, count in bins.items():
            self._counts[number] += count
        self.max_s = max(self.max_s, max_s)

    def bins(self) -> dict[int, int]:
        """Count by number of the bin, of those that are not empty."""
        return {number: int(self._counts[number]) for number in self._counts.nonzero()[0].tolist()}

    def quantile_s(self, q: float) -> float:
        """Quantile `q` in seconds, never below the true one and at most 1.1% above; 0 of no durations."""
        total = int(self._counts.sum())
        if not total:
            return 0.0
        rank = max(1, math.ceil(q * total))
        bin_number = int(np.searchsorted(np.cumsum(self._counts), rank))
        return min(SMALLEST_S * 2 ** (bin_number / BINS_PER_OCTAVE), self.max_s)


class Tally:
    """What became of the requests of one segment."""

    def __init__(self) -> None:
        self.sent = self.suppressed = self.answered = self.failed = self.within_100ms = 0
        self.answers_read = self.answers_unreadable = self.rate_limited = self.denied = 0
        self.unreadable_example: str | None = None
        self.first_sent: float | None = None
        self.last_sent: float | None = None
        self._errors, self._latencies, self._first = LogHistogram(), LogHistogram(), LogHistogram()
        self._digests = ChunkDigests()
        self._ended_when_closed = (0, 0, 0, 0)

    @property
    def in_flight(self) -> int:
        """Requests that have neither been answered nor failed."""
        return self.sent - self.answered - self.failed

    def attempted(self, errors_s: Floats, indices: Sequence[int], bodies: Iterable[bytes]) -> None:
        """Count requests handed to a connection, in order: how late each was, shape (n,), its number and its body."""
        self.sent += len(errors_s)
        self.within_100ms += int((errors_s <= WITHIN_S).sum())
        self._errors.add(errors_s)
        self._digests.add(zip(indices, bodies, strict=True))

    def confirmed(self, first: float, last: float) -> None:
        """Note the wall times of the first and the last of some requests whose bytes the kernel took."""
        self.first_sent = first if self.first_sent is None else min(self.first_sent, first)
        self.last_sent = last if self.last_sent is None else max(self.last_sent, last)

    def ended(self, latencies_s: Floats, first_s: Floats, failed: int, rate_limited: int = 0, denied: int = 0) -> None:
        """Count requests that were answered or have failed.

        Args:
            latencies_s: shape (n,), of those answered: when, after they were due.
            first_s: shape (n,): when the first byte of the answer came, after they were due.
            failed: how many have failed.
            rate_limited: how many of those answered were told that they are too many (429).
            denied: how many of those answered were not let in (401, 403).
        """
        self.rate_limited += rate_limited
        self.denied += denied
        self.answered += len(latencies_s)
        self.failed += failed
        self._latencies.add(latencies_s)
        self._first.add(first_s)

    def read(self, why_unreadable: str | None) -> None:
        """Count an answer whose body was read, and what it is if it can be no prediction."""
        self.answers_read += 1
        if why_unreadable is not None:
            self.answers_unreadable += 1
            self.unreadable_example = self.unreadable_example or why_unreadable

    def closed(self, k: int, scheduled: int) -> dict[str, object]:
        """What is to be told of segment `k` at its end; `merge.Merge` makes the event of it."""
        self._ended_when_closed = (self.answered, self.failed, self.rate_limited, self.denied)
        return {
            "event": "closed",
            "k": k,
            "scheduled": scheduled,
            "sent": self.sent,
            "suppressed": self.suppressed,
            "within_100ms": self.within_100ms,
            "answered": self.answered,
            "failed": self.failed,
            "rate_limited": self.rate_limited,
            "denied": self.denied,
            "in_flight": self.in_flight,
            "answers_read": self.answers_read,
            "answers_unreadable": self.answers_unreadable,
            "unreadable_example": self.unreadable_example,
            "first_sent": self.first_sent,
            "last_sent": self.last_sent,
            "errors": self._errors.bins(),
            "error_max_s": self._errors.max_s,
            "first_byte": self._first.bins(),
            "first_byte_max_s": self._first.max_s,
            "latencies": self._latencies.bins(),
            "latency_max_s": self._latencies.max_s,
            "digests": self._digests.digests(),
            "reached": self._digests.reached,
        }

    def drained(self, k: int, at: float) -> dict[str, object]:
        """The event that tells what became of the requests of segment `k` that were in flight when it closed."""
        answered, failed, rate_limited, denied = self._ended_when_closed
        return {
            "event": "drained",
            "k": k,
            "last_ended": at,
            "answered": self.answered - answered,
            "failed": self.failed - failed,
            "rate_limited": self.rate_limited - rate_limited,
            "denied": self.denied - denied,
        }
