"""Sends the body of a request upstream evenly over a time."""

from alertdrill.relay.pace import Pace
from alertdrill.relay.upstream import Upstream


class Upload:
    """A slow upload under way; the head has been sent.

    Args:
        upstream: the connection, on which `send_head` was called.
        body: what is left to send, at least one byte.
        over_s: seconds that it takes.
    """

    def __init__(self, upstream: Upstream, body: bytes, over_s: float) -> None:
        self._upstream = upstream
        self._body = body
        self._sent = 0
        self._pace = Pace(over_s, lambda share: self._send_until(int(share * len(body))))

    def _send_until(self, end: int) -> None:
        if end > self._sent:
            piece, self._sent = self._body[self._sent : end], end
            self._upstream.send_piece(piece, last=end == len(self._body))

    def release(self) -> None:
        """Send the rest at once."""
        self._pace.stop()
        self._send_until(len(self._body))

    def stop(self) -> None:
        """Send nothing more."""
        self._pace.stop()
