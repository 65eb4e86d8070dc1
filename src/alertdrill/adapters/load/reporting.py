"""Tells, in batches, what was sent and what came back; `merge.Merge` makes events for the controller of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from alertdrill.adapters.load.request import Request
from alertdrill.adapters.load.tally import LogHistogram, Tally

LATE_S = 0.02

Emit = Callable[[Mapping[str, object]], None]


class Reporter:
    """Collects requests as they are attempted and as they end, and turns them into events.

    Attributes:
        attempted: requests handed to a connection since the last report, in order, all of the running segment.
        ended: requests answered or failed since the last report.
        suppressed: requests withheld since the last report, all of the running segment.
    """

    def __init__(self, emit: Emit, wall: Callable[[float], float], fold: Callable[[Sequence[Request]], None]) -> None:
        """Start with nothing to tell.

        Args:
            emit: sends an event to the controller.
            wall: wall time of an instant of the load's clock.
            fold: is given every ended request once, for further statistics.
        """
        self._emit = emit
        self._wall = wall
        self._fold = fold
        self._k = 0
        self._tallies: dict[int, Tally] = {}
        self._unsent: list[Request] = []
        self._in_flight = 0
        self._draining: list[int] = []
        self.attempted: list[Request] = []
        self.ended: list[Request] = []
        self.suppressed: list[Request] = []

    def began(self, k: int) -> None:
        """Segment `k` runs; what is attempted belongs to it."""
        self._k = k
        self._tallies[k] = Tally()

    def closed(self, k: int, scheduled: int) -> None:
        """Report the last of segment `k`, of whose arrivals `scheduled` were due before its end, and close it."""
        self.report()
        self._emit(self._tallies[k].closed(k, scheduled))
        if self._tallies[k].in_flight:
            self._draining.append(k)

    def in_flight(self) -> int:
        """Requests attempted that have neither been answered nor failed."""
        return self._in_flight + len(self.attempted) - len(self.ended)

    def report(self) -> None:
        """Emit what happened since the last report; nothing if nothing did."""
        attempted, self.attempted = self.attempted, []
        ended, self.ended = self.ended, []
        suppressed, self.suppressed = self.suppressed, []
        if suppressed:
            self._tallies[self._k].suppressed += len(suppressed)
            self._emit_touched(suppressed)
        if not attempted and not ended:
            self._confirm(())
            return
        self._in_flight += len(attempted) - len(ended)
        self._count_attempted(attempted)
        self._count_ended(ended)
        self._confirm(attempted)
        self._emit(self._sent_event(attempted, ended))
        self._emit_answered([request for request in ended if request.touched])
        self._fold(ended)
        self._tell_drained(ended)

    def _tell_drained(self, ended: Sequence[Request]) -> None:
        """Tell of closed segments whose last request ended just now."""
        for k in [k for k in self._draining if not self._tallies[k].in_flight]:
            self._draining.remove(k)
            last = max(request.ended for request in ended if request.k == k)
            self._emit(self._tallies[k].drained(k, self._wall(last)))

    def _count_attempted(self, attempted: Sequence[Request]) -> None:
        if attempted:
            errors_s = [request.attempted - request.intended for request in attempted]
            self._tallies[self._k].attempted(errors_s, ((request.index, request.body) for request in attempted))
            for request in attempted:
                request.body = b""  # of no more use, and it may be long

    def _count_ended(self, ended: Sequence[Request]) -> None:
        counts = Counter((request.k, request.failure is None) for request in ended)
        for k in {k for k, _ in counts}:
            self._tallies[k].ended(counts[k, True], counts[k, False])

    def _confirm(self, attempted: Iterable[Request]) -> None:
        """Tell which touched requests have left completely; the others are asked about again next time."""
        waiting = [*self._unsent, *attempted]
        self._unsent = [request for request in waiting if not request.sent and not request.ended]
        sent = [request for request in waiting if request.sent]
        for k in {request.k for request in sent}:
            self._tallies[k].confirmed(self._wall(request.sent) for request in sent if request.k == k)
        self._emit_touched(sent)

    def _emit_touched(self, sent: Iterable[Request]) -> None:
        for (injection, k), requests in _by_injection(request for request in sent if request.touched).items():
            self._emit(
                {
                    "event": "touched",
                    "injection": injection,
                    "k": k,
                    "i": [request.index for request in requests],
                    "sent": [self._wall(request.sent) for request in requests],
                }
            )

    def _emit_answered(self, touched: Iterable[Request]) -> None:
        for (injection, k), requests in _by_injection(touched).items():
            self._emit(
                {
                    "event": "answered",
                    "injection": injection,
                    "k": k,
                    "i": [request.index for request in requests],
                    "done": [self._wall(r.ended) if r.failure is None else None for r in requests],
                    "code": [request.status for request in requests],
                }
            )

    def _sent_event(self, attempted: Sequence[Request], ended: Sequence[Request]) -> dict[str, object]:
        latencies_s = [request.ended - request.intended for request in ended if request.failure is None]
        histogram = LogHistogram()
        histogram.add(np.array(latencies_s, dtype=np.float64))
        late = [(r.index, r.attempted - r.intended) for r in attempted if r.attempted - r.intended > LATE_S]
        return {
            "event": "sent",
            "k": self._k,
            "upto": self._tallies[self._k].sent,
            "late": late,
            "errors": Counter(request.failure.value for request in ended if request.failure is not None),
            "answered": len(latencies_s),
            "codes": Counter(str(request.status) for request in ended if request.failure is None),
            "latencies": histogram.bins(),
            "latency_max_s": histogram.max_s,
            "in_flight": self._in_flight,
        }


def _by_injection(requests: Iterable[Request]) -> dict[tuple[str, int], list[Request]]:
    groups: dict[tuple[str, int], list[Request]] = {}
    for request in requests:
        for injection in request.touched:
            groups.setdefault((injection, request.k), []).append(request)
    return groups
