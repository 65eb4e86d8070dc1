"""The structured prediction log: one JSON line for every exchange, written off the request's path."""

import itertools
import secrets
from collections.abc import Iterator, Mapping, Sequence

import orjson

from alertdrill.monitor.answers import BadAnswer, is_compressed
from alertdrill.monitor.bodies import Malformed
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.log_writer import LogWriter
from alertdrill.monitor.notes import Batch, Note, Rows, Taker
from alertdrill.monitor.redaction import Redaction
from alertdrill.monitor.sampling import is_sampled
from alertdrill.monitor.sources import Lookup

LONGEST_ID = 200
MOST_LINES = 1000


class PredictionLog(Taker):
    """Writes exchanges down.

    Args:
        labels: of the model, `model` and `version`.
        writer: of the file.
        share: of the exchanges that are written, 0 to 1, by a hash of their ids: every process chooses the same.
        redaction: of inputs, outputs and metadata.
        metadata: names of request headers, in lower case, whose values are written.
        prediction_ids: finds the id of each prediction; it stands in for an x-request-id that is missing.
    """

    def __init__(
        self,
        labels: Mapping[str, str],
        writer: LogWriter,
        share: float,
        redaction: Redaction,
        metadata: Sequence[str],
        prediction_ids: Lookup,
    ) -> None:
        self._labels = dict(labels)
        self._model, self._version = labels["model"], labels["version"]
        self._writer = writer
        self._share = share
        self._redaction = redaction
        self._metadata = tuple((name, name.encode()) for name in metadata)
        self._prediction_ids = prediction_ids
        self._mark, self._numbers = secrets.token_hex(6), itertools.count(1)
        self._lines: list[bytes] = []
        self.sampled_out = 0

    def take(self, batch: Batch) -> None:
        """Write exchanges down, those that the share leaves out excepted."""
        found = self._prediction_ids(batch.notes, batch.answers)
        for note, rows, answer, prediction_id in zip(*batch, found, strict=True):
            headers = dict(note.headers)
            name = _id(note.request_id or headers.get(b"x-request-id") or prediction_id)
            if name is None:
                name = f"{self._mark}-{next(self._numbers)}"
            if not is_sampled(name, self._share):
                self.sampled_out += 1
            else:
                self._lines.append(self._line(name, note, rows, answer, headers))
        if len(self._lines) >= MOST_LINES:
            self.update()

    def update(self) -> None:
        """Have the lines written that were held back for a larger block."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        block = b"".join(lines)
        if b"\r" in block or block.count(b"\n") > len(lines):  # bodies have line ends of their own
            block = b"".join([line[:-1].replace(b"\n", b" ").replace(b"\r", b" ") + b"\n" for line in lines])
        self._writer.put(block, len(lines))

    def _line(self, name: str, note: Note, rows: Rows, answer: object, headers: Mapping[bytes, bytes]) -> bytes:
        body, answered = note.body, note.answer
        line: dict[str, object] = {
            "timestamp": note.at,
            "request_id": name,
            "model": self._model,
            "version": self._version,
            "code": note.code,
            "latency": note.duration_s,
            "inputs": self._spliced(body) if type(body) is bytes and type(rows) in (tuple, list) else None,
            "outputs": None,
        }
        if isinstance(answer, BadAnswer):
            line["malformed_outputs"] = answer
        elif answer is not None and type(answered) is bytes:
            line["outputs"] = self._redaction.of(answer) if is_compressed(answered) else self._spliced(answered)
        if isinstance(rows, Malformed):
            line["malformed"] = rows
        if self._metadata:
            line["metadata"] = self._redaction.of(self._stated(headers))
        if note.failure is not None:
            line["failure"] = note.failure
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)

    def _spliced(self, body: bytes) -> object:
        """JSON as it was sent: it was read before, so that it is valid, and a line end in it a blank between parts."""
        return self._redaction.of(orjson.loads(body)) if self._redaction else orjson.Fragment(body)

    def _stated(self, headers: Mapping[bytes, bytes]) -> dict[str, str]:
        return {name: headers[key].decode("latin-1") for name, key in self._metadata if key in headers}

    def render(self) -> Iterator[str]:
        """The lines of these metrics."""
        writer = self._writer
        outcomes = {
            "written": writer.written,
            "sampled_out": self.sampled_out,
            "dropped": writer.dropped,
            "failed": writer.failed,
        }
        name = "model_monitor_log_lines_total"
        yield header(name, "counter", "Lines of the prediction log, by what became of them.")
        yield from lines([key(name, {**self._labels, "outcome": one}) for one in outcomes], outcomes.values())
        name = "model_monitor_log_rotations_total"
        yield header(name, "counter", "Files of the prediction log that were full.")
        yield from lines([key(name, self._labels)], [writer.rotations])

    def close(self) -> None:
        """Wait until the lines are on disk."""
        self.update()
        self._writer.close()


def _id(found: object) -> str | None:
    """The text of an id; None for what is none."""
    if type(found) is str:
        return found if len(found) <= LONGEST_ID else found[:LONGEST_ID]
    if type(found) is bytes:
        return found[:LONGEST_ID].decode("latin-1")
    return str(found)[:LONGEST_ID] if type(found) is int else None
