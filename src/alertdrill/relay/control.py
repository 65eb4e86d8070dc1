"""What all exchanges of one relay share: the handler, the upstream pool, the limits and the counts."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from alertdrill.relay.exchange import Effect, Exchange, Handler, Request, Response
from alertdrill.relay.upstream_pool import Pool

logger = logging.getLogger(__name__)


class UnderWay(Protocol):
    """An exchange under way, which may have an effect on it."""

    def release(self) -> None:
        """End the effect at once."""


@dataclass(slots=True)
class Control:
    """The handler, guarded, with what it works on.

    Attributes:
        handler: who watches and edits the exchanges.
        pool: connections to the upstream.
        max_body_bytes: longest request body that is taken.
        flights: the exchanges under way.
        idle: set while there are none, once there was one.
        handler_errors: how often the handler raised.
        refused: how many requests were answered 4xx or 501 here, because they could not be understood or were too big.
        otherwise: the answer where the handler gives none of its own, for a relay without an upstream.
    """

    handler: Handler
    pool: Pool
    max_body_bytes: int
    flights: set[UnderWay] = field(default_factory=set)
    handler_errors: int = 0
    refused: int = 0
    otherwise: Response | None = None
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def launched(self, flight: UnderWay) -> None:
        """An exchange begins."""
        self.flights.add(flight)
        self.idle.clear()

    def landed(self, flight: UnderWay) -> None:
        """An exchange is over."""
        self.flights.discard(flight)
        if not self.flights:
            self.idle.set()

    def local(self, request: Request) -> Response | None:
        """The handler's own answer; None, or what stands for it, also if it raised."""
        response: Response | None = None
        try:
            response = self.handler.local(request) or self.otherwise
        except Exception:  # noqa: BLE001 - whatever it is
            self._failed()
            return self.otherwise
        if self.otherwise is not None and response is not None and response.last_resort:
            return replace(response, last_resort=False)
        return response

    def effect(self, request: Request) -> Effect | None:
        """What the handler does to the exchange; None also if it raised."""
        try:
            return self.handler.effect(request)
        except Exception:  # noqa: BLE001 - whatever it is
            self._failed()
            return None

    def edited(self, edit: Callable[[bytes], bytes], body: bytes) -> bytes:
        """The edited body; `body` itself if the edit raised, or changed the length that the client was told."""

        def checked(body: bytes) -> bytes:
            edited = edit(body)
            if len(edited) != len(body):
                raise ValueError(f"an edit must keep the length: got {len(edited)} bytes, expected {len(body)}")
            return edited

        try:
            return checked(body)
        except Exception:  # noqa: BLE001 - whatever it is
            self._failed()
            return body

    def ended(self, exchange: Exchange) -> None:
        """Tell the handler."""
        try:
            self.handler.ended(exchange)
        except Exception:  # noqa: BLE001 - whatever it is
            self._failed()

    def _failed(self) -> None:
        self.handler_errors += 1
        if self.handler_errors == 1:  # the first tells why; one for every request would fill the disk
            logger.exception("the relay's handler failed; from here on this is only counted")
