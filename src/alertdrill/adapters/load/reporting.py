"""Tells, in batches, what was sent and what came back; `merge.Merge` makes events for the controller of it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from alertdrill.adapters.load.answers import why_unreadable
from alertdrill.adapters.load.instants import pack
from alertdrill.adapters.load.request import Combinations, Request
from alertdrill.adapters.load.tally import NOT_LET_IN, TOO_MANY_REQUESTS, LogHistogram, Tally
from alertdrill.protocols.base import Protocol

LATE_S = 0.02

Emit = Callable[[Mapping[str, object]], None]


class Reporter:
    """Collects requests as they are attempted and as they end, and turns them into events.

    Attributes:
        attempted: requests handed to a connection since the last report, in order, all of the running segment.
        ended: requests answered or failed since the last report.
        suppressed: requests withheld since the last report, all of the running segment.
        secrets: sent with requests, and not to be told.
    """

    def __init__(
        self,
        emit: Emit,
        wall: Callable[[float], float],
        fold: Callable[[Sequence[Request]], None],
        combinations: Combinations,
        protocol: Protocol,
    ) -> None:
        """Start with nothing to tell.

        Args:
            emit: sends an event to the controller; its values may be arrays.
            wall: wall time of an instant of the load's clock.
            fold: is given every ended request once, for further statistics.
            combinations: knows what touched a request.
            protocol: of the target, which its answers are read by.
        """
        self._emit = emit
        self._wall = wall
        self._fold = fold
        self._combinations = combinations
        self._protocol = protocol
        self._k = 0
        self._tallies: dict[int, Tally] = {}
        self._unsent: list[Request] = []
        self._in_flight = 0
        self._draining: list[int] = []
        self.attempted: list[Request] = []
        self.ended: list[Request] = []
        self.suppressed: list[Request] = []
        self.secrets: Sequence[str] = ()

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
        attempted, ended, suppressed = _taken(self.attempted), _taken(self.ended), _taken(self.suppressed)
        if suppressed:
            self._tallies[self._k].suppressed += len(suppressed)
            self._emit_touched(suppressed)
        if not attempted and not ended:
            self._confirm([])
            return
        self._in_flight += len(attempted) - len(ended)
        late = self._count_attempted(attempted)
        outcomes = self._count_ended(ended)
        self._confirm(attempted)
        self._emit({"event": "sent", "k": self._k, "upto": self._tallies[self._k].sent, "late": late, **outcomes})
        self._emit_answered(ended)
        self._fold(ended)
        self._tell_drained(ended)

    def _tell_drained(self, ended: Sequence[Request]) -> None:
        """Tell of closed segments whose last request ended just now."""
        for k in [k for k in self._draining if not self._tallies[k].in_flight]:
            self._draining.remove(k)
            last = max(request.ended for request in ended if request.k == k)
            self._emit(self._tallies[k].drained(k, self._wall(last)))

    def _count_attempted(self, attempted: Sequence[Request]) -> list[tuple[int, float]]:
        """Count requests handed to a connection; index and seconds of those that were late."""
        if not attempted:
            return []
        errors_s = np.array([request.attempted - request.intended for request in attempted])
        bodies, indices = [request.body for request in attempted], [request.index for request in attempted]
        self._tallies[self._k].attempted(errors_s, indices, bodies)
        for request in attempted:
            request.body = b""  # of no more use, and it may be long
        return [(attempted[n].index, float(errors_s[n])) for n in (errors_s > LATE_S).nonzero()[0].tolist()]

    def _count_ended(self, ended: Sequence[Request]) -> dict[str, object]:
        """Count requests that were answered or have failed; what the `sent` event says of them."""
        latencies_s = np.array([request.ended - request.intended for request in ended])
        first_s = np.array([request.answering - request.intended for request in ended])
        codes = np.array([request.status for request in ended])
        of, answered = np.array([request.k for request in ended]), codes > 0
        for k in set(of.tolist()):
            own = answered & (of == k)
            which = (~answered, codes == TOO_MANY_REQUESTS, np.isin(codes, NOT_LET_IN))
            self._tallies[k].ended(latencies_s[own], first_s[own], *(int((one & (of == k)).sum()) for one in which))
        for request in ended:
            if request.answer is None:
                continue
            self._tallies[request.k].read(why_unreadable(self._protocol, request.answer, self.secrets))
            request.answer = None
        histogram = LogHistogram()
        histogram.add(latencies_s[answered])
        return {
            "errors": Counter(request.failure.value for request in ended if request.failure is not None),
            "answered": int(answered.sum()),
            "codes": {str(code): count for code, count in sorted(Counter(codes[answered].tolist()).items())},
            "latencies": histogram.bins(),
            "latency_max_s": histogram.max_s,
            "in_flight": self._in_flight,
        }

    def _confirm(self, attempted: Sequence[Request]) -> None:
        """Tell which touched requests have left completely; the others are asked about again next time."""
        waiting = [*self._unsent, *attempted]
        self._unsent = [request for request in waiting if not request.sent and not request.ended]
        sent = [request for request in waiting if request.sent]
        if sent:
            instants, of = np.array([request.sent for request in sent]), np.array([request.k for request in sent])
            for k in set(of.tolist()):
                own = instants[of == k]
                self._tallies[k].confirmed(self._wall(float(own.min())), self._wall(float(own.max())))
            self._emit_touched(sent)

    def _emit_touched(self, sent: Sequence[Request]) -> None:
        touched = np.array([request.touched for request in sent])
        if touched.any():
            indices, instants = np.array([r.index for r in sent]), np.array([r.sent for r in sent])
            for injection, own in self._combinations.by_injection(touched):
                first, offsets = pack(instants[own])
                what = {"injection": injection, "k": sent[own[0]].k, "i": indices[own]}
                self._emit({"event": "touched", **what, "from": self._wall(first), "sent_us": offsets})

    def _emit_answered(self, ended: Sequence[Request]) -> None:
        touched = np.array([request.touched for request in ended])
        if touched.any():
            indices, instants = np.array([r.index for r in ended]), np.array([r.ended for r in ended])
            codes = np.array([request.status for request in ended])
            for injection, own in self._combinations.by_injection(touched):
                first, offsets = pack(instants[own])
                what = {"injection": injection, "k": ended[own[0]].k, "i": indices[own], "code": codes[own]}
                self._emit({"event": "answered", **what, "from": self._wall(first), "done_us": offsets})


def _taken(requests: list[Request]) -> list[Request]:
    """The requests so far; the list, to which others append, is empty again."""
    taken = requests[:]
    requests.clear()
    return taken
