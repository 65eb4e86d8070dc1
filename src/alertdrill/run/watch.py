"""One look at the world a tick: leases, processes, alerts, evaluations, rules and stop conditions."""

import math
from collections.abc import Awaitable, Callable, Sequence

from alertdrill.core import journal as records
from alertdrill.core.plan import Plan
from alertdrill.core.recording import LabelKey, label_key
from alertdrill.core.scenario import QueryCondition
from alertdrill.core.scope import in_scope
from alertdrill.run.ports import ActiveAlert, AlertSource, Clock, Journal, Processes, Progress, SourceFailed
from alertdrill.run.replica import ENGINE_SILENCE_S, MAX_TICK_S, Replica


class DrillOver(Exception):
    """The drill cannot go on; the trouble is in the journal."""


class ConditionHeld:
    """Since when a query condition has held without a break.

    An empty answer counts as `no_data` says: a number stands in for it; `ignore` is the harmless answer and `fail` the
    other one. Harmless is to hold for a steady state, and not to hold for a stop condition.
    """

    def __init__(self, condition: QueryCondition, harmless: bool) -> None:
        self.condition = condition
        self._harmless = harmless
        self.since: float | None = None
        self.got = "no answer yet"

    async def look(self, source: AlertSource, now: float, trust_absence: bool = True) -> bool:
        """Ask once; whether the condition has held for its time.

        Args:
            source: the engine.
            now: our clock, s.
            trust_absence: False while windows are not full yet: no data is harmless then.

        Raises:
            SourceFailed: the engine did not answer.
        """
        values = [value for _, value in await source.instant(self.condition.query)]
        self.got = ", ".join(f"{value:g}" for value in values[:3]) or "no data"
        holds = (
            all(self.condition.is_.holds(value) for value in values) if values else self._without_data(trust_absence)
        )
        self.since = (self.since if self.since is not None else now) if holds else None
        return self.since is not None and now - self.since >= self.condition.for_

    def _without_data(self, trust_absence: bool) -> bool:
        no_data = self.condition.no_data
        if not trust_absence:
            return self._harmless
        if isinstance(no_data, str):
            return self._harmless if no_data == "ignore" else not self._harmless
        return self.condition.is_.holds(float(no_data))


