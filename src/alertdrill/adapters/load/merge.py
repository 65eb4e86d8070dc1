"""One account of the load out of those of its workers: what the controller is told, whatever their number."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alertdrill.adapters.load.payload_hash import marks
from alertdrill.adapters.load.request import FIRST_ERROR_STATUS
from alertdrill.adapters.load.tally import LogHistogram

Event = Mapping[str, Any]
Emit = Callable[[Event], None]

SUMMED = (
    "scheduled",
    "sent",
    "suppressed",
    "within_100ms",
    "answered",
    "failed",
    "rate_limited",
    "denied",
    "in_flight",
    "answers_read",
    "answers_unreadable",
)


@dataclass
class _Sent:
    """What the workers sent and got back since this was last told of; all of segment `k`."""

    k: int
    late: list[Any] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    latencies: LogHistogram = field(default_factory=LogHistogram)
    heard: set[int] = field(default_factory=set)

    def add(self, worker: int, event: Event) -> None:
        self.late += event["late"]
        self.errors.update(event["errors"])
        self.codes.update(event["codes"])
        self.latencies.merge(event["latencies"], event["latency_max_s"])
        self.heard.add(worker)

    def event(self, upto: int, in_flight: int) -> Event:
        return {
            "event": "sent",
            "k": self.k,
            "upto": upto,
            "late": sorted(self.late),
            "errors": dict(self.errors),
            "answered": self.codes.total(),
            "codes": dict(self.codes),
            "latencies": sorted(self.latencies.bins().items()),
            "latency_max_s": self.latencies.max_s,
            "in_flight": in_flight,
        }


class Merge:
    """Takes the events of `LoadRun` from each worker and emits those of the load.

    Attributes:
        ended: requests that were answered or have failed.
        errors: of these, those that Locust counts as failures.
    """

    def __init__(self, workers: int, emit: Emit) -> None:
        """Start with nothing heard.

        Args:
            workers: how many share the load.
            emit: is given the events for the controller.
        """
        self.ended = self.errors = 0
        self._workers = workers
        self._emit = emit
        self._sent: _Sent | None = None
        self._upto: dict[tuple[int, int], int] = {}
        self._in_flight: dict[int, int] = {}
        self._closed: dict[int, dict[int, Event]] = {}
        self._drained: dict[int, dict[int, Event]] = {}
        self._told_closed: set[int] = set()
        self._counts: Counter[str] = Counter()

    def take(self, worker: int, event: Event) -> None:
        """Take one event of one worker."""
        match event["event"]:
            case "sent":
                self._add_sent(worker, event)
            case "closed":
                self._closed.setdefault(event["k"], {})[worker] = event
                if len(self._closed[event["k"]]) == self._workers:
                    self._tell_closed(event["k"])
            case "drained":
                self._drained.setdefault(event["k"], {})[worker] = event
                self._tell_drained(event["k"])
            case "ready" | "ended" as name:
                self._counts[name] += 1
                if self._counts[name] == self._workers:
                    self._tell_rest()
                    self._emit({"event": name})
            case _:
                self._emit(event)

    def flush(self) -> None:
        """Tell what was sent since the last time, without waiting for all workers."""
        sent, self._sent = self._sent, None
        if sent is not None:
            upto = sum(count for (k, _), count in self._upto.items() if k == sent.k)
            self._emit(sent.event(upto, sum(self._in_flight.values())))

    def _add_sent(self, worker: int, event: Event) -> None:
        if self._sent is not None and self._sent.k != event["k"]:
            self.flush()
        self._sent = self._sent or _Sent(event["k"])
        self._sent.add(worker, event)
        self._upto[event["k"], worker] = event["upto"]
        self._in_flight[worker] = event["in_flight"]
        self.ended += event["answered"] + sum(event["errors"].values())
        refused = sum(count for code, count in event["codes"].items() if int(code) >= FIRST_ERROR_STATUS)
        self.errors += refused + sum(event["errors"].values())
        if len(self._sent.heard) == self._workers:
            self.flush()

    def _tell_closed(self, k: int) -> None:
        self.flush()
        self._told_closed.add(k)
        self._emit(merged_closed(k, list(self._closed[k].values())))
        self._tell_drained(k)

    def _tell_drained(self, k: int) -> None:
        """Tell once all workers with requests in flight at the end of the segment have drained."""
        drained = self._drained.get(k, {})
        waited = {worker for worker, event in self._closed.get(k, {}).items() if event["in_flight"]}
        if k in self._told_closed and waited and drained.keys() == waited:
            parts = drained.values()
            last = max(event["last_ended"] for event in parts)
            counts = {
                name: sum(event[name] for event in parts) for name in ("answered", "failed", "rate_limited", "denied")
            }
            self._emit({"event": "drained", "k": k, "last_ended": last, **counts})

    def _tell_rest(self) -> None:
        """A worker that never began a segment, because the load was stopped, does not close it either."""
        for k in sorted(self._closed.keys() - self._told_closed):
            self._tell_closed(k)
        self.flush()


def merged_closed(k: int, parts: list[Event]) -> Event:
    """The event that closes segment `k`, from what each worker tells of it."""
    errors, first_bytes, latencies = LogHistogram(), LogHistogram(), LogHistogram()
    digests: dict[int, bytes] = {}
    for part in parts:
        errors.merge(part["errors"], part["error_max_s"])
        first_bytes.merge(part["first_byte"], part["first_byte_max_s"])
        latencies.merge(part["latencies"], part["latency_max_s"])
        digests.update(part["digests"])
    first = [part["first_sent"] for part in parts if part["first_sent"] is not None]
    last = [part["last_sent"] for part in parts if part["last_sent"] is not None]
    return {
        "event": "closed",
        "k": k,
        **{name: sum(part[name] for part in parts) for name in SUMMED},
        "unreadable_example": next((part["unreadable_example"] for part in parts if part["unreadable_example"]), None),
        "first_sent": min(first, default=None),
        "last_sent": max(last, default=None),
        "error_p50_s": errors.quantile_s(0.5),
        "error_p99_s": errors.quantile_s(0.99),
        "error_max_s": errors.max_s,
        "first_byte_p50_s": first_bytes.quantile_s(0.5),
        "first_byte_p99_s": first_bytes.quantile_s(0.99),
        "latency_p50_s": latencies.quantile_s(0.5),
        "latency_p95_s": latencies.quantile_s(0.95),
        "latency_p99_s": latencies.quantile_s(0.99),
        "latency_max_s": latencies.max_s,
        "payload_sha256": marks(digests, max(part["reached"] for part in parts)),
    }
