"""Faults inside an app, or in a proxy of its own, as the drill sees them: an injector on a lease that reports."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from alertdrill import __version__
from alertdrill.adapters.inside_clock import InsideClock
from alertdrill.adapters.inside_control import InsideControl, Refused, Unanswered
from alertdrill.adapters.processes import Event, ProcessFailed
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.faults.base import Place
from alertdrill.core.inside_protocol import (
    AFTER_HEADER,
    LEASE_HEADER,
    LONGEST_LEASE_S,
    PLACE_HEADER,
    SHORTEST_LEASE_S,
    TOKEN_VARIABLE,
)
from alertdrill.core.plan import Plan

POLL_S = 0.25
BEGIN_TIMEOUT_S = 10.0
PROBES = 16  # one after another: connections that come at once are often taken by the same process
EXPECTED = f"an app that wears alertdrill.inside.DrillFaults and the same {TOKEN_VARIABLE}"
FIX = f"wrap the app, app = DrillFaults(app), and start it and alertdrill with the same {TOKEN_VARIABLE}"
A_PROXY = "an `alertdrill proxy` with that address as --control, and the same token"
START_IT = "start one there, and see that token names the secret that it was started with"


class InsideApp:
    """Hands a plan to an app, renews the app's lease, passes events on.

    From its first `lease` command on it grants the app no more than it was granted itself.

    Args:
        control: asks the app's middleware.
        plan: the plan of the drill.
        on_event: takes the events, those of a fault proxy, on our clock.
        place: that of a fault proxy; None: inside an app.
    """

    def __init__(
        self,
        control: InsideControl,
        plan: Plan,
        on_event: Callable[[Event], None],
        place: Place | None = None,
    ) -> None:
        self._control = control
        self._place = place
        self._plan_json = plan.model_copy(update={"rules": ()}).model_dump_json().encode()
        self._lease_s = plan.scenario.limits.lease
        self._on_event = on_event
        self._clock = InsideClock()
        self._last = 0
        self._granted_until: float | None = None
        self._heard_at = 0.0
        self._lost: str | None = None
        self._wake, self._flushed = asyncio.Event(), asyncio.Event()
        self._flush_asked = False
        self._keeping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Hand over the plan; from here on the app touches the requests of the drill.

        Raises:
            BadInput: the app cannot be reached, has no such middleware or another token, or will not take the plan.
        """
        try:
            at = {} if self._place is None else {PLACE_HEADER: self._place.value}
            answer = await self._control.ask("PUT", "plan", {**at, **self._lease()}, self._plan_json, BEGIN_TIMEOUT_S)
            found = [await self._control.ask("GET", "plan", {"connection": "close"}) for _ in range(PROBES)]
        except Unanswered as error:
            expected, fix = (EXPECTED, FIX) if self._place is None else (A_PROXY, START_IT)
            raise self._bad(str(error), expected, fix) from None
        except Refused as error:
            who, there = ("an app", "for the app") if self._place is None else ("a proxy", "there")
            fix = f"install the same version {there}, or wait until the other drill has ended"
            raise self._bad(str(error), f"{who} that takes the plan of alertdrill {__version__}", fix) from None
        processes = {answer["process"], *(one["process"] for one in found)}
        if len(processes) > 1:
            fix = "start the server with one worker for the drill, alone behind its address"
            raise self._bad(f"answers of {len(processes)} processes", "one process, which has the plan", fix)
        self._heard_at = time.monotonic()
        self._keeping = asyncio.create_task(self._keep())

    def _bad(self, got: str, expected: str, fix: str) -> BadInput:
        who = "model server" if self._place is None else f"fault proxy ({self._place})"
        return BadInput([Mistake(f"the {who} at {self._control.url}", got, expected, fix)])

    def send(self, command: Mapping[str, Any]) -> None:
        """Take a command: `lease` (s: seconds from now), or `flush`."""
        match command["do"]:
            case "lease":
                self._granted_until = time.monotonic() + float(command["s"])
            case "flush":
                self._flush_asked = True
                self._flushed.clear()
                self._wake.set()

    def alive(self) -> bool:
        """Whether the faults are still carried out and reported."""
        return self.dead() is None

    def dead(self) -> str | None:
        """What to say of an app that no longer carries out its faults; None if all is well."""
        url = self._control.url
        if self._lost is not None:
            return f"{url} has ended the faults inside it: {self._lost}"
        if self._keeping is not None and self._keeping.done():
            return f"the faults inside {url} were let go: {self._keeping.exception()}"
        silent_s = time.monotonic() - self._heard_at
        return f"{url} has not answered alertdrill for {silent_s:.1f} s" if silent_s > self._lease_s else None

    async def event(self, name: str, timeout_s: float) -> Event:
        """Wait until everything is handed over that ended before the last `flush`.

        Raises:
            ProcessFailed: the app did not answer in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._flushed.wait()
        except TimeoutError:
            raise ProcessFailed(f"{self._control.url} handed over nothing within {timeout_s:g} s") from None
        return {"event": name}

    async def close(self) -> None:
        """End the faults, if the app can still be reached."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        with suppress(Unanswered, Refused):
            await self._control.ask("DELETE", "plan", {})
        await self._control.close()

    async def _keep(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_S)
            self._wake.clear()
            asked, self._flush_asked = self._flush_asked, False
            try:
                await self._beat()
            except Unanswered:
                self._flush_asked |= asked
            except Refused as error:
                self._lost = self._lost or str(error)
            else:
                if asked:
                    self._flushed.set()

    async def _beat(self) -> None:
        """Renew the app's lease by what is left of ours, and take what was touched and seen."""
        before = time.time()
        lease, after = self._lease(), {AFTER_HEADER: str(self._last)}
        method, what = ("POST", "lease") if lease and self._lost is None else ("GET", "events")
        answer = await self._control.ask(method, what, {**after, **lease})
        self._heard_at = time.monotonic()
        self._clock.read(before, answer["now"], time.time())
        self._last = answer["last"]
        for event in answer["events"]:
            self._on_event(self._on_our_clock(event))

    def _lease(self) -> dict[str, str]:
        left_s = self._lease_s if self._granted_until is None else self._granted_until - time.monotonic()
        left_s = min(left_s, LONGEST_LEASE_S)
        return {LEASE_HEADER: f"{left_s:.3f}"} if left_s > SHORTEST_LEASE_S else {}

    def _on_our_clock(self, event: Mapping[str, Any]) -> Event:
        if event["event"] != "touched":
            return event
        instants = ("effect_at", "released", "ended")
        return {**event, **{name: [self._clock.ours(at) for at in event[name]] for name in instants}}
