"""What is noted of an exchange as it ends, what is read out of that later, and who takes it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.bodies import Malformed, Row

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


Rows = Sequence[Row] | Malformed | None


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
