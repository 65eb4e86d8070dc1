"""Gives the client the body of an answer evenly over a time."""

from collections.abc import Callable
from functools import partial

from alertdrill.relay.answer import Framing, Listener
from alertdrill.relay.exchange import KEPT_BODY_BYTES, End, Headers
from alertdrill.relay.pace import Pace
from alertdrill.relay.shaper import Shaped, Shaper, length_of
from alertdrill.relay.wire import Survey


class Dripped(Shaper):
    """Passes the head on at once and the body bit by bit, the last byte `over_s` after the first one came.

    At most `KEPT_BODY_BYTES` and one read are kept back: past that, the upstream has to wait.

    Args:
        exchange: whose answer it is.
        listener: gets the slow answer.
        over_s: seconds that the body takes.
    """

    def __init__(self, exchange: Shaped, listener: Listener, over_s: float) -> None:
        super().__init__(exchange, listener)
        self._over_s = over_s
        self._pace: Pace | None = None
        self._kept_back = bytearray()
        self._length: int | None = None
        self._received = 0
        self._passed = 0
        self._last: Callable[[], None] | None = None  # what is left to say once all was passed on
        self._released = False

    @property
    def full(self) -> bool:
        """Whether the upstream should wait."""
        return len(self._kept_back) > KEPT_BODY_BYTES

    def head(self, status: int, reason: bytes, headers: Survey, framing: Framing) -> None:
        """Pass the head on."""
        self._length = length_of(headers, framing)
        self._listener.head(status, reason, headers, framing)

    def body(self, data: bytes) -> None:
        """Keep some bytes back."""
        if self._released:
            self._listener.body(data)
            return
        if self._pace is None:
            self._pace = Pace(self._over_s, self._step)
        self._kept_back += data
        self._received += len(data)
        if self.full:
            self._exchange.pause()

    def _step(self, share: float) -> None:
        length = self._received if self._length is None else self._length
        due = min(int(share * length) - self._passed, len(self._kept_back))
        if due > 0:
            self._exchange.took_effect()
            self._pass(due)
        if share == 1.0:
            self.release()

    def _pass(self, count: int) -> None:
        was_full = self.full
        piece = bytes(self._kept_back[:count])
        del self._kept_back[:count]
        self._passed += count
        self._listener.body(piece)
        self._listener.flush()
        if was_full and not self.full:
            self._exchange.resume()

    def complete(self, trailers: Headers) -> None:
        """Pass the end on once all was passed on."""
        self._end_with(partial(self._listener.complete, trailers))

    def lost(self, end: End, *, stale: bool) -> None:
        """Pass on that no complete answer will come, once all that did was passed on."""
        self._end_with(partial(self._listener.lost, end, stale=stale))

    def _end_with(self, last: Callable[[], None]) -> None:
        if self._kept_back:
            self._last = last
            self._exchange.detach()
            self._listener.flush()
        else:
            last()

    def release(self) -> None:
        """Slow nothing from here on."""
        self._released = True
        self.stop()
        if self._kept_back:
            self._pass(len(self._kept_back))
        if self._last is not None:
            last, self._last = self._last, None
            last()

    def stop(self) -> None:
        """The exchange is over."""
        if self._pace is not None:
            self._pace.stop()
