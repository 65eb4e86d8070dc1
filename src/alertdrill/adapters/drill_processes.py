"""Load and fault proxies as the director sees them: their events become journal records, their leases are renewed."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np
from numpy.typing import NDArray

from alertdrill.adapters.processes import Child, Event, ProcessFailed
from alertdrill.core import journal as records
from alertdrill.core.plan import Plan
from alertdrill.core.timeline import arrival_times
from alertdrill.run.ports import Journal

CONFIRM_S = 3.0
RENEWALS_A_LEASE = 6


class EventJournal:
    """Turns the events of load and proxies into journal records."""

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self._plan = plan
        self._journal = journal
        self._starts: dict[int, float] = {}
        self.last_touched: float | None = None
        self._times = cache(self._arrivals)

    def _arrivals(self, k: int) -> NDArray[np.float64]:
        segment = self._plan.segments[k]
        return arrival_times(segment.arrivals, self._plan.seed, k, segment.duration_s)

    def started(self, k: int, at: float) -> None:
        """Remember when a segment starts."""
        self._starts[k] = at

    def of_load(self, event: Event) -> None:
        """Take one event of the load."""
        match event["event"]:
            case "sent":
                self._sent(event)
            case "touched":
                self._touched(event, event["sent"])
                if "done" in event:
                    self._served(event, event["done"])
            case "answered":
                self._served(event, event["done"])
            case "closed":
                names = records.SegmentClosed.model_fields.keys() - {"at", "record"}
                self._journal.write(records.SegmentClosed(at=time.time(), **{name: event[name] for name in names}))

    def of_proxy(self, event: Event) -> None:
        """Take one event of a fault proxy."""
        if event["event"] == "touched":
            effects = [(i, at) for i, at in zip(event["i"], event["held"], strict=True) if at is not None]
            self._touched({**event, "i": [i for i, _ in effects]}, [at for _, at in effects])
            self._served(event, event["ended"])

    def _sent(self, event: Event) -> None:
        late = event["late"]
        if late:
            start, times = self._starts[event["k"]], self._times(event["k"])
            sent_at = tuple(round(start + float(times[i]) + seconds, 6) for i, seconds in late)
            late_s = tuple(seconds for _, seconds in late)
            numbers = tuple(i for i, _ in late)
            self._journal.write(records.Late(at=time.time(), k=event["k"], i=numbers, sent_at=sent_at, late_s=late_s))

    def _touched(self, event: Event, effects: Sequence[float]) -> None:
        if not effects:
            return
        self.last_touched = max(self.last_touched or 0.0, *effects)
        self._journal.write(
            records.Touched(
                at=time.time(),
                injection=event["injection"],
                k=event["k"],
                i=tuple(event["i"]),
                effect_at=tuple(effects),
            )
        )

    def _served(self, event: Event, done: Sequence[float | None]) -> None:
        self._journal.write(
            records.Served(
                at=time.time(),
                injection=event["injection"],
                k=event["k"],
                i=tuple(event["i"]),
                served_at=tuple(done),
                code=tuple(event["code"]),
            )
        )


class LoadProcess:
    """The load port over a Locust process."""

    def __init__(self, child: Child, events: EventJournal) -> None:
        self._child = child
        self._events = events

    def announce(self, k: int, at: float) -> None:
        """Say ahead that segment `k` begins at `at`."""
        self._events.started(k, at)
        self._child.send({"do": "segment", "k": k, "at": at})

    def close(self, at: float) -> None:
        """Say ahead that nothing is sent from `at` on."""
        self._child.expected_to_end = True
        self._child.send({"do": "close", "at": at})

    async def ended(self, timeout_s: float) -> bool:
        """Wait until the load has handed over everything and ended."""
        return await self._child.ended(timeout_s)

    def last_touched(self) -> float | None:
        """When the last confirmed effect happened."""
        return self._events.last_touched


class DrillProcesses:
    """The processes port: leases for load and proxies, and a look at all."""

    def __init__(
        self, leased: Sequence[Child], proxies: Sequence[Child], others: Sequence[Child], lease_s: float
    ) -> None:
        self._leased = leased
        self._proxies = proxies
        self._others = others
        self._lease_s = lease_s

    def renew(self) -> None:
        """Grant load and proxies another lease."""
        for child in self._leased:
            child.send({"do": "lease", "s": self._lease_s})

    @contextmanager
    def leased(self) -> Iterator[None]:
        """Renew the leases for as long as our event loop turns, however long the engine takes to answer a question."""
        task = asyncio.create_task(self._keep_renewing())
        try:
            yield
        finally:
            task.cancel()

    async def _keep_renewing(self) -> None:
        while True:
            self.renew()
            await asyncio.sleep(self._lease_s / RENEWALS_A_LEASE)

    def dead(self) -> str | None:
        """The first process that ended although it should live."""
        return next((what for child in (*self._leased, *self._others) if (what := child.dead())), None)

    async def confirm(self) -> None:
        """Have the proxies report what they still hold back."""
        for proxy in self._proxies:
            if proxy.alive():
                proxy.send({"do": "flush"})
        for proxy in self._proxies:
            if proxy.alive():
                try:
                    await proxy.event("flushed", CONFIRM_S)
                except ProcessFailed:
                    continue


class SystemClock:
    """The clock port over this machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep_until(self, at: float) -> None:
        """Sleep until `at`."""
        await asyncio.sleep(max(0.0, at - time.time()))
