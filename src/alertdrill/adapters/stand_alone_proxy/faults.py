"""The faults of whichever drill is on at a fault proxy that stands by itself; without one, everything passes."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import ValidationError

from alertdrill.adapters.exchange_faults import ExchangeFaults
from alertdrill.adapters.stand_alone_proxy.journal import ProxyJournal
from alertdrill.control.desk import Header, Readied
from alertdrill.control.leased import Leased, Unusable
from alertdrill.core.exchange_account import Event
from alertdrill.core.faults.base import Place
from alertdrill.core.inside_protocol import PLACE_HEADER
from alertdrill.core.plan import Plan
from alertdrill.relay.exchange import Effect, Exchange, Request, Response

logger = logging.getLogger(__name__)

PLACES = (Place.EDGE, Place.MODEL, Place.DEPENDENCY)
SHOWN_CHARACTERS = 300


class LeasedFaults(Leased):
    """A plan's faults at one place, on the account of its lease."""

    def __init__(self, plan: Plan, place: Place, lease_s: float) -> None:
        super().__init__(plan.run_id, lease_s, time.monotonic)
        self.exchange = ExchangeFaults(plan, place, time.time() - time.monotonic(), self.account)


class ProxyFaults:
    """A relay's handler that asks the drill which is on, if one is.

    Args:
        journal: takes what happens.

    Attributes:
        drill: the one that is on, or was last.
        on_over: called when its faults end: what is held must go on.
    """

    def __init__(self, journal: ProxyJournal) -> None:
        self.drill: LeasedFaults | None = None
        self.on_over: Callable[[], None] = lambda: None
        self._journal = journal
        self._unwritten: list[tuple[LeasedFaults, list[Event]]] = []
        self._k = -1

    def read(self, plan_json: bytes, header: Header) -> Readied:
        """What begins the faults of a plan at the place that the controller names.

        Raises:
            Unusable: it is no plan of this version, or no place of a proxy.
        """
        try:
            plan = Plan.model_validate_json(plan_json)
        except ValidationError as error:
            raise Unusable(f"not a plan of this version: {' '.join(str(error).split())[:SHOWN_CHARACTERS]}") from None
        named = (header(PLACE_HEADER.encode()) or b"").decode("latin-1")
        if named not in PLACES:
            got = repr(named) if named else "nothing"
            raise Unusable(f"{PLACE_HEADER}: got {got}, expected edge, model or dependency")
        return Readied(plan.run_id, partial(self._begin, plan, Place(named)))

    def _begin(self, plan: Plan, place: Place, lease_s: float) -> Leased:
        try:
            self._journal.write([{"record": "begun", "run": plan.run_id, "place": place}])
        except OSError as error:
            raise Unusable(f"the journal of the proxy cannot be written: {error.strerror}") from None
        drill = LeasedFaults(plan, place, lease_s)
        drill.account.on_new = lambda events: self._unwritten.append((drill, events))
        drill.over.add_done_callback(lambda _: self._over(drill))
        self.drill = drill
        return drill

    def _over(self, drill: LeasedFaults) -> None:
        drill.exchange.clear()
        if drill is self.drill:
            self.on_over()
        self._unwritten.append((drill, [{"event": "ended", "why": drill.why}]))

    async def keep(self) -> None:
        """Journal what came since the last time; on the disk where a segment or a drill has ended.

        A journal that cannot be written ends the faults, and traffic flows on: what they did could not be shown.
        """
        if self.drill is not None:
            self.drill.account.gather()
        batches, self._unwritten = self._unwritten, []
        for drill, events in batches:
            records = [{"record": one["event"], "run": drill.run_id, **_named(one)} for one in events]
            segments = {one["k"] for one in events if "k" in one}
            sync = bool(segments - {self._k}) or any(one["event"] == "ended" for one in events)
            self._k = max(segments, default=self._k)
            try:
                await asyncio.to_thread(self._journal.write, records, sync)
            except OSError as error:
                drill.end(f"the journal of the proxy cannot be written: {error.strerror}")
                logger.error("%s: faults have ended, traffic flows on", drill.why)

    def local(self, request: Request) -> Response | None:
        """A fault proxy answers nothing by itself."""
        return None

    def effect(self, request: Request) -> Effect | None:
        """What the drill does to this exchange."""
        drill = self.drill
        return drill.exchange.effect(request) if drill is not None and drill.alive else None

    def ended(self, exchange: Exchange) -> None:
        """Tell the drill: what it touched is on its account also after it has ended."""
        if self.drill is not None:
            self.drill.exchange.ended(exchange)


def _named(event: Event) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "event"}
