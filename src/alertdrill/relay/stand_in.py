"""A request for which the handler has an answer of last resort: given where the upstream has none."""

from alertdrill.relay import wire
from alertdrill.relay.answer import Framing
from alertdrill.relay.control import Control
from alertdrill.relay.exchange import End, Headers, Response
from alertdrill.relay.flight import Back, Flight, Incoming
from alertdrill.relay.wire import Survey

NOT_FOUND = 404


class StandIn(Flight):
    """An exchange under way whose answer is replaced if it is 404, or never comes."""

    __slots__ = ("_absent", "_response")

    def __init__(self, control: Control, back: Back, incoming: Incoming, response: Response) -> None:
        super().__init__(control, back, incoming)
        self._response = response
        self._absent = False

    def head(self, status: int, reason: bytes, headers: Survey, framing: Framing) -> None:
        """Pass the head on, unless it says that there is nothing."""
        self._absent = status == NOT_FOUND
        if not self._absent:
            super().head(status, reason, headers, framing)

    def body(self, data: bytes) -> None:
        """Pass some bytes of the body on, if its head was."""
        if not self._absent:
            super().body(data)

    def complete(self, trailers: Headers) -> None:
        """End the upstream's body, or give the other answer."""
        if not self._absent:
            super().complete(trailers)
            return
        self._upstream = None
        self._stand_in()
        self._write_last(End.ANSWERED)

    def _apologise(self, end: End, why: str) -> None:
        self._stand_in()

    def _stand_in(self) -> None:
        self._status, self._kept = self._response.status, [self._response.body]
        connection = self._incoming.connection(close=not self._keep_alive)
        self._pieces.append(wire.answer(self._response, bodiless=self._incoming.bodiless, connection=connection))
