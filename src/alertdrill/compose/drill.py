"""One drill from start to verdict: the processes are started, the director runs them, the evidence is judged."""

import asyncio
import platform
import secrets
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from alertdrill import __version__
from alertdrill.adapters import processes
from alertdrill.adapters.drill_processes import (
    DrillProcesses,
    EventJournal,
    Injector,
    Leased,
    LoadProcess,
    SystemClock,
)
from alertdrill.adapters.inside_token import inside_token
from alertdrill.adapters.journal_file import JournalFile
from alertdrill.adapters.live_traffic import LiveTraffic
from alertdrill.adapters.processes import Child
from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.promtool import check_rules
from alertdrill.adapters.results_folder import ResultsFolder, check_writable
from alertdrill.adapters.scratch import Scratch
from alertdrill.adapters.signals import OF_A_DRILL, run_until_signalled
from alertdrill.adapters.target import PreparedTarget, prepare_target
from alertdrill.adapters.target_halts import TargetHalts
from alertdrill.adapters.warm_up import warm_up
from alertdrill.compose.background import ask_background
from alertdrill.compose.crew import Crew
from alertdrill.compose.engine import Engine, open_engine
from alertdrill.compose.evidence import conclude, no_samples, recording, sealed
from alertdrill.compose.judging import Outcome, judged
from alertdrill.compose.material import Material, recorded_traffic
from alertdrill.compose.notification import (
    ManagedSetup,
    Notification,
    Own,
    about_managed,
    managed_setup,
    open_notification,
    read_own,
    spare_people,
)
from alertdrill.compose.options import Options, in_file, read_to_run, refuse, rule_files
from alertdrill.compose.own_users import OwnUsers
from alertdrill.compose.planning import Planner
from alertdrill.compose.wire import Wire
from alertdrill.core import journal as records
from alertdrill.core.faults.base import ExchangeFault, Place, ProcessFault
from alertdrill.core.feasibility import unknown_features
from alertdrill.core.kept import Kept
from alertdrill.core.label_sets import unnamed, with_label_sets
from alertdrill.core.observations import AlertPost
from alertdrill.core.plan import Plan
from alertdrill.core.scenario import Scenario
from alertdrill.core.scope import RuleBook
from alertdrill.core.traffic_log import TrafficLog
from alertdrill.run.checker import judge
from alertdrill.run.director import Director
from alertdrill.run.ports import Progress
from alertdrill.run.replica import Replica

T = TypeVar("T")


def run_drill(name_or_path: str, options: Options, progress: Progress) -> Outcome:
    """Run a drill from start to verdict; nothing of it is left running. Call it from the main thread.

    Raises:
        AlertdrillError: with the exit code of what went wrong.
    """
    scenario, path = read_to_run(name_or_path, options)
    check_writable(options.results)
    Crew.of(scenario, options.workers, options.distributed).check_free()
    prometheus: Path | None = None
    if scenario.monitoring.prometheus == "managed":
        binaries = ensure_prometheus(progress=progress.note)
        check_rules(binaries.promtool.path, rule_files(scenario, path))
        prometheus = binaries.prometheus.path
    setup = managed_setup(scenario, path, progress.note)
    return run_until_signalled(_run_drill(scenario, path, prometheus, setup, options, progress), OF_A_DRILL)


async def _run_drill(
    scenario: Scenario,
    path: Path,
    prometheus: Path | None,
    setup: ManagedSetup | None,
    options: Options,
    progress: Progress,
) -> Outcome:
    token = inside_token(scenario)
    async with AsyncExitStack() as stack:
        own = await read_own(scenario, path, stack)
        target = await prepare_target(scenario, path, progress.note)
        refuse(in_file(path, [*unknown_features(scenario, target.schema), *unnamed(scenario, target.schema)]))
        scenario = with_label_sets(scenario, target.schema)
        log = recorded_traffic(scenario, path, target)
        work = stack.enter_context(Scratch("alertdrill-run-"))
        drill = _Drill(scenario, path, target, log, token, options, progress, stack, work.path)
        return await drill.run(prometheus, setup, own)


def new_run_id() -> str:
    """A name for a drill that starts now: the time (UTC), and six digits that tell two of one second apart."""
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime()) + "-" + secrets.token_hex(3)


