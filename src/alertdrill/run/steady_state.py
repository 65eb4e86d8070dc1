"""What must hold before anything is broken, looked at from the first scrape on, while the baseline already runs."""

from alertdrill.core import journal as records
from alertdrill.core.recording import LabelKey, label_key
from alertdrill.core.scenario import AlertsInactive, QueryCondition, Scenario
from alertdrill.run.ports import Journal, SourceFailed
from alertdrill.run.watch import ConditionHeld, Watch


class SteadyState:
    """The conditions of a drill's steady state.

    Nothing counts before the targets are up and one full window has passed (`since`). An alert in scope that does not
    stay inactive within a tail after that was active before the drill: it is excused, and only its own expectations
    suffer.
    """

    def __init__(self, scenario: Scenario, watch: Watch, journal: Journal, window_s: float, tail_s: float) -> None:
        self._watch, self._journal = watch, journal
        self._window_s = window_s
        self._queries = [
            ConditionHeld(c, harmless=True) for c in scenario.steady_state if isinstance(c, QueryCondition)
        ]
        self._quiet_s = max((c.for_ for c in scenario.steady_state if isinstance(c, AlertsInactive)), default=0.0)
        self._patience_s = self._quiet_s + tail_s
        self._timeout_s = max(scenario.settle.timeout, self._patience_s)
        self._quiet_since: float | None = None
        self._restless: dict[LabelKey, float] = {}
        self._missed = 0
        self.since: float | None = None
        self.decided = False

    def begin(self, up_at: float) -> None:
        """The targets were first seen up at `up_at`."""
        self.since = self._watch.counts_from = up_at + self._window_s

    async def look(self) -> bool:
        """Look once, journal the outcome when there is one; whether the steady state has been reached.

        Raises:
            DrillOver: a condition did not hold in time.
        """
        if self.decided or self.since is None:
            return self.decided
        now = self._watch.clock.now()
        if now < self.since:
            return False
        self._forget_if_unseen()
        held = [await self._held(query, now) for query in self._queries]
        quiet = self._quiet(now)
        if all(held) and quiet:
            self._decide(())
        elif now >= self.since + self._patience_s and all(held):
            self._decide(tuple(sorted(key for key, at in self._restless.items() if now - at <= self._quiet_s)))
        elif now >= self.since + self._timeout_s:
            self._refuse(held)
        return self.decided

    def _forget_if_unseen(self) -> None:
        """What the engine did not answer may have been a break."""
        if self._watch.missed != self._missed:
            self._missed, self._quiet_since = self._watch.missed, None
            for query in self._queries:
                query.since = None

    def _quiet(self, now: float) -> bool:
        self._restless |= {label_key(one.labels): now for one in self._watch.blocking}
        if self._watch.blocking:
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now
        return self._quiet_since is not None and now - self._quiet_since >= self._quiet_s

    async def _held(self, query: ConditionHeld, now: float) -> bool:
        try:
            return await query.look(self._watch.source, now)
        except SourceFailed as error:
            query.got, query.since = str(error), None
            return False

    def _decide(self, active: tuple[LabelKey, ...]) -> None:
        self.decided = True
        self._watch.excused |= set(active)
        now = self._watch.clock.now()
        self._journal.write(records.SteadyState(at=now, held=True, since=self.since or now, active=active))

    def _refuse(self, held: list[bool]) -> None:
        query = next(query for query, holds in zip(self._queries, held, strict=True) if not holds)
        why = f"{query.condition.query} {query.condition.is_} does not hold: got {query.got}"
        now = self._watch.clock.now()
        self._journal.write(records.SteadyState(at=now, held=False, since=self.since or now, why=why))
        self._watch.give_up("unsteady", f"no steady state: {why}")
