"""Gives the client an answer whose body has been edited."""

from collections.abc import Callable

from alertdrill.relay.answer import Listener
from alertdrill.relay.exchange import KEPT_BODY_BYTES, End, Headers
from alertdrill.relay.shaper import Shaped, Shaper


class Edited(Shaper):
    """Keeps the body back until it is complete, then passes it on edited; a long one passes as it is.

    Args:
        exchange: whose answer it is.
        listener: gets the edited answer.
        edit: of the body; keeps its length.
    """

    def __init__(self, exchange: Shaped, listener: Listener, edit: Callable[[bytes], bytes]) -> None:
        super().__init__(exchange, listener)
        self._edit = edit
        self._kept_back = bytearray()
        self._released = False

    def body(self, data: bytes) -> None:
        """Keep some bytes of the body back."""
        if self._released:
            self._listener.body(data)
            return
        self._kept_back += data
        if len(self._kept_back) > KEPT_BODY_BYTES:
            self.release()

    def complete(self, trailers: Headers) -> None:
        """Edit the body and pass it on."""
        if self._kept_back:
            body, self._kept_back = bytes(self._kept_back), bytearray()
            edited = self._edit(body)
            if edited != body:
                self._exchange.took_effect()
            self._listener.body(edited)
        self._listener.complete(trailers)

    def lost(self, end: End, *, stale: bool) -> None:
        """Pass on unedited what came: there is no whole body to edit."""
        self.release()
        self._listener.lost(end, stale=stale)

    def release(self) -> None:
        """Edit nothing from here on."""
        self._released = True
        if self._kept_back:
            body, self._kept_back = bytes(self._kept_back), bytearray()
            self._listener.body(body)
            self._listener.flush()
