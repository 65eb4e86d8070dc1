"""The structured prediction log: one JSON line for every exchange, written off the request's path."""

import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.bodies import Malformed
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.log_writer import LogWriter
from alertdrill.monitor.notes import Note, Reading, Taker
from alertdrill.monitor.pointer import Nowhere
from alertdrill.monitor.redaction import Redaction

LONGEST_ID = 200
_ALL = 1 << 64


class PredictionLog(Taker):
    """Writes exchanges down.

    Args:
        labels: of the model, `model` and `version`.
        writer: of the file.
        share: of the exchanges that are written, 0 to 1, by a hash of their ids: every process chooses the same.
        redaction: of inputs, outputs and metadata.
        metadata: names of request headers, in lower case, whose values are written.
        prediction_id: finds the id in an answer; it stands in for an x-request-id that is missing.
    """

    def __init__(
        self,
        labels: Mapping[str, str],
        writer: LogWriter,
        share: float,
        redaction: Redaction,
        metadata: Sequence[str],
        prediction_id: Callable[[Any], Any],
    ) -> None:
        self._labels = dict(labels)
        self._writer = writer
        self._limit = round(share * _ALL)
        self._redaction = redaction
        self._metadata = tuple(name.encode() for name in metadata)
        self._prediction_id = prediction_id
        self._model = b'","model":%b,"version":%b,"code":' % (
            orjson.dumps(labels["model"]),
            orjson.dumps(labels["version"]),
        )
        self._mark, self._numbers = secrets.token_hex(6), itertools.count(1)
        self.sampled_out = 0

    def take(self, readings: Sequence[Reading]) -> None:
        """Write exchanges down, those that the share leaves out excepted."""
        written = []
        for reading in readings:
            name = self._id(reading)
            if self._limit < _ALL and not is_sampled(name, self._limit):
                self.sampled_out += 1
            else:
                written.append(self._line(name, reading))
        if written:
            self._writer.put(b"".join(written), len(written))

    def _id(self, reading: Reading) -> str:
        note = reading.note
        if note.request_id is not None:
            return note.request_id[:LONGEST_ID]
        stated = note.header(b"x-request-id")
        if stated:
            return stated.decode("latin-1")[:LONGEST_ID]
        if reading.answer is not None:
            try:
                found = self._prediction_id(reading.answer)
            except Nowhere:
                found = None
            if isinstance(found, str | int):
                return str(found)[:LONGEST_ID]
        return f"{self._mark}-{next(self._numbers)}"

    def _line(self, name: str, reading: Reading) -> bytes:
        note = reading.note
        latency = b"null" if note.duration_s is None else b"%.6f" % note.duration_s
        parts = [
            b'{"timestamp":%.6f,"request_id":' % note.at,
            orjson.dumps(name)[:-1],
            self._model,
            b'%d,"latency":' % note.code,
            latency,
            *self._inputs(reading),
            *self._outputs(reading),
        ]
        if note.failure is not None:
            parts += [b',"failure":', orjson.dumps(note.failure.value)]
        if self._metadata:
            parts += [b',"metadata":', orjson.dumps(self._redaction.of(self._headers(note)))]
        parts.append(b"}\n")
        return b"".join(parts)

    def _inputs(self, reading: Reading) -> tuple[bytes, ...]:
        body = reading.note.body
        if isinstance(reading.rows, Malformed):
            return b',"malformed":', orjson.dumps(reading.rows.value), b',"inputs":null'
        if not isinstance(body, bytes) or reading.rows is None:
            return (b',"inputs":null',)
        return b',"inputs":', self._spliced(body)

    def _outputs(self, reading: Reading) -> tuple[bytes, ...]:
        answer = reading.note.answer
        if isinstance(reading.answer, BadAnswer):
            return b',"malformed_outputs":', orjson.dumps(reading.answer.value), b',"outputs":null'
        if reading.answer is None or not isinstance(answer, bytes):
            return (b',"outputs":null',)
        return b',"outputs":', self._spliced(answer)

    def _spliced(self, body: bytes) -> bytes:
        """A JSON text as it was sent: known to be valid, so that its line ends are blanks between its parts."""
        if self._redaction:
            return orjson.dumps(self._redaction.of(orjson.loads(body)))
        return body.replace(b"\n", b" ").replace(b"\r", b" ")

    def _headers(self, note: Note) -> dict[str, str]:
        values = {name: note.header(name) for name in self._metadata}
        return {name.decode(): value.decode("latin-1") for name, value in values.items() if value is not None}

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
        self._writer.close()


def is_sampled(name: str, limit: int) -> bool:
    """Whether an id belongs to the share limit / 2^64, by the first 8 bytes of its BLAKE2b hash."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") < limit
