"""Running figures of one segment in bounded memory: counts, how late sends were, hashes of the payload."""

import hashlib
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

WITHIN_S = 0.1
HASH_EVERY = 1000
BINS_PER_OCTAVE = 64
SMALLEST_S = 1e-6
QUANTILES = {"p50_s": 0.50, "p95_s": 0.95, "p99_s": 0.99}

Floats = NDArray[np.float64]


def quantiles(durations_s: Floats) -> dict[str, float | None]:
    """Quantiles 0.50, 0.95 and 0.99 of durations in seconds, shape (n,), by name; None of no durations.

    Each is the smallest value that at least that share of the values do not exceed (nearest rank).
    """
    ascending = np.sort(durations_s)
    ranks = {name: max(0, math.ceil(q * len(ascending)) - 1) for name, q in QUANTILES.items()}
    return {name: float(ascending[rank]) if len(ascending) else None for name, rank in ranks.items()}


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

    def quantile_s(self, q: float) -> float:
        """Quantile `q` in seconds, never below the true one and at most 1.1% above; 0 of no durations."""
        total = int(self._counts.sum())
        if not total:
            return 0.0
        rank = max(1, math.ceil(q * total))
        bin_number = int(np.searchsorted(np.cumsum(self._counts), rank))
        return min(SMALLEST_S * 2 ** (bin_number / BINS_PER_OCTAVE), self.max_s)


class PayloadHash:
    """SHA-256 over bodies in order, each behind its length (8 bytes, little-endian), read at every 1,000 bodies."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._count = 0
        self._marks: list[str] = []

    def add(self, bodies: Iterable[bytes]) -> None:
        """Add bodies, in the order in which they are sent."""
        parts: list[bytes] = []
        for body in bodies:
            parts += (len(body).to_bytes(8, "little"), body)
            self._count += 1
            if self._count % HASH_EVERY == 0:
                self._hash.update(b"".join(parts))
                self._marks.append(self._hash.hexdigest())
                parts.clear()
        self._hash.update(b"".join(parts))

    def marks(self) -> list[str]:
        """The hash after 1,000, 2,000, … bodies and, if that is none of these, after the last."""
        return self._marks + ([self._hash.hexdigest()] if self._count % HASH_EVERY else [])


class Tally:
    """What became of the requests of one segment."""

    def __init__(self) -> None:
        self.sent = self.suppressed = self.answered = self.failed = self.within_100ms = 0
        self.first_sent: float | None = None
        self.last_sent: float | None = None
        self._errors, self._latencies, self._first = LogHistogram(), LogHistogram(), LogHistogram()
        self._hash = PayloadHash()
        self._ended_when_closed = (0, 0)

    @property
    def in_flight(self) -> int:
        """Requests that have neither been answered nor failed."""
        return self.sent - self.answered - self.failed

    def attempted(self, errors_s: Floats, bodies: Iterable[bytes]) -> None:
        """Count requests handed to a connection, in order: how late each was, shape (n,), and its body."""
        self.sent += len(errors_s)
        self.within_100ms += int((errors_s <= WITHIN_S).sum())
        self._errors.add(errors_s)
        self._hash.add(bodies)

    def confirmed(self, first: float, last: float) -> None:
        """Note the wall times of the first and the last of some requests whose bytes the kernel took."""
        self.first_sent = first if self.first_sent is None else min(self.first_sent, first)
        self.last_sent = last if self.last_sent is None else max(self.last_sent, last)

    def ended(self, latencies_s: Floats, first_s: Floats, failed: int) -> None:
        """Count requests that were answered or have failed.

        Args:
            latencies_s: shape (n,), of those answered: when, after they were due.
            first_s: shape (n,): when the first byte of the answer came, after they were due.
            failed: how many have failed.
        """
        self.answered += len(latencies_s)
        self.failed += failed
        self._latencies.add(latencies_s)
        self._first.add(first_s)

    def closed(self, k: int, scheduled: int) -> dict[str, object]:
        """The event that closes segment `k`."""
        self._ended_when_closed = (self.answered, self.failed)
        return {
            "event": "closed",
            "k": k,
            "scheduled": scheduled,
            "sent": self.sent,
            "suppressed": self.suppressed,
            "within_100ms": self.within_100ms,
            "answered": self.answered,
            "failed": self.failed,
            "in_flight": self.in_flight,
            "first_sent": self.first_sent,
            "last_sent": self.last_sent,
            "error_p50_s": self._errors.quantile_s(0.5),
            "error_p99_s": self._errors.quantile_s(0.99),
            "error_max_s": self._errors.max_s,
            "first_byte_p50_s": self._first.quantile_s(0.5),
            "first_byte_p99_s": self._first.quantile_s(0.99),
            "latency_p50_s": self._latencies.quantile_s(0.5),
            "latency_p95_s": self._latencies.quantile_s(0.95),
            "latency_p99_s": self._latencies.quantile_s(0.99),
            "latency_max_s": self._latencies.max_s,
            "payload_sha256": self._hash.marks(),
        }

    def drained(self, k: int, at: float) -> dict[str, object]:
        """The event that tells what became of the requests of segment `k` that were in flight when it closed."""
        answered, failed = self._ended_when_closed
        return {
            "event": "drained",
            "k": k,
            "last_ended": at,
            "answered": self.answered - answered,
            "failed": self.failed - failed,
        }
