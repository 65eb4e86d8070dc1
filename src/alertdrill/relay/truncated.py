"""Gives the client only a share of an answer, and ends its connection."""

from alertdrill.relay.answer import Framing, Listener
from alertdrill.relay.exchange import KEPT_BODY_BYTES, End, Headers
from alertdrill.relay.shaper import Shaped, Shaper, length_of
from alertdrill.relay.wire import Survey


class Truncated(Shaper):
    """Passes on a share of the body, and cuts once the answer is complete.

    The server sees its answer taken whole, unless more of it is kept back than `KEPT_BODY_BYTES`. Of a body whose
    length only its end will tell, the share of what has come is passed on.

    Args:
        exchange: whose answer it is.
        listener: gets the beginning of the answer.
        kept: share of the body that is passed on; always less than all of it.
    """

    def __init__(self, exchange: Shaped, listener: Listener, kept: float) -> None:
        super().__init__(exchange, listener)
        self._kept = kept
        self._kept_back = bytearray()
        self._length: int | None = None
        self._received = 0
        self._passed = 0
        self._empty: tuple[int, bytes, Survey, Framing] | None = None  # a head that no body will follow
        self._released = False

    def head(self, status: int, reason: bytes, headers: Survey, framing: Framing) -> None:
        """Pass the head on, unless it is all there is to cut."""
        self._length = length_of(headers, framing)
        if self._length == 0 and not self._released:
            self._empty = status, reason, headers, framing
        else:
            self._listener.head(status, reason, headers, framing)

    def body(self, data: bytes) -> None:
        """Pass on as much as the share allows."""
        if self._released:
            self._listener.body(data)
            return
        self._kept_back += data
        self._received += len(data)
        length = self._received if self._length is None else self._length
        due = min(int(self._kept * length), length - 1) - self._passed
        if due > 0:
            self._pass(min(due, len(self._kept_back)))

    def _pass(self, count: int) -> None:
        piece = bytes(self._kept_back[:count])
        del self._kept_back[:count]
        self._passed += len(piece)
        self._listener.body(piece)

    def flush(self) -> None:
        """Pass on that a read has ended; cut if more is kept back than there is room for."""
        self._listener.flush()
        if len(self._kept_back) > KEPT_BODY_BYTES:
            self._exchange.abandon()
            self._cut()

    def complete(self, trailers: Headers) -> None:
        """Cut."""
        if self._released:
            self._listener.complete(trailers)
        elif self._empty is not None:
            status, reason, headers, _ = self._empty
            self._exchange.break_head(status, reason, headers)
        else:
            self._cut()

    def _cut(self) -> None:
        self._kept_back.clear()
        self._exchange.took_effect()
        self._listener.lost(End.CUT, stale=False)

    def lost(self, end: End, *, stale: bool) -> None:
        """Pass on all that came: the upstream has cut its answer by itself."""
        self._pass_all()
        self._listener.lost(end, stale=stale)

    def release(self) -> None:
        """Cut nothing from here on."""
        self._released = True
        self._pass_all()

    def _pass_all(self) -> None:
        if self._empty is not None:
            head, self._empty = self._empty, None
            self._listener.head(*head)
        if self._kept_back:
            self._pass(len(self._kept_back))
            self._listener.flush()
