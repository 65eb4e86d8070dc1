"""What all exchanges of one relay share: the handler, the upstream pool, the limits and the counts."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from alertdrill.relay.exchange import Effect, Exchange, Handler, Request, Response
from alertdrill.relay.heads import Heads, RequestHead, learn_request
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
        heads: of requests that come again and again.
        flights: the exchanges under way.
        idle: set once there are none; None until somebody waits for that.
        handler_errors: how often the handler raised.
        refused: how many requests were answered 4xx or 501 here, because they could not be understood or were too big.
        otherwise: the answer where the handler gives none of its own, for a relay without an upstream.
    """

    handler: Handler
    pool: Pool
    max_body_bytes: int
    heads: Heads[RequestHead] = field(init=False)
    flights: set[UnderWay] = field(default_factory=set)
    handler_errors: int = 0
    refused: int = 0
    otherwise: Response | None = None
    idle: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.heads = Heads(partial(learn_request, authority=self.pool.authority), self.max_body_bytes)

    def landed(self, flight: UnderWay, exchange: Exchange) -> None:
        """An exchange is over: tell the handler."""
        self.flights.discard(flight)
        if self.idle is not None and not self.flights:
            self.idle.set()
        try:
            self.handler.ended(exchange)
        except Exception:  # noqa: BLE001 - whatever it is
            self._failed()

    def treatment(self, request: Request) -> Response | Effect | None:
        """The handler's own answer, or what stands for it; else what it does to the exchange; None if it raised."""
        try:
            response = self.handler.local(request) or self.otherwise
        except Exception:  # noqa: BLE001 - whatever it is
            self._failed()
            response = self.otherwise
        if response is not None:
            return response
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

    def _failed(self) -> None:
        self.handler_errors += 1
        if self.handler_errors == 1:  # the first tells why; one for every request would fill the disk
            logger.exception("the relay's handler failed; from here on this is only counted")
