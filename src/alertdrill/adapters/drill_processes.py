"""Load and injectors as the director sees them: their events become journal records, their leases are renewed."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from alertdrill.adapters.load.instants import unpack
from alertdrill.adapters.processes import Child, Event, ProcessFailed
from alertdrill.adapters.target_halts import TargetHalts
from alertdrill.core import journal as records
from alertdrill.core.plan import Plan
from alertdrill.core.touch import Touch
from alertdrill.run.ports import Journal

CONFIRM_S = 3.0
RENEWALS_A_LEASE = 6


class EventJournal:
    """Turns the events of load and proxies into journal records.

    Attributes:
        failures: requests without a whole answer so far, by the load's name for what kept it away.
        on_restored: called when a target whose processes were halted answers again.
    """

    def __init__(self, plan: Plan, journal: Journal, on_sent: Callable[[Event], None] = lambda _: None) -> None:
        """Start with nothing heard; `on_sent` is told what the load sent, for whoever watches."""
        self._plan = plan
        self._journal = journal
        self._on_sent = on_sent
        self._starts: dict[int, float] = {}
        self._under_way: set[int] = set()
        self._last_touched: float | None = None
        self._touch = Touch(plan)
        self.failures: Counter[str] = Counter()
        self.on_restored: Callable[[], None] = lambda: None

    @property
    def last_touched(self) -> float | None:
        """When a fault last had an effect: now, while requests of a segment with faults are on their way."""
        return time.time() if self._under_way else self._last_touched

    def started(self, k: int, at: float) -> None:
        """Remember when a segment starts."""
        self._starts[k] = at
        if self._plan.segment_injections(k):
            self._under_way.add(k)

    def of_load(self, event: Event) -> None:
        """Take one event of the load."""
        match event["event"]:
            case "sent":
                self._sent(event)
                self._on_sent(event)
            case "picked":
                what = {"injection": event["injection"], "k": event["k"], "i": tuple(event["i"])}
                self._journal.write(records.Picked(at=time.time(), **what))
            case "touched":
                self._touched(event, unpack(event["from"], event["sent_us"]))
            case "answered":
                ended = zip(unpack(event["from"], event["done_us"]), event["code"], strict=True)
                self._served(event, [at if code else None for at, code in ended])
            case "closed":
                names = records.SegmentClosed.model_fields.keys() - {"at", "record"}
                self._journal.write(records.SegmentClosed(at=time.time(), **{name: event[name] for name in names}))
                if not event["in_flight"]:
                    self._under_way.discard(event["k"])
            case "drained":
                self._drained(event)
            case "worker":
                names = records.Worker.model_fields.keys() - {"at", "record"}
                self._journal.write(records.Worker(at=time.time(), **{name: event[name] for name in names}))

    def of_proxy(self, event: Event) -> None:
        """Take one event of a fault proxy."""
        if event["event"] == "touched":
            effects = [(i, at) for i, at in zip(event["i"], event["effect_at"], strict=True) if at is not None]
            self._touched({**event, "i": [i for i, _ in effects]}, [at for _, at in effects])
            self._served(event, event["ended"])

    def of_keeper(self, event: Event) -> None:
        """Take one event of what keeps a target."""
        if event["event"] == "restored":
            self.on_restored()
        if event["event"] == "halted":
            names = records.Halted.model_fields.keys() - {"at", "record"}
            halted = records.Halted(at=time.time(), **{name: event[name] for name in names})
            self._journal.write(halted)
            seen = [at for at in (halted.from_at, halted.until_at) if at is not None]
            self._last_touched = max(self._last_touched or 0.0, *seen, 0.0)

    def _drained(self, event: Event) -> None:
        names = records.SegmentDrained.model_fields.keys() - {"at", "record"}
        self._journal.write(records.SegmentDrained(at=time.time(), **{name: event[name] for name in names}))
        if event["k"] in self._under_way:
            self._under_way.remove(event["k"])
            self._last_touched = max(self._last_touched or 0.0, event["last_ended"])

    def _sent(self, event: Event) -> None:
        self.failures.update(event["errors"])
        late = event["late"]
        if late:
            start, times = self._starts[event["k"]], self._touch.schedule(event["k"]).at
            sent_at = tuple(round(start + float(times[i]) + seconds, 6) for i, seconds in late)
            late_s = tuple(seconds for _, seconds in late)
            numbers = tuple(i for i, _ in late)
            self._journal.write(records.Late(at=time.time(), k=event["k"], i=numbers, sent_at=sent_at, late_s=late_s))

    def _touched(self, event: Event, effects: Sequence[float]) -> None:
        if not effects:
            return
        self._last_touched = max(self._last_touched or 0.0, *effects)
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
        """When the last effect happened, or the last answer to a request of a segment with faults came."""
        return self._events.last_touched


class Leased(Protocol):
    """Something that ends by itself unless it is granted another lease: a process, or the faults inside an app."""

    def send(self, command: Mapping[str, Any]) -> None:
        """Send one command."""

    def dead(self) -> str | None:
        """What to say if it ended although it should not have; None if all is well."""


class Injector(Leased, Protocol):
    """Something that puts exchange faults on traffic and reports them."""

    def alive(self) -> bool:
        """Whether it can report."""

    async def event(self, name: str, timeout_s: float) -> Event:
        """The first event of a name since the last call for it; raises ProcessFailed if there is none."""


class DrillProcesses:
    """The processes port: leases for load and injectors, and a look at all."""

    def __init__(
        self,
        leased: Sequence[Leased],
        injectors: Sequence[Injector],
        others: Sequence[Child],
        halts: TargetHalts,
        lease_s: float,
    ) -> None:
        self._halts = halts
        self._leased = leased
        self._injectors = injectors
        self._others = others
        self._lease_s = lease_s

    def renew(self) -> None:
        """Grant load and injectors another lease."""
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

    def announce(self, k: int, at: float) -> None:
        """Say ahead that segment `k` begins at `at`: faults on processes begin and end with it."""
        self._halts.announce(k, at)

    def let_go(self, at: float) -> None:
        """End faults on processes at an instant."""
        self._halts.let_go(at)

    def whole(self) -> bool:
        """Whether no process is halted by a fault, and the target answers."""
        return self._halts.whole()

    def dead(self) -> str | None:
        """The first process that ended although it should live."""
        return next((what for child in (*self._leased, *self._others) if (what := child.dead())), None)

    async def confirm(self) -> None:
        """Have the injectors report what they still hold back."""
        for injector in self._injectors:
            if injector.alive():
                injector.send({"do": "flush"})
        await self._halts.confirm(CONFIRM_S)
        for injector in self._injectors:
            if injector.alive():
                try:
                    await injector.event("flushed", CONFIRM_S)
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
