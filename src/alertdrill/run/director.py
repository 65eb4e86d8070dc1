"""Runs a drill: steady state → (gate → phase)… → settle, on absolute times announced ahead.

Nothing here waits by itself or reads a clock of its own: under a stepped clock the same code runs without waiting.
"""

from collections.abc import Sequence

from alertdrill.core import journal as records
from alertdrill.core.draws import uniform
from alertdrill.core.observations import RawSeries, RuleGroup
from alertdrill.core.plan import Plan, Segment, SegmentKind
from alertdrill.core.promql import Selector
from alertdrill.core.recording import label_key
from alertdrill.core.scenario import AlertsInactive, Expectation, Phase, QueryCondition
from alertdrill.core.scope import AlertRule, expects, in_scope, tail_ms
from alertdrill.run.ports import AlertSource, Clock, Journal, Load, Processes, Progress, SourceFailed
from alertdrill.run.watch import ConditionHeld, DrillOver, Watch

LEAD_S = 0.3
END_S = 15.0
SELF_SERIES = ("up", "scrape_duration_seconds")


class Director:
    """One drill. `run` returns when it is over; the journal says what happened."""

    def __init__(
        self, plan: Plan, clock: Clock, load: Load, source: AlertSource, processes: Processes, journal: Journal,
        progress: Progress, groups: Sequence[RuleGroup], up_jobs: tuple[str, ...],
    ) -> None:
        scenario = plan.scenario
        self._plan, self._scenario = plan, scenario
        self._clock, self._load, self._source = clock, load, source
        self._processes, self._journal, self._progress = processes, journal, progress
        self._up_jobs = up_jobs
        interval = scenario.monitoring.evaluation_interval
        self._interval_s = interval
        self._watch = Watch(plan, clock, source, processes, journal, progress, groups, tick_s=min(1.0, interval / 2))
        self._tail_s = tail_ms(scenario, self._watch.book, round(scenario.monitoring.scrape_interval * 1000)) / 1000
        self._scoped: tuple[AlertRule, ...] = tuple(r for r in self._watch.book.alerts if in_scope(scenario, r.labels))
        self._collected_to = clock.now()
        self._open_until = 0.0
        self.samples: list[RawSeries] = []

    async def run(self) -> None:
        """Run every segment; end early when the drill cannot go on. Collects the samples in any case but cancellation."""
        self._collected_to = self._clock.now()
        try:
            await self._read_clock()
            await self._steady()
            for phase in self._scenario.phases:
                await self._phase(phase)
            await self._settle()
            await self._close()
        except DrillOver as over:
            self._progress.note(str(over))
            self._load.close(self._clock.now())
            await self._load.ended(2.0)
        await self._collect(final=True)

    # Segments

    def _segment(self, kind: SegmentKind, name: str) -> Segment:
        return next(s for s in self._plan.segments if s.kind is kind and s.name == name)

    def _announce(self, segment: Segment, at: float, title: str) -> None:
        self._load.announce(segment.k, at)
        self._journal.write(records.SegmentStarted(at=self._clock.now(), k=segment.k, start_at=at))
        self._progress.segment(title, at + segment.duration_s)

    async def _steady(self) -> None:
        """Wait until targets are up, one full window has passed and the conditions hold."""
        segment = self._plan.segments[0]
        self._announce(segment, self._clock.now() + LEAD_S, "steady state")
        timeout_at = self._clock.now() + segment.duration_s - LEAD_S
        if not await self._watch.until(timeout_at, self._targets_up):
            self._unsteady(f"targets of {', '.join(self._up_jobs)} are not up")
        since = self._clock.now() + max((self._watch.book.lookback_ms(rule) for rule in self._scoped), default=0) / 1000
        queries = [ConditionHeld(c) for c in self._scenario.steady_state if isinstance(c, QueryCondition)]
        quiet_s = max((c.for_ for c in self._scenario.steady_state if isinstance(c, AlertsInactive)), default=0.0)
        quiet = _Quiet(self._watch, quiet_s, since)
        limit = since + quiet_s + self._tail_s
        await self._watch.until(limit, lambda: self._is_steady(since, queries, quiet))
        for held in queries:
            if not await self._holds(held):
                self._unsteady(f"{held.condition.query} {held.condition.is_}: got {held.got}")
        active = tuple(label_key(one.labels) for one in self._watch.blocking)
        self._watch.excused |= set(active)
        self._journal.write(records.SteadyState(at=self._clock.now(), held=True, since=since, active=active))

    async def _targets_up(self) -> bool:
        try:
            up = {labels.get("job"): value for labels, value in await self._source.instant("up")}
        except SourceFailed:
            return False
        return all(up.get(job) == 1 for job in self._up_jobs)

    async def _is_steady(self, since: float, queries: list[ConditionHeld], quiet: "_Quiet") -> bool:
        held = [await self._holds(query) for query in queries]
        return quiet.holds() and all(held) and self._clock.now() >= since

    async def _holds(self, query: ConditionHeld) -> bool:
        try:
            return await query.look(self._source, self._clock.now())
        except SourceFailed as error:
            query.got = str(error)
            return False

    def _unsteady(self, why: str) -> None:
        self._journal.write(records.SteadyState(at=self._clock.now(), held=False, since=self._clock.now(), why=why))
        raise DrillOver(f"no steady state: {why}")

    async def _phase(self, phase: Phase) -> None:
        if phase.faults and not await self._gate(phase):
            return
        await self._read_clock()
        segment = self._plan.phase_segment(phase.name)
        dither = uniform(self._plan.seed, "start", segment.k, 0) * max(self._scenario.monitoring.scrape_interval, self._interval_s)
        start = self._clock.now() + LEAD_S + (dither if phase.faults else 0.0)
        self._announce(segment, start, f"phase {phase.name}")
        end = start + segment.duration_s
        done = _Decided(self, phase, start, self._watch)
        await self._watch.until(end - LEAD_S, done.look)
        if phase.faults:
            deadlines = [e.resolves_within for e in phase.expect if e.resolves_within is not None]
            self._open_until = self._clock.now() + LEAD_S + max(deadlines, default=0.0)

    async def _gate(self, phase: Phase) -> bool:
        """Wait for a clear way: a full tail since the last effect, alerts in scope inactive."""
        segment = self._segment(SegmentKind.GATE, phase.name)
        began = self._clock.now()
        self._announce(segment, began + LEAD_S, f"gate before {phase.name}")
        timeout_at = began + max(self._scenario.settle.timeout, self._tail_s)
        clear = await self._watch.until(timeout_at, self._clear)
        await self._collect()
        why = "" if clear else self._why_shut()
        self._journal.write(records.Gate(at=self._clock.now(), phase=phase.name, open=clear, why=why))
        if not clear:
            self._progress.note(f"{phase.name} is not injected: {why}")
        return clear

    def _clear(self) -> bool:
        last = self._load.last_touched()
        return not self._watch.blocking and (last is None or self._clock.now() >= last + self._tail_s)

    def _why_shut(self) -> str:
        names = sorted({one.labels.get("alertname", "") for one in self._watch.blocking})
        waited = f"after {max(self._scenario.settle.timeout, self._tail_s):g} s"
        return f"{', '.join(names)} still active {waited}" if names else f"windows not free of earlier effects {waited}"

    async def _settle(self) -> None:
        segment = self._segment(SegmentKind.SETTLE, "settle")
        now = self._clock.now()
        self._announce(segment, now + LEAD_S, "settle")
        limit = max(now + self._scenario.settle.timeout, self._open_until)
        await self._watch.until(min(limit, now + segment.duration_s - 1), self._clear)
        # Two evaluations more, so that what resolved is seen to have resolved.
        pause = self._clock.now() + 2 * self._interval_s
        await self._watch.until(pause, lambda: False)

    async def _close(self) -> None:
        self._load.close(self._clock.now())
        if not await self._load.ended(END_S):
            self._watch.give_up("child_died", f"the load did not close its journal within {END_S:g} s")
        await self._processes.confirm()
        await self._read_clock()

    # Evidence

    async def _read_clock(self) -> None:
        try:
            reading = await self._source.clock()
        except SourceFailed as error:
            self._progress.note(f"the engine's clock could not be read: {error}")
            return
        self._journal.write(records.Clock(at=self._clock.now(), offset_s=reading.offset_s, error_s=reading.error_s))

    def _selectors(self) -> list[str]:
        """What is recorded: every series that a rule in scope reads, ALERTS, and the scrapes of their targets."""
        found = [selector for rule in self._scoped for selector in self._watch.book.inputs(rule)]
        texts = {Selector(s.name, s.matchers, 0.0, 0.0).text() for s in found if s.name or s.matchers}
        return sorted({*texts, *SELF_SERIES, "ALERTS", "ALERTS_FOR_STATE"})

    async def _collect(self, final: bool = False) -> None:
        """Fetch the samples since the last collection."""
        self._watch.journal_evaluations()
        now = self._clock.now()
        begin = self._collected_to - 2 * max(self._interval_s, self._scenario.monitoring.scrape_interval)
        try:
            parts = [series for text in self._selectors() for series in await self._source.raw(text, begin, now)]
        except SourceFailed as error:
            if final:
                self._journal.write(records.Trouble(at=now, kind="query_failed", what=f"the recording could not be read: {error}"))
            return
        self.samples += parts
        self._collected_to = now

    @property
    def collected_to(self) -> float:
        """Until when the samples reach (our clock, s)."""
        return self._collected_to

    # For _Decided

    def expected_rules(self, phase: Phase) -> list[Expectation]:
        """Expectations of a phase whose alert is loaded and was not active before the drill: worth waiting for."""
        return [
            e for e in phase.expect
            if self._watch.book.named(e.alert) and not any(expects(e, dict(key)) for key in self._watch.excused)
        ]  # fmt: skip

    def notified(self, expectation: Expectation, since: float) -> bool:
        """Whether the receiver got what an expectation asks for."""
        if expectation.notifies is None:
            return True
        return any(p.at >= since and p.status == "firing" and expects(expectation, p.labels) for p in self._journal.posts)

    @property
    def interval_s(self) -> float:
        """Evaluation interval, seconds."""
        return self._interval_s


