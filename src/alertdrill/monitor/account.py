"""The monitor's books: exchanges are noted at once and accounted for later, never while an answer waits."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress, islice

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from alertdrill.drift.cells import Cells
from alertdrill.drift.e_detector import EDetector
from alertdrill.monitor.answers import BadAnswer, read_answers
from alertdrill.monitor.bodies import Bodies
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.failures import Failures
from alertdrill.monitor.features import FeatureCounters
from alertdrill.monitor.notes import Batch, Note, Taker, head_bytes, held_bytes, row_counts
from alertdrill.monitor.requests import RequestCounters
from alertdrill.protocols.malformed import Malformed

MOST_NOTES = 50_000
MOST_NOTED_BYTES = 64 << 20
NOTES_AT_A_TIME = 256
HEADS_AT_A_TIME = 1000  # are beside those bytes at most


class Account:
    """All metrics of one model and version, and the queue of what is still to be counted.

    Attributes:
        failures: the monitor's own failures; wrap what may fail in it.
        dropped: exchanges that were not counted because the queue was full.
        refused: requests that the relay refused by itself, such as a body over its limit; set by who runs it.
        relay_errors: exceptions of ours that the relay caught; set by who runs it.
        clock_jumps: how often the wall clock was set; set by who runs it.
    """

    def __init__(
        self,
        labels: Mapping[str, str],
        cells: Mapping[str, Cells],
        unwatched: Sequence[str],
        detector: EDetector,
        started_at: float,
        bodies: Bodies | None = None,
        takers: Sequence[Taker] = (),
        failures: Failures | None = None,
    ) -> None:
        """Empty books.

        Args:
            labels: `model` and `version`, put on every series.
            cells: of every watched feature.
            unwatched: the other features of the schema.
            detector: over the watched features in the same order.
            started_at: seconds since 1970.
            bodies: how requests are read, and of what protocol answers are; None: each is one flat object.
            takers: who else is given every exchange; those that exchanges come from last.
            failures: where the monitor's own are counted; None: a count of the account's own.
        """
        self._labels = dict(labels)
        self._notes: deque[Note] = deque()
        self._noted_bytes = 0
        self._weighed = 0  # so many of the notes, the oldest ones, are in it with their heads
        self._bodies = bodies or Bodies()
        self._error_in = self._bodies.protocol.error_in
        self._takers = tuple(takers)
        self._requests = RequestCounters(labels)
        self._features = FeatureCounters(labels, cells, unwatched, detector)
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        self._window_end = started_at
        self.failures = failures or Failures()
        self.dropped = self.refused = self.relay_errors = self.clock_jumps = 0

    @property
    def waiting(self) -> int:
        """Exchanges noted and not yet counted."""
        return len(self._notes)

    @property
    def crowded(self) -> bool:
        """Whether whoever can wait should, as the queue is half full."""
        return len(self._notes) > MOST_NOTES // 2 or self._noted_bytes > MOST_NOTED_BYTES // 2

    def note(self, note: Note) -> None:
        """Remember an exchange; a full queue drops it and counts that."""
        size = held_bytes(note)
        if len(self._notes) >= MOST_NOTES or self._noted_bytes + size > MOST_NOTED_BYTES:
            self.dropped += 1
            return
        self._notes.append(note)
        self._noted_bytes += size
        if len(self._notes) - self._weighed == HEADS_AT_A_TIME:
            self._weigh()

    def _weigh(self) -> None:
        """Add up the heads that were not: a microsecond or two each, which a queue as short as usual never takes."""
        self._noted_bytes += sum(map(head_bytes, islice(self._notes, self._weighed, None)))
        self._weighed = len(self._notes)

    def fold(self, most: int | None = None) -> None:
        """Count the exchanges that wait, the oldest first, at most `most` of them.

        What fails in one part of the books is counted, and the other parts still get the exchanges.
        """
        waiting = self._notes
        if not waiting:
            return
        if most is None or most >= len(waiting):
            notes = list(waiting)
            waiting.clear()
            self._noted_bytes = self._weighed = 0
        else:
            notes = [waiting.popleft() for _ in range(most)]
            self._noted_bytes -= sum(map(held_bytes, notes)) + sum(map(head_bytes, notes[: self._weighed]))
            self._weighed = max(self._weighed - most, 0)
        with self.failures:
            self._requests.take(notes)
        with self.failures:
            self._share(self._read(notes))

    def _read(self, notes: Sequence[Note]) -> Batch:
        rows = self._bodies.read_all([note.body for note in notes])
        answers: list[object | BadAnswer | None] = [None] * len(notes)
        if self._takers:
            answers = read_answers(
                [note.answer if note.code == 200 and note.answered else None for note in notes],
                [note.answer_headers for note in notes],
            )
            answers = [BadAnswer.ERROR if self._is_error(answer) else answer for answer in answers]
        return Batch(notes, rows, answers)

    def _is_error(self, answer: object) -> bool:
        return type(answer) is dict and self._error_in(answer) is not None

    def _share(self, batch: Batch) -> None:
        predicted = [
            note.code == 200 and note.answered and answer is not BadAnswer.ERROR
            for note, answer in zip(batch.notes, batch.answers, strict=True)
        ]
        self._requests.predictions += sum(compress(row_counts(batch.rows), predicted))
        for reason in batch.rows:
            if type(reason) is Malformed:
                self._requests.malformed(reason)
        rows = [row for found in batch.rows if type(found) is tuple or type(found) is list for row in found]
        if rows:
            with self.failures:
                self._features.add(rows)
        for taker in self._takers:
            with self.failures:
                taker.take(batch)

    def update(self, window_end: float) -> None:
        """Bring the evidence for drift up to date with what is counted: every exchange that ended by `window_end`."""
        with self.failures:
            self._features.update()
        for taker in self._takers:
            with self.failures:
                taker.update()
        self._window_end = window_end

    def close(self) -> None:
        """Count what waits, and have it written out."""
        self.fold()
        for taker in reversed(self._takers):  # whoever exchanges come from may still bring some
            with self.failures:
                taker.close()

    def scrape(self) -> bytes:
        """The metrics in the Prometheus text format, after counting everything that waits.

        What cannot be rendered is left out, and counted.
        """
        self.fold()
        parts = [self._requests.render, self._features.render, *[taker.render for taker in self._takers]]
        text = "".join([self._rendered(part) for part in parts])
        process = b""
        with self.failures:
            process = generate_latest(self._process)
        return (text + "".join(self._render_self())).encode() + process

    def _rendered(self, part: Callable[[], Iterator[str]]) -> str:
        with self.failures:
            return "".join(part())
        return ""

    def _render_self(self) -> Iterator[str]:
        features = self._features
        yield from self._own("window_end_timestamp_seconds", "End of the last batch of evidence.", self._window_end)
        yield from self._own("updates_total", "Batches that the e-detector took.", features.updates)
        yield from self._own("rows_total", "Rows counted.", features.rows)
        yield from self._own("unknown_keys_total", "Keys that the schema does not name.", features.unknown_keys)
        yield from self._own("dropped_total", "Exchanges not counted because the queue was full.", self.dropped)
        yield from self._own("refused_total", "Requests refused before the model saw them.", self.refused)
        yield from self._own("clock_jumps_total", "Times that the wall clock was set.", self.clock_jumps)
        errors = self.failures.count + self.relay_errors
        yield from self._own("errors_total", "Failures of the monitor itself.", errors)

    def _own(self, name: str, text: str, value: float) -> Iterator[str]:
        full = f"model_monitor_{name}"
        yield header(full, "counter" if name.endswith("_total") else "gauge", text)
        yield from lines([key(full, self._labels)], [value])
