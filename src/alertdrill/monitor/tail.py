"""Exchanges from a prediction log that grows: lines are noted as they come, through rotation and truncation."""

import asyncio
import math
import os
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import orjson

from alertdrill.monitor.account import Account
from alertdrill.monitor.answers import BadAnswer, as_answer
from alertdrill.monitor.bodies import Malformed, encoded
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.notes import UNKNOWN_CODE, Batch, Failure, Note, Taker
from alertdrill.monitor.pointer import Nowhere, finder

POLL_S = 0.1
READ_BYTES = 256 << 10
LONGEST_LINE_BYTES = 4 << 20
MOST_ROTATED = 1000
OUTCOMES = ("read", "bad_json", "no_inputs", "too_long")
CODES = range(100, 600)
_MALFORMED = [reason.value for reason in Malformed]  # lists: what a line holds need not be hashable
_BAD_ANSWERS = [reason.value for reason in BadAnswer]
_FAILURES = [failure.value for failure in Failure]


class LineFile:
    """Whole lines of a file as they are appended, from its end or its beginning on.

    A file that was moved away is read to its end before the one that has taken its name; one that was cut is read anew
    from its beginning. What stands after the last line end is kept until its own comes.

    Attributes:
        rotations: files that took the name of the one before, or were cut.
        too_long: lines that were skipped for their length.
    """

    def __init__(self, path: Path, from_start: bool) -> None:
        self._path, self._from_start = path, from_start
        self._file: BufferedReader | None = None
        self._half = b""
        self._skipping = False
        self.rotations = self.too_long = 0

    def read(self) -> list[bytes]:
        """The lines that have come since, as many as one read brings; none if nothing has."""
        if self._file is None and not self._open():
            return []
        assert self._file is not None
        data = self._file.read(READ_BYTES)
        if data:
            return self._lines(data)
        if not self._moved(self._file):
            return []
        data = self._file.read(READ_BYTES)  # what came between the last read and the move
        return self._lines(data) if data else self._next_file(self._file)

    def _next_file(self, file: BufferedReader) -> list[bytes]:
        """Turn to the file after this one; what is left of this one, without a line end, is a line too."""
        following = self._following(file)
        if following is None:
            return []
        file.close()
        last, self._half = self._half, b""
        self._file, self._skipping = following, False
        self.rotations += 1
        return [last] if last.strip() else []

    def _following(self, file: BufferedReader) -> BufferedReader | None:
        """The file after this one, opened: where this one became `log.3` since, that is `log.2`.

        None within a rotation: look again.
        """
        at = self._rotated_to(file)
        name = f"{self._path.name}.{at - 1}" if at is not None and at > 1 else self._path.name
        try:
            following = self._path.with_name(name).open("rb")
            if self._rotated_to(file) == at and _is_newer(following, file):
                return following
            following.close()
            return None if self._rotated_to(file) != at else self._path.open("rb")
        except OSError:
            return None

    def _rotated_to(self, file: BufferedReader) -> int | None:
        """The number that this file has behind its name since it was moved; None if it has none."""
        here = os.fstat(file.fileno())
        for number in range(1, MOST_ROTATED + 1):
            try:
                there = os.stat(self._path.with_name(f"{self._path.name}.{number}"))
            except OSError:
                return None
            if os.path.samestat(here, there):
                return number
        return None

    def _open(self) -> bool:
        try:
            self._file = self._path.open("rb")
        except OSError:
            self._from_start = True  # a file that comes later is new from its first line on
            return False
        if not self._from_start:
            self._file.seek(0, os.SEEK_END)
        return True

    def _moved(self, file: BufferedReader) -> bool:
        """Whether another file has the name, or this one has become shorter than what was read of it."""
        here = os.fstat(file.fileno())
        try:
            there = os.stat(self._path)
        except OSError:
            return False  # within a rotation: the next file is yet to come
        return not os.path.samestat(here, there) or here.st_size < file.tell()

    def _lines(self, data: bytes) -> list[bytes]:
        *whole, self._half = (self._half + data).split(b"\n")
        if whole and self._skipping:
            del whole[0]
            self._skipping = False
        if len(self._half) > LONGEST_LINE_BYTES:
            self.too_long += not self._skipping
            self._half, self._skipping = b"", True
        return [line for line in whole if line.strip()]

    def close(self) -> None:
        """Read no more."""
        if self._file is not None:
            self._file.close()