class _Quiet:
    """Since when no alert in scope has been active."""

    def __init__(self, watch: Watch, for_s: float, not_before: float) -> None:
        self._watch, self._for_s = watch, for_s
        self._since: float | None = None
        self._not_before = not_before

    def holds(self) -> bool:
        now = self._watch.clock.now()
        if self._watch.blocking:
            self._since = None
        elif self._since is None:
            self._since = now
        return self._since is not None and now - self._since >= self._for_s


class _Decided:
    """Whether a phase may end: two evaluations after every expected alert fired and notified."""

    def __init__(self, director: Director, phase: Phase, start: float, watch: Watch) -> None:
        self._director, self._phase, self._start, self._watch = director, phase, start, watch
        self._at: float | None = None

    def look(self) -> bool:
        if self._phase.end_when != "decided" or not self._phase.faults:
            return False
        now = self._watch.clock.now()
        if self._at is None and now > self._start and all(self._met(e) for e in self._director.expected_rules(self._phase)):
            self._at = now
        return self._at is not None and now - self._at >= 2 * self._director.interval_s

    def _met(self, expectation: Expectation) -> bool:
        fired = any(expects(expectation, dict(key)) and at >= self._start for key, at in self._watch.firing_seen.items())
        return fired and self._director.notified(expectation, self._start)
