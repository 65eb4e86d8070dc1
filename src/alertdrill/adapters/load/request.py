"""One request of the load, from the plan to its answer."""

from enum import StrEnum

FIRST_ERROR_STATUS = 400  # Locust counts such an answer as a failure


class Failure(StrEnum):
    """Why a request has no whole answer."""

    REFUSED = "refused"  # nobody listens
    UNREACHABLE = "unreachable"  # no connection for another reason
    NO_SOCKET = "no_socket"  # this machine has no descriptor or port left
    CLOSED = "closed"  # the connection ended before the first byte of an answer
    RESET = "reset"  # the connection was reset
    TRUNCATED = "truncated"  # the connection ended inside the answer
    TIMEOUT = "timeout"  # no whole answer in time
    BAD_HTTP = "bad_http"  # the answer is not HTTP/1
    TOO_LARGE = "too_large"  # the answer exceeds what a prediction can be


class Request:
    """One request `k.i`. Instants are seconds of `monotonic_s`.

    Attributes:
        k: number of its segment.
        index: its index i in the segment.
        body: its body, faults applied.
        data: the whole request as it goes on the wire.
        touched: ids of the injections that touched it on its way to the wire.
        suppressed: whether an arrival fault keeps it from being sent; `sent` is then when it was due and withheld.
        intended: when it was due.
        attempted: when it was handed to a connection.
        sent: when the kernel had all its bytes; 0 if that never happened.
        ended: when it was answered or failed; 0 while in flight.
        status: code of the answer; 0 without a whole answer.
        size: bytes of the answer's body.
        failure: why there is no answer.
        resent: whether it went out a second time, because the server had closed the kept connection meanwhile.
    """

    __slots__ = (
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
        self, k: int, index: int, body: bytes, data: bytes, touched: tuple[str, ...] = (), suppressed: bool = False
    ) -> None:
        self.k = k
        self.index = index
        self.body = body
        self.data = data
        self.touched = touched
        self.suppressed = suppressed
        self.intended = self.attempted = self.sent = self.ended = 0.0
        self.status = self.size = 0
        self.failure: Failure | None = None
        self.resent = False