class Watch:
    """What the director sees, refreshed each tick.

    Attributes:
        replicas: the Prometheis that are asked, one where there are no replicas.
        active: alerts of any of them at the last look that they answered.
        fresh: whether the engine answered the last look.
        missed: count of looks that it did not answer.
        firing_since: since when the alerts that fire now, by all replicas that are asked, were seen to.
        excused: label sets that were active before the drill.
        also: asked at each look that the engine answered.
        counts_from: from when on the absence of data says something; the first windows are not full before.
    """

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        replicas: Sequence[Replica],
        processes: Processes,
        journal: Journal,
        progress: Progress,
    ) -> None:
        self.plan = plan
        self.clock = clock
        self.replicas = tuple(replicas)
        self._processes = processes
        self._journal = journal
        self._progress = progress
        self._interval_s = min(one.interval_s for one in self.replicas)
        self._tick_s = min(MAX_TICK_S, *(one.every_s for one in self.replicas))
        self._answered_at = clock.now()
        self._stops = [ConditionHeld(condition, harmless=False) for condition in plan.scenario.stop_conditions]
        self._stops_at = 0.0
        self.counts_from = math.inf
        self.fresh = False
        self.missed = 0
        self.active: Sequence[ActiveAlert] = ()
        self.firing_since: dict[tuple[tuple[str, str], ...], float] = {}
        self.also: Callable[[], Awaitable[bool]] | None = None
        self.excused: set[tuple[tuple[str, str], ...]] = set()

    @property
    def asked(self) -> list[Replica]:
        """The replicas that are asked still."""
        return [one for one in self.replicas if not one.lost]

    @property
    def source(self) -> AlertSource:
        """Who is asked what is asked once: the first of them."""
        return self.asked[0].source

    def loads(self, alert: str) -> bool:
        """Whether any of them had a rule of that name at the start."""
        return any(one.book.named(alert) for one in self.replicas)

    @property
    def blocking(self) -> list[ActiveAlert]:
        """Alerts in scope that are active and were not so before the drill."""
        return [
            one
            for one in self.active
            if in_scope(self.plan.scenario, one.labels) and label_key(one.labels) not in self.excused
        ]

    async def until(self, deadline: float, done: Callable[[], Awaitable[bool] | bool]) -> bool:
        """Tick until `done` (True) or until the deadline passes (False).

        Raises:
            DrillOver: a process died, the engine went silent, or a stop condition holds.
        """
        while True:
            await self.look()
            answer = done()
            if answer if isinstance(answer, bool) else await answer:
                return True
            now = self.clock.now()
            if now >= deadline:
                return False
            await self.clock.sleep_until(min(now + self._tick_s, deadline))

    async def look(self) -> None:
        """One tick: renew leases, see who lives, read alerts, rules and stop conditions."""
        self._processes.renew()
        dead = self._processes.dead()
        if dead:
            self.give_up("child_died", dead)
        if not all(one.source.alive() for one in self.replicas):
            self.give_up("engine_gone", "Prometheus died during the drill")
        now = self.clock.now()
        self.fresh = False
        try:
            await self._ask(now)
            await self._check_stops(now)
            if self.also is not None:
                await self.also()
            self._answered_at, self.fresh = self.clock.now(), True
        except SourceFailed as error:
            self.missed += 1
            if self.clock.now() - self._answered_at > ENGINE_SILENCE_S:
                what = f"Prometheus has given no answer that can be used for {ENGINE_SILENCE_S:g} s: {error}"
                self.give_up("engine_gone", what)

    def give_up(self, kind: records.TroubleKind, what: str) -> None:
        """Journal a trouble and end the drill.

        Raises:
            DrillOver: always.
        """
        self._journal.write(records.Trouble(at=self.clock.now(), kind=kind, what=what))
        raise DrillOver(what)

    async def _ask(self, now: float) -> None:
        """Look at every replica; one that is silent for long, while another answers, is asked no more.

        Raises:
            SourceFailed: one did not answer.
        """
        answered = [one for one in self.asked if await one.look(self.clock, self._journal)]
        for one in [one for one in self.asked if answered and one not in answered]:
            if one.silent_for_s(self.clock.now()) > ENGINE_SILENCE_S:
                one.lose(self.clock.now(), self._journal)
        failed = next((one.silent for one in self.asked if one.silent is not None), None)
        if failed is not None:
            raise failed
        self._saw([active for one in self.asked for active in one.active], now)

    def _saw(self, lists: Sequence[Sequence[ActiveAlert]], now: float) -> None:
        found: dict[LabelKey, ActiveAlert] = {}
        for one in (one for active in lists for one in active):
            if one.state == "firing" or label_key(one.labels) not in found:
                found[label_key(one.labels)] = one
        self.active = tuple(found.values())
        each = [{label_key(one.labels) for one in active if one.state == "firing"} for active in lists]
        firing = set.intersection(*each) if each else set()
        self.firing_since = {key: self.firing_since.get(key, now) for key in firing}
        self._progress.alerts([one for one in self.active if in_scope(self.plan.scenario, one.labels)])

    async def _check_stops(self, now: float) -> None:
        if now - self._stops_at < self._interval_s:
            return
        self._stops_at = now
        for stop in self._stops:
            if await stop.look(self.source, now, trust_absence=now >= self.counts_from):
                condition = stop.condition
                self.give_up(
                    "stop_condition", f"{condition.query} {condition.is_} for {condition.for_:g} s (got {stop.got})"
                )

    def journal_evaluations(self) -> None:
        """Write the evaluation times seen since the last call."""
        for one in self.replicas:
            one.journal_evaluations(self.clock.now(), self._journal)
