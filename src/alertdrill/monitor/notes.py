"""What is noted of an exchange as it ends, what is read out of that later, and who takes it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from itertools import chain
from typing import NamedTuple

from alertdrill.monitor.answers import BadAnswer
from alertdrill.protocols.base import Row
from alertdrill.protocols.malformed import Malformed

UNKNOWN_CODE = 0
"""Of an exchange whose answer was not seen; `model_requests_total` has it as "unknown"."""

Headers = Iterable[tuple[bytes, bytes]]


class Failure(StrEnum):
    """How an exchange failed to bring a whole answer. These are all the values of the label `kind`."""

    TIMEOUT = "timeout"  # the model did not answer in time
    REFUSED = "refused"  # no connection to the model
    RESET = "reset"  # the model closed or reset the connection before its answer was complete
    TLS = "tls"  # no TLS session with the model
    RAISED = "raised"  # the app raised an exception
    CLIENT_GONE = "client_gone"  # the client left before it had its answer


class Note(NamedTuple):
    """One exchange, as much of it as accounting needs. Nothing in it is parsed yet.

    Attributes:
        code: of the answer, or `UNKNOWN_CODE`.
        duration_s: that the client waited, in seconds; None if that is not known.
        answered: whether the model's answer was passed on whole.
        body: of the request; None if it was not seen and nothing can be said of it.
        answer: body of the answer, or why it cannot be read; None if it was not seen.
        at: when it ended, seconds since 1970.
        headers: of the request, names in lower case.
        answer_headers: of the answer, names in lower case.
        failure: what kept the answer away, if something did.
        request_id: where whoever noted it knows one; else it is looked for in headers and answer.
    """

    code: int
    duration_s: float | None
    answered: bool
    body: bytes | Malformed | None
    answer: bytes | BadAnswer | None = b""
    at: float = 0.0
    headers: Headers = ()
    answer_headers: Headers = ()
    failure: Failure | None = None
    request_id: str | None = None


note_of: Callable[[tuple[object, ...]], Note] = partial(tuple.__new__, Note)
"""A note of all its fields in order, at a third of what the constructor takes."""


NOTE_BYTES = 400
HEADER_BYTES = 160
"""What the objects take that hold a note's parts, and the name and value of a header, in CPython on 64 bits."""


def held_bytes(note: Note) -> int:
    """Memory that a note holds without its heads, in bytes."""
    body, answer = note.body, note.answer
    return NOTE_BYTES + (0 if body is None else len(body)) + (0 if answer is None else len(answer))


def head_bytes(note: Note) -> int:
    """Memory that the heads of a note hold; those that several notes share count for each of them."""
    return sum(HEADER_BYTES + len(name) + len(value) for name, value in chain(note.headers, note.answer_headers))


Rows = Sequence[Row] | Malformed | None


def row_counts(rows: Sequence[Rows]) -> list[int]:
    """How many rows each request held; 1 where that is not known."""
    return [len(found) if type(found) is tuple or type(found) is list else 1 for found in rows]


class Batch(NamedTuple):
    """Some exchanges, in the order in which they ended, and what they were found to hold; all of one length.

    Attributes:
        notes: as they were noted.
        rows: of each request; None if it was not seen.
        answers: decoded body of each prediction, or why it could not be decoded; None where no prediction was given.
    """

    notes: Sequence[Note]
    rows: Sequence[Rows]
    answers: Sequence[object | BadAnswer | None]


class Taker(ABC):
    """Who is given every exchange after it ended, off the request's path, and may add metrics of its own.

    Whatever it raises is counted as a failure of the monitor, and hurts no exchange and no other taker.
    """

    @abstractmethod
    def take(self, batch: Batch) -> None:
        """Account for exchanges."""

    def update(self) -> None:  # noqa: B027
        """Bring evidence up to date with what was taken; called some ten times a second."""

    def render(self) -> Iterator[str]:
        """The lines of its metrics."""
        return iter(())

    def close(self) -> None:  # noqa: B027
        """Nothing more will come: write out what is held back."""