class _Drill:
    """One drill: what it is about, and what closes it."""

    def __init__(
        self,
        scenario: Scenario,
        path: Path,
        target: PreparedTarget,
        log: TrafficLog | None,
        token: str | None,
        options: Options,
        progress: Progress,
        stack: AsyncExitStack,
        work: Path,
    ) -> None:
        self._scenario, self._path, self._target, self._log = scenario, path, target, log
        self._options, self._progress, self._stack = options, progress, stack
        self._crew = Crew.of(scenario, options.workers, options.distributed)
        self._own = OwnUsers.of(scenario, path)
        self._wire = Wire(target, self._crew, token, work, progress.note)
        self._early_posts: list[AlertPost] = []
        self._take_post: Callable[[AlertPost], None] = self._early_posts.append

    async def run(self, prometheus: Path | None, setup: ManagedSetup | None, own: Own | None) -> Outcome:
        """Start everything, run the plan, judge."""
        run_id = new_run_id()
        self._stack.push_async_callback(processes.stop_all, self._wire.children)
        self._stack.push_async_callback(self._wire.leave_apps)
        self._stack.push_async_callback(self._wire.end_model)
        waits = self._proxies_dependency() or self._keeps_model()
        early = None if waits else self._aside(self._model_without_plan())
        notification = await open_notification(self._scenario, setup, own, run_id, self._stack)
        engine = await open_engine(
            self._scenario,
            self._path,
            prometheus,
            self._jobs(),
            lambda post: self._take_post(post),
            notification,
            self._stack,
        )
        book = RuleBook.of(engine.all_groups)
        people = await spare_people(self._scenario, self._path, own, [one.api for one in engine.each], book)
        background = await ask_background(self._scenario, engine.api)
        planner = Planner(
            self._scenario,
            self._path,
            self._target,
            engine.groups,
            engine.scrape_s,
            background,
            self._log,
            self._crew,
            (*about_managed(setup), *people),
            engine.intervals,
        )
        plan = planner.plan(run_id).model_copy(update={"record": self._options.record})
        folder = ResultsFolder.create(self._options.results, self._scenario.name, run_id)
        folder.write_plan(plan)
        journal = JournalFile(folder.journal)
        self._stack.callback(journal.close)
        self._open_journal(journal, engine)
        folder.write_samples(no_samples(journal), plan.record)
        longest_s = sum(segment.duration_s for segment in plan.segments)
        self._stack.push_async_callback(notification.end, self._progress.note)
        await notification.begin(journal, book, run_id, longest_s, planner.tail_s)
        warned = self._aside(asyncio.to_thread(self._warn, planner, plan))
        try:
            load, events = await self._start(plan, folder, journal, engine, planner.material, early)
            await warned
            return await self._drive(plan, folder, journal, engine, notification, planner.material, load, events)
        except asyncio.CancelledError:
            journal.write(records.Trouble(at=time.time(), kind="interrupted", what="interrupted by the user"))
            raise

    def _aside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run beside the rest; it ends with the drill, before the processes are ended."""
        task = asyncio.create_task(work)
        self._stack.push_async_callback(_end, task)
        return task

    def _warn(self, planner: Planner, plan: Plan) -> None:
        """Say what cannot succeed; a drill runs all the same, so that controls can be drilled."""
        found = planner.prospectus(plan)
        for note in found.outlook.notes:
            self._progress.note(f"note: {note}")
        for mistake in found.mistakes:
            self._progress.note(f"warning: {mistake.render()}")

    def _jobs(self) -> tuple[ScrapeJob, ...]:
        """Scrape jobs of our own processes."""
        monitor = (ScrapeJob("monitor"),) if self._scenario.monitoring.monitor == "sidecar" else ()
        metrics = self._target.metrics
        return (*monitor, ScrapeJob("model", path=metrics)) if metrics is not None else monitor

    def _keeps_model(self) -> bool:
        faults = [fault for phase in self._scenario.phases for fault in phase.faults]
        return self._target.command is not None or any(isinstance(fault, ProcessFault) for fault in faults)

    def _proxies_dependency(self) -> bool:
        faults = [fault for phase in self._scenario.phases for fault in phase.faults]
        return any(isinstance(fault, ExchangeFault) and fault.place is Place.DEPENDENCY for fault in faults)

    async def _model_without_plan(self) -> str:
        """The model takes longest to start: where no fault stands behind it, it need not wait for the plan."""
        return await self._wire.model(await self._wire.dependency())

    def _open_journal(self, journal: JournalFile, engine: Engine) -> None:
        now = time.time()
        environment = {
            "alertdrill": __version__,
            "python": platform.python_version(),
            "locust": version("locust"),
            "prometheus": engine.version,
            "platform": f"{platform.system()} {platform.machine()}",
        }
        environment |= {"locustfile_sha256": self._own.sha256} if self._own is not None else {}
        journal.write(records.Started(at=now, environment=environment))
        intervals = {"scrape_interval_s": engine.scrape_s, "evaluation_interval_s": engine.evaluation_s}
        if engine.replicas is not None:
            journal.write(engine.replicas)
        for name, one in zip(engine.names, engine.each, strict=True):
            journal.write(records.Engine(at=now, version=one.version, **intervals, replica=name))
            journal.write(records.Rules(at=now, groups=tuple(one.groups), replica=name))
        self._take_post = journal.write_post
        for post in self._early_posts:
            journal.write_post(post)

    async def _start(
        self,
        plan: Plan,
        folder: ResultsFolder,
        journal: JournalFile,
        engine: Engine,
        made_of: Material,
        early: asyncio.Task[str] | None,
    ) -> tuple[Child, EventJournal]:
        """Start what is not yet started, from the far end of the wire to the load."""
        live = LiveTraffic()
        events = EventJournal(plan, journal, lambda event: self._progress.traffic(live.take(event)))
        wire = self._wire
        if early is not None:
            model = await early
        else:
            store = await wire.dependency()
            behind = await wire.proxied(plan, folder.plan, Place.DEPENDENCY, store, events)
            kept = self._keeps_model()
            model = await (wire.kept_model(behind, folder.target_log, events) if kept else wire.model(behind))
        if self._target.metrics is not None and wire.metrics is not None:
            engine.scrape("model", wire.metrics)
        if self._scenario.load.warmup is not None:
            await warm_up(model, self._target, self._scenario.load.warmup, self._progress.note)
        await wire.inside(plan, model, events)
        url = await wire.proxied(plan, folder.plan, Place.MODEL, model, events)
        if self._scenario.monitoring.monitor == "sidecar":
            url = await wire.monitor(url, made_of.reference is None)
            engine.scrape("monitor", url)
        url = await wire.proxied(plan, folder.plan, Place.EDGE, url, events)
        return await wire.load(folder.plan, url, events, made_of.csv, self._own), events

    async def _drive(
        self,
        plan: Plan,
        folder: ResultsFolder,
        journal: JournalFile,
        engine: Engine,
        notification: Notification,
        made_of: Material,
        load: Child,
        events: EventJournal,
    ) -> Outcome:
        injectors: list[Injector] = [*self._wire.proxies, *self._wire.inside_apps]
        keeper = self._wire.keeper
        leased: list[Leased] = [*injectors, load, *([keeper] if keeper is not None else [])]
        others = [child for child in self._wire.children if child not in leased]
        halts = TargetHalts(plan, keeper)
        events.on_restored = halts.restored
        running = DrillProcesses(leased, injectors, others, halts, self._scenario.limits.lease)
        self._stack.enter_context(running.leased())
        replicas = [
            Replica(name, one.source(), one.groups, plan.scenario, engine.replicas)
            for name, one in zip(engine.names, engine.each, strict=True)
        ]
        director = Director(
            plan,
            SystemClock(),
            LoadProcess(load, events),
            replicas,
            running,
            journal,
            self._progress,
            tuple(job.job for job in self._jobs()),
            engine.scrape_s,
            engine.evaluation_s,
        )
        try:
            await director.run()
        except asyncio.CancelledError:
            folder.write_samples(recording(plan, director.collectors, journal, engine), plan.record)
            raise
        await notification.end(self._progress.note)
        if events.failures:
            kinds = ", ".join(f"{count} {kind}" for kind, count in events.failures.most_common())
            self._progress.note(f"load: {events.failures.total()} requests got no whole answer ({kinds})")
        self._progress.note("judging")
        await conclude(plan, director.collectors, journal, replicas, made_of, engine)
        kept = recording(plan, director.collectors, journal, engine)
        if plan.record is Kept.NONE:
            outcome = Outcome(folder.path, judge(plan, journal.records, kept), plan)
        else:
            folder.write_samples(sealed(kept, folder.plan.read_bytes(), folder.journal.read_bytes()), plan.record)
            outcome, _, _ = judged(folder)
        folder.keep(outcome.result)
        return outcome


async def _end(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # whoever awaited it has seen it; nobody need be told again
