"""Runs a drill: steady state and baseline → (gate → phase)… → settle, on absolute times announced ahead.

Nothing here waits by itself or reads a clock of its own: under a stepped clock the same code runs without waiting.
"""

from collections.abc import Sequence

from alertdrill.core import journal as records
from alertdrill.core.draws import uniform
from alertdrill.core.plan import LAST_EFFECTS_S, Plan, Segment, SegmentKind, steady_state_s
from alertdrill.core.scenario import Phase
from alertdrill.core.scope import tail_ms
from alertdrill.run.decided import Decided
from alertdrill.run.ports import AlertSource, Clock, Journal, Load, Processes, Progress, SourceFailed
from alertdrill.run.replica import Replica
from alertdrill.run.steady_state import SteadyState
from alertdrill.run.watch import DrillOver, Watch

LEAD_S = 0.3
END_S = 15.0
LOAD_TICK_S = 1.0


class Director:
    """One drill. `run` returns when it is over; the journal says what happened.

    Attributes:
        collectors: the samples fetched so far, of each replica.
    """

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        load: Load,
        replicas: Sequence[Replica],
        processes: Processes,
        journal: Journal,
        progress: Progress,
        up_jobs: tuple[str, ...],
        scrape_s: float,
        evaluation_s: float,
    ) -> None:
        self._plan, self._scenario = plan, plan.scenario
        self._clock, self._load = clock, load
        self._processes, self._journal, self._progress = processes, journal, progress
        self._up_jobs = up_jobs
        self._scrape_s, self._evaluation_s = scrape_s, evaluation_s
        self._watch = Watch(plan, clock, replicas, processes, journal, progress)
        first = replicas[0]
        window_s = max((first.book.lookback_ms(rule) for rule in first.scoped), default=0) / 1000
        self._tail_s = tail_ms(plan.scenario, first.book, round(scrape_s * 1000)) / 1000
        self._steady = SteadyState(plan.scenario, self._watch, journal, window_s, self._tail_s)
        overlap_s = 2 * max(scrape_s, evaluation_s)
        self.collectors = {one.name: one.collector(clock, overlap_s, plan.record) for one in replicas}

    async def run(self) -> None:
        """Run every segment; end early when the drill cannot go on. The samples are fetched in either case."""
        try:
            await self._read_engine()
            await self._targets()
            for phase in self._scenario.phases:
                await self._phase(phase)
            await self._settle()
            over = False
        except DrillOver as why:
            self._progress.note(str(why))
            over = True
        await self._close()
        died = None if over else self._processes.dead()
        if died:
            self._trouble("child_died", died)

    def _segment(self, kind: SegmentKind, name: str) -> Segment:
        return next(s for s in self._plan.segments if s.kind is kind and s.name == name)

    def _announce(self, segment: Segment, at: float, title: str) -> None:
        self._load.announce(segment.k, at)
        self._processes.announce(segment.k, at)
        self._journal.write(records.SegmentStarted(at=self._clock.now(), k=segment.k, start_at=at))
        self._progress.segment(title, at + segment.duration_s)

    async def _targets(self) -> None:
        """Start the load and wait for the first scrapes; the steady state is looked at from then on."""
        segment = self._plan.segments[0]
        began = self._clock.now()
        self._announce(segment, began + LEAD_S, "waiting for the first scrapes")
        if not await self._watch.until(began + segment.duration_s - LEAD_S, self._targets_up):
            self._watch.give_up("unsteady", f"targets of {', '.join(self._up_jobs)} are not up")
        self._steady.begin(self._clock.now())
        self._watch.also = self._steady.look

    async def _targets_up(self) -> bool:
        return all([await self._jobs_up(one.source) for one in self._watch.asked])

    async def _jobs_up(self, source: AlertSource) -> bool:
        try:
            up = [(labels.get("job"), value) for labels, value in await source.instant("up")]
        except SourceFailed:
            return False
        jobs_up = {job for job, value in up if value == 1} - {job for job, value in up if value != 1}
        return jobs_up.issuperset(self._up_jobs)

    async def _phase(self, phase: Phase) -> None:
        if phase.faults and not await self._gate(phase):
            return
        await self._read_engine()
        segment = self._plan.phase_segment(phase.name)
        start = self._clock.now() + LEAD_S + (self._dither_s(segment) if phase.faults else 0.0)
        self._announce(segment, start, f"phase {phase.name}")
        decided = Decided(phase, start, self._watch, self._journal, self._evaluation_s)
        await self._watch.until(start + segment.duration_s - LEAD_S, decided.look)

    def _dither_s(self, segment: Segment) -> float:
        """A seeded delay, so that faults do not start in step with the evaluations that gates react to."""
        return uniform(self._plan.seed, "start", segment.k, 0) * max(self._scrape_s, self._evaluation_s)

    async def _gate(self, phase: Phase) -> bool:
        """Wait for a clear way: a steady state, a full tail since the last effect, alerts in scope inactive."""
        began = self._clock.now()
        self._announce(self._segment(SegmentKind.GATE, phase.name), began + LEAD_S, f"gate before {phase.name}")
        patience_s = self._patience_s()
        clear = await self._watch.until(began + patience_s, self._clear)
        for one in self._watch.asked:
            await self.collectors[one.name].try_collect()
        self._watch.journal_evaluations()
        why = "" if clear else self._why_shut(patience_s)
        self._journal.write(records.Gate(at=self._clock.now(), phase=phase.name, open=clear, why=why))
        if not clear:
            self._progress.note(f"{phase.name} is not injected: {why}")
        return clear

    def _patience_s(self) -> float:
        """How long a gate waits; longer while the steady state, which knows whom to excuse, is not decided."""
        patience_s = max(self._scenario.settle.timeout, self._tail_s + LAST_EFFECTS_S)
        return patience_s if self._steady.decided else patience_s + steady_state_s(self._scenario, self._tail_s)

    def _clear(self) -> bool:
        last = self._load.last_touched()
        free = last is None or self._clock.now() >= last + self._tail_s
        free = free and self._processes.whole()
        return self._steady.decided and free and self._watch.fresh and not self._watch.blocking

    def _why_shut(self, patience_s: float) -> str:
        names = sorted({one.labels.get("alertname", "") for one in self._watch.blocking})
        waited = f"after {patience_s:g} s"
        if not self._steady.decided:
            return f"no steady state {waited}"
        if not self._processes.whole():
            return f"the target does not answer again {waited}"
        return f"{', '.join(names)} still active {waited}" if names else f"windows not free of earlier effects {waited}"

    async def _settle(self) -> None:
        """Wait until all is quiet again and no deadline to resolve is open."""
        began = self._clock.now()
        segment = self._segment(SegmentKind.SETTLE, "settle")
        self._announce(segment, began + LEAD_S, "settle")
        await self._watch.until(began + segment.duration_s - 2 * LEAD_S, self._clear)

    async def _close(self) -> None:
        """End the load and what is halted, and gather the evidence."""
        self._processes.let_go(self._clock.now())
        self._load.close(self._clock.now())
        if not await self._load_ended():
            self._trouble("child_died", f"the load did not close its journal within {END_S:g} s")
        await self._processes.confirm()
        await self._read_engine()
        for one in self._watch.asked:
            failed = await self.collectors[one.name].try_collect()
            if failed:
                self._trouble("query_failed", f"the samples could not be read: {failed}", one.name)
        self._watch.journal_evaluations()

    async def _load_ended(self) -> bool:
        """Wait for what is still in flight, leases renewed; False if that took too long."""
        deadline = self._clock.now() + END_S
        while not await self._load.ended(LOAD_TICK_S):
            if self._clock.now() >= deadline:
                return False
            self._processes.renew()
        return True

    def _trouble(self, kind: records.TroubleKind, what: str, replica: str | None = None) -> None:
        self._journal.write(records.Trouble(at=self._clock.now(), kind=kind, what=what, replica=replica))

    async def _read_engine(self) -> None:
        """Have every engine say what its clock shows, and what its process is: not every engine does."""
        for one in self._watch.asked:
            failed = await one.read_engine(self._clock, self._journal)
            self.collectors[one.name].ahead_s = one.ahead_s
            if failed is not None:
                self._progress.note(f"the engine's clock could not be read: {failed}")
