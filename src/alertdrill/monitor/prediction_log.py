"""The structured prediction log: one JSON line for every exchange, written off the request's path."""

import itertools
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress, repeat

import orjson

from alertdrill.monitor.answers import BadAnswer, is_compressed
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.failures import Failures
from alertdrill.monitor.log_writer import LogWriter
from alertdrill.monitor.notes import Batch, Note, Rows, Taker
from alertdrill.monitor.redaction import Redaction
from alertdrill.monitor.sampling import is_sampled
from alertdrill.monitor.sources import Lookup
from alertdrill.protocols.malformed import Malformed

LONGEST_ID = 200
MOST_LINES = 1000
MOST_TEXTS = 1000


class PredictionLog(Taker):
    """Writes exchanges down.

    Args:
        labels: of the model, `model` and `version`.
        writer: of the file.
        share: of the exchanges that are written, 0 to 1, by a hash of their ids: every process chooses the same.
        redaction: of inputs, outputs and metadata.
        metadata: names of request headers, in lower case, whose values are written.
        prediction_ids: finds the id of each prediction; it stands in for an x-request-id that is missing.
        failures: of the monitor; a line that cannot be made is one.
        are_texts: whether requests are no JSON: their rows are written then.
    """

    def __init__(
        self,
        labels: Mapping[str, str],
        writer: LogWriter,
        share: float,
        redaction: Redaction,
        metadata: Sequence[str],
        prediction_ids: Lookup,
        failures: Failures,
        are_texts: bool = False,
    ) -> None:
        self._labels = dict(labels)
        self._model, self._version = labels["model"], labels["version"]
        self._writer = writer
        self._share = share
        self._redaction = redaction
        self._metadata = tuple((name, name.encode()) for name in metadata)
        self._prediction_ids = prediction_ids
        self._failures, self._are_texts = failures, are_texts
        self._mark, self._numbers = secrets.token_hex(6), itertools.count(1)
        self._kept_ends: dict[tuple[bytes | None, ...], bytes] = {}
        model = orjson.dumps({"model": self._model, "version": self._version})[1:-1]
        after_id = b'",' + model + b',"code":'
        self._keys = (b'{"timestamp":', b',"request_id":"', after_id, b',"latency":', b',"inputs":', b',"outputs":')
        self._lines: list[bytes] = []
        self._unmade = 0
        self.sampled_out = 0

    def take(self, batch: Batch) -> None:
        """Write exchanges down, those that the share leaves out excepted."""
        headers = _dictionaries(batch.notes)
        names = self._names(batch, headers)
        exchanges: Iterable[_Named] = zip(*batch, headers, names, strict=True)
        if self._share < 1.0:
            sampled = [is_sampled(name, self._share) for name in names]
            self.sampled_out += len(names) - sum(sampled)
            exchanges = compress(exchanges, sampled)
        self._lines += self._written(list(exchanges))
        if len(self._lines) >= MOST_LINES:
            self.update()

    def _names(self, batch: Batch, headers: Sequence[Mapping[bytes, bytes]]) -> list[str]:
        prediction_ids = self._prediction_ids(batch.notes, batch.answers)
        found = [
            note.request_id or stated.get(b"x-request-id") or prediction_id
            for note, stated, prediction_id in zip(batch.notes, headers, prediction_ids, strict=True)
        ]
        return [one if type(one) is str and len(one) <= LONGEST_ID else self._name(one) for one in found]

    def _name(self, found: object) -> str:
        name = _id(found)
        return f"{self._mark}-{next(self._numbers)}" if name is None else name

    def _written(self, exchanges: Sequence["_Named"]) -> list[bytes]:
        """A line for each; those of exchanges read whole, which are nearly all, written together."""
        if self._redaction or self._are_texts:
            return self._each(exchanges)
        usual = [
            (type(rows) is tuple or type(rows) is list)
            and type(note.answer) is bytes
            and answer is not None
            and type(answer) is not BadAnswer
            and note.failure is None
            and not is_compressed(note.answer)
            for note, rows, answer, _, _ in exchanges
        ]
        if all(usual):
            return self._together(exchanges)
        lines = iter(self._together(list(compress(exchanges, usual))))
        return [
            line
            for is_usual, exchange in zip(usual, exchanges, strict=True)
            for line in ([next(lines)] if is_usual else self._each([exchange]))
        ]

    def _each(self, exchanges: Sequence["_Named"]) -> list[bytes]:
        """Lines made one by one: what cannot be written of one exchange costs no other."""
        made: list[bytes] = []
        for exchange in exchanges:
            with self._failures:
                made.append(self._line(*exchange))
        self._unmade += len(exchanges) - len(made)
        return made

    def _together(self, exchanges: Sequence["_Named"]) -> list[bytes]:
        """The lines that `_line` would write, put together of JSON that is there already, column by column."""
        if not exchanges:
            return []
        notes, _, _, headers, names = zip(*exchanges, strict=True)
        codes, durations, _, bodies, answers, ats, *_ = zip(*notes, strict=True)
        ids = orjson.dumps(names)[2:-2].split(b'","')  # a quote within a text has a backslash before it
        columns = (_texts(ats), ids, _texts(codes), _texts(durations), bodies, answers)
        before = [repeat(key, len(notes)) for key in self._keys]
        parts = chain.from_iterable(zip(before, columns, strict=True))
        return list(map(b"".join, zip(*parts, self._ends(headers), strict=True)))

    def _ends(self, headers: Sequence[Mapping[bytes, bytes]]) -> Sequence[bytes]:
        """What follows the outputs in each line; texts are kept, as clients repeat their headers."""
        stated = zip(*[[one.get(key) for one in headers] for _, key in self._metadata], strict=True)
        kept = self._kept_ends
        return [kept.get(one) or self._end(one) for one in stated] if self._metadata else [b"}"] * len(headers)

    def _end(self, stated: tuple[bytes | None, ...]) -> bytes:
        named = {key: value for (_, key), value in zip(self._metadata, stated, strict=True) if value is not None}
        if len(self._kept_ends) >= MOST_TEXTS:
            self._kept_ends.clear()
        end = self._kept_ends[stated] = b',"metadata":%b}' % orjson.dumps(self._stated(named))
        return end

    def update(self) -> None:
        """Have the lines written that were held back for a larger block."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        text = b"".join(lines)
        if b"\r" in text or b"\n" in text:  # bodies have line ends of their own
            lines = [line.replace(b"\n", b" ").replace(b"\r", b" ") for line in lines]
        self._writer.put(b"\n".join([*lines, b""]), len(lines))

    def _line(self, note: Note, rows: Rows, answer: object, headers: Mapping[bytes, bytes], name: str) -> bytes:
        body, answered = note.body, note.answer
        line: dict[str, object] = {
            "timestamp": note.at,
            "request_id": name,
            "model": self._model,
            "version": self._version,
            "code": note.code,
            "latency": note.duration_s,
            "inputs": self._inputs(body, rows) if type(body) is bytes and type(rows) in (tuple, list) else None,
            "outputs": None,
        }
        if isinstance(answer, BadAnswer):
            line["malformed_outputs"] = answer
            if answer is BadAnswer.ERROR and type(answered) is bytes and not is_compressed(answered):
                line["outputs"] = self._spliced(answered)
        elif answer is not None and type(answered) is bytes:
            line["outputs"] = self._redaction.of(answer) if is_compressed(answered) else self._spliced(answered)
        if isinstance(rows, Malformed):
            line["malformed"] = rows
        if self._metadata:
            line["metadata"] = self._redaction.of(self._stated(headers))
        if note.failure is not None:
            line["failure"] = note.failure
        return orjson.dumps(line)

    def _inputs(self, body: bytes, rows: Rows) -> object:
        return self._redaction.of({"dataframe_records": rows}) if self._are_texts else self._spliced(body)

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
            "failed": writer.failed + self._unmade,
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


_Named = tuple[Note, Rows, object, Mapping[bytes, bytes], str]  # an exchange, its headers and its id


def _dictionaries(notes: Sequence[Note]) -> list[Mapping[bytes, bytes]]:
    """The headers of each request by name; one dictionary for those that share them."""
    found: list[Mapping[bytes, bytes]] = []
    of: object = None
    for note in notes:
        if note.headers is not of:
            of, one = note.headers, dict(note.headers)
        found.append(one)
    return found


def _texts(numbers: Sequence[float | None]) -> list[bytes]:
    """Each as JSON."""
    return orjson.dumps(numbers)[1:-1].split(b",")


def _id(found: object) -> str | None:
    """The text of an id; None for what is none."""
    if type(found) is str:
        return found if len(found) <= LONGEST_ID else found[:LONGEST_ID]
    if type(found) is bytes:
        return found[:LONGEST_ID].decode("latin-1")
    return str(found)[:LONGEST_ID] if type(found) is int else None
