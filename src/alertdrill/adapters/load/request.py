"""One request of the load, from the plan to its answer."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FIRST_ERROR_STATUS = 400  # Locust counts such an answer as a failure


class Failure(StrEnum):
    """Why a request has no whole answer."""

    REFUSED = "refused"  # nobody listens
    UNREACHABLE = "unreachable"  # no connection for another reason
    NO_SOCKET = "no_socket"  # this machine has no descriptor or port left
    TLS = "tls"  # no TLS session: the handshake failed, or a record was broken
    CERTIFICATE = "certificate"  # the target's certificate is not trusted, has expired, or is another host's
    CLOSED = "closed"  # the connection ended before the first byte of an answer
    RESET = "reset"  # the connection was reset
    TRUNCATED = "truncated"  # the connection ended inside the answer
    TIMEOUT = "timeout"  # no whole answer in time
    BAD_HTTP = "bad_http"  # the answer is not HTTP/1
    GIVEN_UP = "given_up"  # its user, one of a locustfile, went on without an answer
    TOO_LARGE = "too_large"  # the answer exceeds what a prediction can be


class Combinations:
    """Numbers for the sets of injections that touch a request together; 0 is none of them."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {(): 0}
        self._members: list[tuple[str, ...]] = [()]

    def numbers(self, masks: Mapping[str, NDArray[np.bool_]], count: int) -> list[int]:
        """The number of each of `count` requests; `masks`, shape (count,), tell which ones an injection touches."""
        touching = {injection: mask for injection, mask in masks.items() if mask.any()}
        if not touching:
            return [0] * count
        combined = np.zeros(count, dtype=np.int64)
        for injection, mask in touching.items():
            joined = np.zeros(len(self._members), dtype=np.int64)
            for number in sorted(set(combined.tolist())):
                joined[number] = self._number((*self._members[number], injection))
            combined = np.where(mask, joined[combined], combined)
        return combined.tolist()

    def by_injection(self, numbers: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """Every injection that touched requests with these numbers, shape (n,), and the positions of those."""
        present = set(numbers.tolist())
        for injection in sorted({injection for number in present for injection in self._members[number]}):
            having = np.array([injection in one for one in self._members])
            yield injection, having[numbers].nonzero()[0]

    def _number(self, injections: tuple[str, ...]) -> int:
        if injections not in self._numbers:
            self._numbers[injections] = len(self._members)
            self._members.append(injections)
        return self._numbers[injections]


class Request:
    """One request `k.i`. Instants are seconds of `monotonic_s`, 0 as long as they have not come.

    Attributes:
        k: number of its segment.
        index: its index i in the segment.
        body: its body, faults applied.
        data: the whole request as it goes on the wire.
        touched: which injections touched it on its way to the wire, as a number of `Combinations`.
        suppressed: whether an arrival fault keeps it from being sent; `sent` is then when it was due and withheld.
        intended: when it was due.
        attempted: when it was handed to a connection.
        sent: when the kernel had all its bytes; 0 if that never happened.
        answering: when the first byte of its answer came; 0 without an answer.
        ended: when it was answered or failed; 0 while in flight.
        status: code of the answer; 0 without a whole answer.
        size: bytes of the answer's body.
        answer: the answer's body, if it is one of those that are read.
        failure: why there is no answer.
        resent: whether it went out a second time, because the server had closed the kept connection meanwhile.
    """

    __slots__ = (
        "answer",
        "answering",
        "attempted",
        "body",
        "data",
        "ended",
        "failure",
        "index",
        "intended",
        "k",
        "resent",
        "sent",
        "size",
        "status",
        "suppressed",
        "touched",
    )

    def __init__(
        self, k: int, index: int, body: bytes, data: bytes, touched: int = 0, suppressed: bool = False
    ) -> None:
        self.k = k
        self.index = index
        self.body = body
        self.data = data
        self.touched = touched
        self.suppressed = suppressed
        self.intended = self.attempted = self.sent = self.answering = self.ended = 0.0
        self.status = self.size = 0
        self.failure: Failure | None = None
        self.answer: bytes | None = None
        self.resent = False
