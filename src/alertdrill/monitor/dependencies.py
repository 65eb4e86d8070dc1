"""Latency of what the model asks, as its answers state it in the header Server-Timing (W3C, Server Timing).

`Server-Timing: feature_store;dur=3.2, cache;dur=0.4`: milliseconds. Only dependencies that were named beforehand count.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from alertdrill.monitor.exposition import header, key, lines, number
from alertdrill.monitor.notes import Batch, Taker

EDGES_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONGEST_HEADER = 4096
_DESCRIPTION = re.compile(r'desc\s*=\s*"[^"]*"', re.IGNORECASE)


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
        named = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        # An entry is a name and parameters: `store;dur=3.2`, `store; desc="card"; dur=3.2`.
        number_ = r'"?([0-9]{1,12}(?:\.[0-9]{1,12})?)(?![0-9.])'
        self._entries = re.compile(rf"(?:^|,)\s*({named})\s*;\s*(?:[^,]*?;\s*)??[Dd]ur\s*=\s*{number_}")

    def take(self, batch: Batch) -> None:
        """Count what the answers state."""
        stated = [
            value[:LONGEST_HEADER]
            for note in batch.notes
            for name, value in note.answer_headers
            if name == b"server-timing"
        ]
        text = b",".join(stated).decode("latin-1")
        if '"' in text:
            text = _DESCRIPTION.sub("", text)
        for name, milliseconds in self._entries.findall(text):
            duration_s = float(milliseconds) / 1e3
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
