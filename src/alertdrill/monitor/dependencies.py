"""Latency of what the model asks, as its answers state it in the header Server-Timing (W3C, Server Timing).

`Server-Timing: feature_store;dur=3.2, cache;dur=0.4`: milliseconds. Only dependencies that were named beforehand count.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from alertdrill.monitor.exposition import header, key, lines, number
from alertdrill.monitor.notes import Reading, Taker

EDGES_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONGEST_HEADER = 4096
_DESCRIPTION = re.compile(r'desc\s*=\s*"[^"]*"', re.IGNORECASE)
_DURATION = re.compile(r';\s*dur\s*=\s*"?([0-9.]+)', re.IGNORECASE)


class Dependencies(Taker):
    """A histogram of each named dependency.

    Args:
        labels: of the model, put on every series.
        names: as Server-Timing has them.
    """

    def __init__(self, labels: Mapping[str, str], names: Sequence[str]) -> None:
        self._labels = dict(labels)
        self._buckets = {name: [0] * (len(EDGES_S) + 1) for name in names}
        self._seconds = dict.fromkeys(names, 0.0)

    def take(self, readings: Sequence[Reading]) -> None:
        """Count what the answers state."""
        for reading in readings:
            for name, value in reading.note.answer_headers:
                if name == b"server-timing":
                    self._count(value[:LONGEST_HEADER].decode("latin-1"))

    def _count(self, stated: str) -> None:
        for entry in _DESCRIPTION.sub("", stated).split(","):
            name = entry.partition(";")[0].strip()
            duration_s = _seconds(entry) if name in self._buckets else None
            if duration_s is not None:
                self._buckets[name][bisect_left(EDGES_S, duration_s)] += 1
                self._seconds[name] += duration_s

    def render(self) -> Iterator[str]:
        """The lines of these metrics."""
        name = "model_dependency_duration_seconds"
        yield header(name, "histogram", "Seconds that a dependency took, as Server-Timing of the answers states it.")
        for dependency, buckets in self._buckets.items():
            labels = {**self._labels, "dependency": dependency}
            below = list(accumulate(buckets))
            edges = [*map(number, EDGES_S), "+Inf"]
            yield from lines([key(f"{name}_bucket", {**labels, "le": edge}) for edge in edges], below)
            yield from lines([key(f"{name}_sum", labels)], [self._seconds[dependency]])
            yield from lines([key(f"{name}_count", labels)], [below[-1]])


def _seconds(entry: str) -> float | None:
    found = _DURATION.search(entry)
    try:
        seconds = float(found[1]) / 1e3 if found else math.nan
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None
