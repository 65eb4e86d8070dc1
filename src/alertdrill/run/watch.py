"""One look at the world a tick: leases, processes, alerts, evaluations, rules and stop conditions."""

import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from alertdrill.core import journal as records
from alertdrill.core.observations import RuleGroup
from alertdrill.core.plan import Plan
from alertdrill.core.recording import label_key
from alertdrill.core.scenario import QueryCondition
from alertdrill.core.scope import RuleBook, in_scope
from alertdrill.run.ports import ActiveAlert, AlertSource, Clock, Journal, Processes, Progress, SourceFailed

ENGINE_SILENCE_S = 3.0
MAX_TICK_S = 1.0
LOOKS = 2  # at the rules, in each evaluation interval: no evaluation goes unseen
LOOKS_IF_FAST = 4  # where half an interval is too short to wait out a hiccup of the network
FAST_S = 4.0


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
        active: alerts at the last look that the engine answered.
        fresh: whether the engine answered the last look.
        missed: count of looks that it did not answer.
        firing_since: since when the alerts that fire now were seen to fire.
        excused: label sets that were active before the drill.
        also: asked at each look that the engine answered.
        counts_from: from when on the absence of data says something; the first windows are not full before.
    """

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        source: AlertSource,
        processes: Processes,
        journal: Journal,
        progress: Progress,
        groups: Sequence[RuleGroup],
    ) -> None:
        self.plan = plan
        self.clock = clock
        self.source = source
        self._processes = processes
        self._journal = journal
        self._progress = progress
        self._groups = tuple(groups)
        self.book = RuleBook.of(groups)
        intervals = [rule.interval_ms / 1000 for rule in self.book.alerts if in_scope(plan.scenario, rule.labels)]
        self._interval_s = min(intervals, default=FAST_S)
        self._rules_every_s = self._interval_s / (LOOKS if self._interval_s >= FAST_S else LOOKS_IF_FAST)
        self._rules_at = -math.inf
        self._tick_s = min(MAX_TICK_S, self._rules_every_s)
        self._answered_at = clock.now()
        self._stops = [ConditionHeld(condition, harmless=False) for condition in plan.scenario.stop_conditions]
        self._stops_at = 0.0
        self.counts_from = math.inf
        self.fresh = False
        self.missed = 0
        self._evaluated: dict[tuple[str, str], set[float]] = defaultdict(set)
        self.active: Sequence[ActiveAlert] = ()
        self.firing_since: dict[tuple[tuple[str, str], ...], float] = {}
        self.also: Callable[[], Awaitable[bool]] | None = None
        self.excused: set[tuple[tuple[str, str], ...]] = set()

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
        if not self.source.alive():
            self.give_up("engine_gone", "Prometheus died during the drill")
        now = self.clock.now()
        self.fresh = False
        try:
            self._saw(await self.source.active(), now)
            await self._read_rules(now)
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

    def _saw(self, active: Sequence[ActiveAlert], now: float) -> None:
        self.active = active
        firing = {label_key(one.labels) for one in active if one.state == "firing"}
        self.firing_since = {key: self.firing_since.get(key, now) for key in firing}
        self._progress.alerts([one for one in active if in_scope(self.plan.scenario, one.labels)])

    async def _read_rules(self, now: float) -> None:
        if now < self._rules_at + self._rules_every_s - self._tick_s / 2:
            return
        self._rules_at = now
        groups = tuple(await self.source.rules())
        for group in groups:
            if group.last_evaluation is not None:
                self._evaluated[group.file, group.name].add(group.last_evaluation)
        if _still(groups) != _still(self._groups):
            self._groups = groups
            self._journal.write(records.Rules(at=self.clock.now(), groups=groups))

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
        for (file, group), times in sorted(self._evaluated.items()):
            self._journal.write(
                records.Evaluated(at=self.clock.now(), file=file, group=group, evaluated_at=tuple(sorted(times)))
            )
        self._evaluated.clear()


def _still(groups: Sequence[RuleGroup]) -> tuple[RuleGroup, ...]:
    """Rule groups without what changes at every evaluation, and what only the first look at them found out."""
    return tuple(
        replace(
            g,
            last_evaluation=None,
            rules=tuple(replace(r, health="ok" if r.health == "unknown" else r.health, scrape_s=None) for r in g.rules),
        )
        for g in groups
    )
