"""One Prometheus under watch: the alerts and rules that it showed last, and what of that goes into the journal."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from alertdrill.core import journal as records
from alertdrill.core.kept import Kept
from alertdrill.core.observations import RuleGroup
from alertdrill.core.replicas import by_replica, replica_of, without
from alertdrill.core.scenario import Scenario
from alertdrill.core.scope import AlertRule, RuleBook, in_scope, recorded
from alertdrill.run.collector import Collector
from alertdrill.run.ports import ActiveAlert, AlertSource, Clock, Journal, SourceFailed

ENGINE_SILENCE_S = 3.0
MAX_TICK_S = 1.0
LOOKS = 2  # at the rules, in each evaluation interval: no evaluation goes unseen
LOOKS_IF_FAST = 4  # where half an interval is too short to wait out a hiccup of the network
FAST_S = 4.0


class Replica:
    """A Prometheus, alone or one of several that watch the same.

    Attributes:
        name: which of several; None where there is one, or where one address holds the series of all of them.
        source: where it is asked.
        book: the rules that it had at the start.
        scoped: of these, the alerts that the drill is about.
        interval_s: how often the fastest of them is evaluated.
        every_s: how often it is asked for its rules.
        ahead_s: its clock minus ours, by the best reading so far.
        active: its alerts at the last look that it answered, without the label in which replicas differ: one list for
            each replica that it speaks for.
        silent: why it did not answer the last look; None if it did.
        lost: whether it is not asked any more.
    """

    def __init__(
        self,
        name: str | None,
        source: AlertSource,
        groups: Sequence[RuleGroup],
        scenario: Scenario,
        together: records.Replicas | None = None,
    ) -> None:
        self.name, self.source = name, source
        self.book = RuleBook.of(groups)
        self.scoped: tuple[AlertRule, ...] = tuple(one for one in self.book.alerts if in_scope(scenario, one.labels))
        intervals = [rule.interval_ms / 1000 for rule in self.scoped]
        self.interval_s = min(intervals, default=FAST_S)
        self.every_s = self.interval_s / (LOOKS if self.interval_s >= FAST_S else LOOKS_IF_FAST)
        self.active: Sequence[Sequence[ActiveAlert]] = ()
        self.silent: SourceFailed | None = None
        self.lost = False
        self._scenario, self._groups, self._replicas = scenario, tuple(groups), together
        self.ahead_s, self._clock_error_s = 0.0, math.inf
        self._state: tuple[float | None, bool | None] | None = None
        self._rules_at, self._answered_at = -math.inf, math.inf
        self._evaluated: dict[tuple[str, str, str | None], dict[float, float | None]] = defaultdict(dict)

    def collector(self, clock: Clock, overlap_s: float, kept: Kept) -> Collector:
        """What fetches its samples."""
        rules = [one for one in self.scoped if recorded(self._scenario, kept, one.labels)]
        return Collector(self.source, clock, self.book, rules, overlap_s)

    async def look(self, clock: Clock, journal: Journal) -> bool:
        """Ask for its alerts, and for its rules when that is due; whether it answered."""
        now = clock.now()
        self._answered_at = min(self._answered_at, now)
        try:
            self.active = self._apart(await self.source.active())
            await self._read_rules(now, clock, journal)
            self._answered_at, self.silent = clock.now(), None
        except SourceFailed as error:
            self.silent = error
        return self.silent is None

    async def read_engine(self, clock: Clock, journal: Journal) -> SourceFailed | None:
        """Journal what its clock shows, and what it says of its process; why the clock could not be read."""
        failed = None
        try:
            reading = await self.source.clock()
        except SourceFailed as error:
            failed = error
        else:
            if reading.error_s < self._clock_error_s:
                self._clock_error_s, self.ahead_s = reading.error_s, reading.offset_s
            offset_s, error_s = reading.offset_s, reading.error_s
            journal.write(records.Clock(at=clock.now(), offset_s=offset_s, error_s=error_s, replica=self.name))
        try:
            of_itself = await self.source.of_itself()
        except SourceFailed:
            return failed
        state = of_itself.process_start, of_itself.last_reload_succeeded
        if state != self._state:
            self._state = state
            started_at, reloaded = state
            journal.write(records.Process(at=clock.now(), started_at=started_at, reloaded=reloaded, replica=self.name))
        return failed

    def silent_for_s(self, now: float) -> float:
        """How long ago its last answer is, s."""
        return now - self._answered_at

    def lose(self, now: float, journal: Journal) -> None:
        """Ask it no more; what it said so far counts."""
        self.lost = True
        what = f"{self.name} has given no answer that can be used for {ENGINE_SILENCE_S:g} s: {self.silent}"
        journal.write(records.Trouble(at=now, kind="engine_gone", what=what, replica=self.name))

    def _apart(self, active: Sequence[ActiveAlert]) -> Sequence[Sequence[ActiveAlert]]:
        """Its alerts, by the replica that raised them."""
        if self._replicas is None or self._replicas.label is None:
            return (active,)
        label = self._replicas.label
        bare = [ActiveAlert(without(one.labels, label), one.state) for one in active]
        if self._replicas.apart:
            return (bare,)
        shares = by_replica([one.labels for one in active], self._replicas.names, label)
        return tuple([bare[at] for at in share] for share in shares)

    async def _read_rules(self, now: float, clock: Clock, journal: Journal) -> None:
        tick_s = min(MAX_TICK_S, self.every_s)
        if now < self._rules_at + self.every_s - tick_s / 2:
            return
        self._rules_at = now
        groups = tuple(await self.source.rules())
        for group in groups:
            if group.last_evaluation is not None:
                self._evaluated[group.file, group.name, self._whose(group)][group.last_evaluation] = group.took_s
        if _still(groups) != _still(self._groups):
            self._groups = groups
            journal.write(records.Rules(at=clock.now(), groups=groups, replica=self.name))

    def _whose(self, group: RuleGroup) -> str | None:
        """Which replica evaluates a group."""
        together = self._replicas is not None and not self._replicas.apart and self._replicas.label
        return replica_of(group, together) if together else self.name

    def journal_evaluations(self, now: float, journal: Journal) -> None:
        """Write the evaluation times seen since the last call."""
        for (file, group, replica), times in sorted(self._evaluated.items(), key=lambda item: item[0][:2]):
            stated = tuple(sorted(times))
            took_s = tuple(took for at in stated if (took := times[at]) is not None)
            took_s = took_s if len(took_s) == len(stated) else ()
            journal.write(
                records.Evaluated(at=now, file=file, group=group, evaluated_at=stated, took_s=took_s, replica=replica)
            )
        self._evaluated.clear()


def _still(groups: Iterable[RuleGroup]) -> tuple[RuleGroup, ...]:
    """Rule groups without what changes at every evaluation, and what only the first look at them found out."""
    return tuple(
        replace(
            g,
            last_evaluation=None,
            took_s=None,
            rules=tuple(replace(r, health="ok" if r.health == "unknown" else r.health, scrape_s=None) for r in g.rules),
        )
        for g in groups
    )
