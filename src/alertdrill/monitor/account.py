"""The monitor's books: exchanges are noted at once and accounted for later, never while an answer waits."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from alertdrill.drift.cells import Cells
from alertdrill.drift.e_detector import EDetector
from alertdrill.monitor.bodies import Malformed, read
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.failures import Failures
from alertdrill.monitor.features import FeatureCounters
from alertdrill.monitor.requests import RequestCounters

MOST_NOTES = 50_000
MOST_NOTED_BYTES = 64 << 20


class Note(NamedTuple):
    """One exchange, as much of it as accounting needs.

    Attributes:
        code: of the answer.
        duration_s: that the client waited, in seconds.
        answered: whether the model's answer was passed on whole.
        body: of the request.
    """

    code: int
    duration_s: float
    answered: bool
    body: bytes


class Account:
    """All metrics of one model and version, and the queue of what is still to be counted.

    Attributes:
        failures: the monitor's own failures; wrap what may fail in it.
        dropped: exchanges that were not counted because the queue was full.
        refused: requests that the relay refused by itself, such as a body over its limit; set by who runs it.
        relay_errors: exceptions of ours that the relay caught; set by who runs it.
        more: metrics that others keep, as lines; set by who runs it.
    """

    def __init__(
        self,
        labels: Mapping[str, str],
        cells: Mapping[str, Cells],
        unwatched: Sequence[str],
        detector: EDetector,
        started_at: float,
    ) -> None:
        """Empty books.

        Args:
            labels: `model` and `version`, put on every series.
            cells: of every watched feature.
            unwatched: the other features of the schema.
            detector: over the watched features in the same order.
            started_at: seconds since 1970.
        """
        self._labels = dict(labels)
        self._notes: deque[Note] = deque()
        self._noted_bytes = 0
        self._requests = RequestCounters(labels)
        self._features = FeatureCounters(labels, cells, unwatched, detector)
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        self._window_end = started_at
        self.failures = Failures()
        self.dropped = self.refused = self.relay_errors = 0
        self.more: list[Callable[[], Iterable[str]]] = []

    @property
    def waiting(self) -> int:
        """Exchanges noted and not yet counted."""
        return len(self._notes)

    def note(self, note: Note) -> None:
        """Remember an exchange; a full queue drops it and counts that."""
        if len(self._notes) >= MOST_NOTES or self._noted_bytes + len(note.body) > MOST_NOTED_BYTES:
            self.dropped += 1
            return
        self._notes.append(note)
        self._noted_bytes += len(note.body)

    def fold(self, most: int | None = None) -> None:
        """Count the exchanges that wait, the oldest first, at most `most` of them."""
        taken = min(len(self._notes), len(self._notes) if most is None else most)
        rows = []
        for _ in range(taken):
            note = self._notes.popleft()
            self._noted_bytes -= len(note.body)
            self._requests.answered(note.code, note.duration_s)
            row = read(note.body)
            if isinstance(row, Malformed):
                self._requests.malformed(row)
            else:
                rows.append(row)
            if note.answered and note.code == 200:
                self._requests.predictions += 1
        if rows:
            self._features.add(rows)

    def update(self, window_end: float) -> None:
        """Bring the evidence for drift up to date with what is counted: every exchange that ended by `window_end`."""
        self._features.update()
        self._window_end = window_end

    def scrape(self) -> bytes:
        """The metrics in the Prometheus text format, after counting everything that waits."""
        with self.failures:
            self.fold()
        more = list[str]()
        for others in self.more:
            with self.failures:
                more += others()
        text = "".join([*self._requests.render(), *self._features.render(), *self._render_self(), *more])
        return text.encode() + generate_latest(self._process)

    def _render_self(self) -> Iterator[str]:
        features = self._features
        yield from self._own("window_end_timestamp_seconds", "End of the last batch of evidence.", self._window_end)
        yield from self._own("updates_total", "Batches that the e-detector took.", features.updates)
        yield from self._own("rows_total", "Rows counted.", features.rows)
        yield from self._own("unknown_keys_total", "Keys that the schema does not name.", features.unknown_keys)
        yield from self._own("dropped_total", "Exchanges not counted because the queue was full.", self.dropped)
        yield from self._own("refused_total", "Requests refused before the model saw them.", self.refused)
        errors = self.failures.count + self.relay_errors
        yield from self._own("errors_total", "Failures of the monitor itself.", errors)

    def _own(self, name: str, text: str, value: float) -> Iterator[str]:
        full = f"model_monitor_{name}"
        yield header(full, "counter" if name.endswith("_total") else "gauge", text)
        yield from lines([key(full, self._labels)], [value])