def _is_newer(one: BufferedReader, other: BufferedReader) -> bool:
    """Whether a file was written after another; it was not where the highest number is the newest."""
    return os.fstat(one.fileno()).st_mtime_ns >= os.fstat(other.fileno()).st_mtime_ns


class Tail(Taker):
    """Notes what the lines of a log say.

    Attributes:
        counts: lines by what became of them.

    Args:
        labels: of the model, put on every series.
        file: the log.
        inputs: JSON pointer to the request in a line.
        outputs: JSON pointer to the answer in a line.

    Raises:
        ValueError: a pointer is none.
    """

    def __init__(self, labels: Mapping[str, str], file: LineFile, inputs: str, outputs: str) -> None:
        self._labels, self._file = dict(labels), file
        self._inputs, self._outputs = finder(inputs), finder(outputs)
        self.counts = dict.fromkeys(OUTCOMES, 0)

    async def follow(self, account: Account) -> None:
        """Note lines as they come, until cancelled; a queue that is half full has the file wait."""
        while True:
            waits = account.crowded
            found = [] if waits else await asyncio.to_thread(self._read, account)
            for line in found:
                self._take(line, account)
            if not found:
                await asyncio.sleep(POLL_S)

    def _read(self, account: Account) -> list[bytes]:
        with account.failures:
            return self._file.read()
        return []

    def _take(self, line: bytes, account: Account) -> None:
        outcome = "read"
        with account.failures:
            try:
                account.note(self.note_of(orjson.loads(line)))
            except Nowhere:
                outcome = "no_inputs"
            except ValueError:
                outcome = "bad_json"
        self.counts[outcome] += 1

    def note_of(self, line: Any) -> Note:
        """The exchange that a line tells of.

        Raises:
            Nowhere: the line holds no inputs.
        """
        named = line if isinstance(line, dict) else {}
        return Note(
            code=_code(named),
            duration_s=_number(named.get("latency"), 0.0, 3600.0),
            answered=True,
            body=self._body(line, named),
            answer=self._answer(line, named),
            at=_number(named.get("timestamp"), 0.0, 1e11) or 0.0,
            failure=Failure(named["failure"]) if named.get("failure") in _FAILURES else None,
            request_id=_id(named.get("request_id")),
        )

    def _body(self, line: Any, named: Mapping[str, Any]) -> bytes | Malformed | None:
        if named.get("malformed") in _MALFORMED:
            return Malformed(named["malformed"])
        inputs = self._inputs(line)
        return None if inputs is None else encoded(inputs)

    def _answer(self, line: Any, named: Mapping[str, Any]) -> bytes | BadAnswer | None:
        if named.get("malformed_outputs") in _BAD_ANSWERS:
            return BadAnswer(named["malformed_outputs"])
        try:
            outputs = self._outputs(line)
        except Nowhere:
            return None
        return None if outputs is None else as_answer(encoded(outputs))

    def take(self, batch: Batch) -> None:
        """Nothing: exchanges come from here."""

    def render(self) -> Iterator[str]:
        """The lines of these metrics."""
        counts = {**self.counts, "too_long": self._file.too_long}
        name = "model_tail_lines_total"
        yield header(name, "counter", "Lines of the log that is tailed, by what became of them.")
        yield from lines([key(name, {**self._labels, "outcome": one}) for one in counts], counts.values())
        name = "model_tail_rotations_total"
        yield header(name, "counter", "Times that another file had the log's name, or the log was cut.")
        yield from lines([key(name, self._labels)], [self._file.rotations])

    def close(self) -> None:
        """Read no more."""
        self._file.close()


def _code(line: Mapping[str, Any]) -> int:
    """200 for a log that has no codes."""
    code = line.get("code", 200)
    return code if type(code) is int and code in CODES else UNKNOWN_CODE


def _id(value: object) -> str | None:
    return str(value) if type(value) in (str, int) else None


def _number(value: object, low: float, high: float) -> float | None:
    if type(value) not in (int, float):
        return None
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) and low <= number <= high else None
