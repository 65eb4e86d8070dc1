"""Exchanges from a prediction log that grows: lines are noted as they come."""

import asyncio
import math
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from alertdrill.monitor.account import Account
from alertdrill.monitor.answers import BadAnswer, as_answer
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.line_file import LineFile
from alertdrill.monitor.notes import UNKNOWN_CODE, Batch, Failure, Note, Taker
from alertdrill.protocols.malformed import Malformed, encoded
from alertdrill.protocols.pointer import Nowhere, finder

POLL_S = 0.1
OUTCOMES = ("read", "bad_json", "no_inputs", "too_long")
CODES = range(100, 600)
_MALFORMED = [reason.value for reason in Malformed]  # lists: what a line holds need not be hashable
_BAD_ANSWERS = [reason.value for reason in BadAnswer]
_FAILURES = [failure.value for failure in Failure]


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
