"""A request on its way through a relay with an effect on it: held, slowed, answered here, cut, its answer altered."""

import asyncio
import time
from functools import partial

from alertdrill.relay import wire
from alertdrill.relay.answer import Framing, Listener
from alertdrill.relay.control import Control
from alertdrill.relay.dripped import Dripped
from alertdrill.relay.edited import Edited
from alertdrill.relay.exchange import Cut, Effect, End, Exchange, Headers, Response
from alertdrill.relay.flight import Back, Flight, Incoming
from alertdrill.relay.shaper import Shaper
from alertdrill.relay.truncated import Truncated
from alertdrill.relay.upload import Upload
from alertdrill.relay.upstream import Upstream
from alertdrill.relay.wire import Survey


class Touched(Flight):
    """An exchange under way with an effect on it; its shapers listen to the answer before it does."""

    def __init__(self, control: Control, back: Back, incoming: Incoming, effect: Effect) -> None:
        super().__init__(control, back, incoming)
        self._effect = effect
        self._effect_at: float | None = None
        self._released_at: float | None = None
        self._hold: asyncio.Handle | None = None
        self._silent = False
        self._upload_s = effect.upload_s
        self._upload: Upload | None = None
        self._shapers: list[Shaper] = []  # in the order of the answer
        self._first: Listener = self
        if effect.download_s > 0:
            self._shape(Dripped(self, self._first, effect.download_s))
        if effect.kept is not None:
            self._shape(Truncated(self, self._first, effect.kept))
        if effect.edit is not None:
            self._shape(Edited(self, self._first, partial(control.edited, effect.edit)))

    def _shape(self, shaper: Shaper) -> None:
        self._shapers.insert(0, shaper)
        self._first = shaper

    # the way out

    def start(self) -> None:
        """Hold the request, then do the rest."""
        self._control.flights.add(self)
        loop = asyncio.get_running_loop()
        if self._effect.delay_s > 0:
            self.took_effect()
            self._hold = loop.call_later(self._effect.delay_s, self._go_on)
        else:  # not within the client's own turn: a thousand pipelined requests answered here would be as many frames
            self._hold = loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._hold = None
        if self._effect.cut is Cut.RESET:
            self.took_effect()
            self._cut(End.CUT, reset=True)
        elif self._effect.cut is Cut.SILENCE:
            self.took_effect()
            self._silent = True
        elif self._effect.answer is not None:
            self.took_effect()
            self._answer(self._effect.answer)
        else:
            self._pass_on()

    def _pass_on(self) -> None:
        self._released_at = time.monotonic()
        self._forward()

    def _answer(self, response: Response) -> None:
        headers = wire.survey([*response.headers, (b"Content-Length", b"%d" % len(response.body))])
        framing = Framing.NONE if self._incoming.bodiless else Framing.LENGTH
        self._first.head(response.status, wire.reason_of(response.status), headers, framing)
        if framing is Framing.LENGTH:
            self._first.body(response.body)
        self._first.complete(())

    def _send(self, upstream: Upstream) -> None:
        self._upstream = upstream
        head = self._incoming.forwarded or self._request_head()
        body, bodiless = self._incoming.request.body, self._incoming.bodiless
        if self._upload_s > 0 and body:
            self.took_effect()
            upstream.send_head(self._first, head, bodiless=bodiless)
            self._upload = Upload(upstream, body, self._upload_s)
        else:
            upstream.send(self._first, head, body, bodiless=bodiless)

    def release(self) -> None:
        """End the effect at once: what is held goes on untouched, what is slow is sent, what is silent is closed."""
        self._upload_s = 0.0
        if self._upload is not None:
            self._upload.release()
        for shaper in self._shapers:
            shaper.release()
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None
            self._pass_on()
        elif self._silent:
            self._cut(End.CUT, reset=False)

    # the way back

    def complete(self, trailers: Headers) -> None:
        """End the body."""
        self.detach()
        super().complete(trailers)

    def lost(self, end: End, *, stale: bool) -> None:
        """Try once more, or tell the client."""
        self.detach()
        super().lost(end, stale=stale)

    def client_drained(self) -> None:
        """The client has taken all that was written."""
        if self._outcome is not None or not any(shaper.full for shaper in self._shapers):
            super().client_drained()

    # for shapers

    def took_effect(self) -> None:
        """The effect is real from here on, if it was not before."""
        if self._effect_at is None:
            self._effect_at = time.monotonic()

    def pause(self) -> None:
        """Read no more of the answer for now."""
        if self._upstream is not None:
            self._upstream.pause()

    def resume(self) -> None:
        """Read on, if the client keeps up."""
        if self._upstream is not None and not self._back.stuck:
            self._upstream.resume()

    def detach(self) -> None:
        """The upstream connection is done with, though the exchange may not be."""
        self._upstream = None
        if self._upload is not None:
            self._upload.stop()
            self._upload = None

    def abandon(self) -> None:
        """Want no more of the answer."""
        if self._upstream is not None:
            self._upstream.abandon()
        self.detach()

    def break_head(self, status: int, reason: bytes, headers: Survey) -> None:
        """Send the client the head but for its end, and end its connection."""
        self.detach()
        self.took_effect()
        self._status, self._headers = status, headers.lower
        self._back.write([wire.head(wire.status_line(status, reason), headers.passed)[:-2]])
        self._cut(End.CUT, reset=False)

    # the end

    def _settle(self, end: End, *, cut: bool) -> None:
        if self._hold is not None:
            self._hold.cancel()
        if self._upload is not None:
            self._upload.stop()
        for shaper in self._shapers:
            shaper.stop()
        super()._settle(end, cut=cut)

    def _exchange(self, end: End, *, cut: bool) -> Exchange:
        exchange = super()._exchange(end, cut=cut)
        return exchange._replace(effect=self._effect, effect_at=self._effect_at, released_at=self._released_at)
