"""What the load does now, for whoever watches: out of its events of the last seconds."""

import time
from collections import Counter, deque
from collections.abc import Callable

from alertdrill.adapters.load.request import FIRST_ERROR_STATUS
from alertdrill.adapters.load.tally import LogHistogram
from alertdrill.adapters.processes import Event
from alertdrill.run.ports import Traffic

WINDOW_S = 5.0


class LiveTraffic:
    """Adds up events of the load over a window."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._window: deque[tuple[float, int, Event]] = deque()
        self._k, self._upto = 0, 0
        self._errors: Counter[str] = Counter()
        self._began = clock()

    def take(self, event: Event) -> Traffic:
        """Take one `sent` event of the load."""
        now = self._clock()
        sent = event["upto"] - (self._upto if event["k"] == self._k else 0)
        self._k, self._upto = event["k"], event["upto"]
        self._errors.update(event["errors"])
        self._errors.update({code: n for code, n in event["codes"].items() if int(code) >= FIRST_ERROR_STATUS})
        if not self._window:
            self._began = now
        self._window.append((now, sent, event))
        while self._window[0][0] < now - WINDOW_S:
            self._began = self._window.popleft()[0]
        return Traffic(self._rate_per_s(now), self._latencies_s(), dict(self._errors), event["in_flight"])

    def _rate_per_s(self, now: float) -> float:
        """What was sent since the event before the window, or since the first, which says nothing of its own time."""
        counts = [sent for at, sent, _ in self._window if at > self._began]
        return sum(counts) / (now - self._began) if now > self._began else 0.0

    def _latencies_s(self) -> tuple[float, float, float] | None:
        if not any(event["answered"] for _, _, event in self._window):
            return None
        histogram = LogHistogram()
        for _, _, event in self._window:
            histogram.merge(dict(event["latencies"]), event["latency_max_s"])
        return histogram.quantile_s(0.50), histogram.quantile_s(0.95), histogram.quantile_s(0.99)
