"""The one place where ports meet adapters: a whole drill on real processes, from scenario file to result."""

import asyncio
import hashlib
import math
import platform
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from alertdrill import __version__
from alertdrill.adapters import processes
from alertdrill.adapters.alert_receiver import AlertReceiver
from alertdrill.adapters.alert_source import PrometheusSource
from alertdrill.adapters.bundled import find_scenario
from alertdrill.adapters.drill_processes import DrillProcesses, EventJournal, LoadProcess, SystemClock
from alertdrill.adapters.journal_file import JournalFile
from alertdrill.adapters.load.launch import LoadArguments, environment
from alertdrill.adapters.load.launch import argv as load_argv
from alertdrill.adapters.processes import Child
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.prometheus_process import ManagedPrometheus, start_prometheus
from alertdrill.adapters.promtool import check_rules
from alertdrill.adapters.rule_file import read_rule_files
from alertdrill.adapters.results_folder import ResultsFolder
from alertdrill.adapters.scratch import Scratch
from alertdrill.adapters.signals import run_until_signalled
from alertdrill.adapters.target import PreparedTarget, bundled_rules, prepare_target
from alertdrill.adapters.yaml_file import beside, load_scenario, locate
from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.faults.base import Place
from alertdrill.core.observations import AlertPost, EngineSettings, RuleGroup
from alertdrill.core.plan import Plan, RuleText, TargetPlan, make_injections, make_segments
from alertdrill.core.feasibility import hopeless, unknown_features
from alertdrill.core.prospect import Prospect, assumed_starts, prospects
from alertdrill.core.recording import Recording, merge, with_inferred_markers
from alertdrill.core.result import Result
from alertdrill.core.scenario import BundledTarget, Scenario, UserPrometheus
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scope import RuleBook, tail_ms
from alertdrill.core.traffic import PlannedTraffic
from alertdrill.run.checker import judge, open_questions
from alertdrill.run.director import Director
from alertdrill.run.ports import Progress, SourceFailed


STOP_S = 1.0


@dataclass(frozen=True)
class Options:
    """What the command line adds to a scenario."""

    results: Path = Path("results")
    rules: tuple[Path, ...] = ()
    prometheus: str | None = None
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """A drill that was judged."""

    folder: Path
    result: Result


def read_scenario(name_or_path: str, options: Options) -> tuple[Scenario, Path]:
    """A scenario with the options applied, and its file.

    Raises:
        BadInput: the file or an option cannot be used.
    """
    path = find_scenario(name_or_path)
    scenario = load_scenario(path)
    monitoring = scenario.monitoring
    if options.prometheus:
        monitoring = monitoring.model_copy(update={"prometheus": UserPrometheus(url=options.prometheus)})
    if options.rules:
        if monitoring.prometheus != "managed":
            fix = "leave --rules out, or use the managed Prometheus"
            raise BadInput([Mistake("--rules", "rules for a Prometheus of your own", "a managed Prometheus", fix)])
        monitoring = monitoring.model_copy(update={"rules": tuple(str(path.absolute()) for path in options.rules)})
    phases = scenario.phases
    if options.only:
        unknown = sorted(set(options.only) - {phase.name for phase in phases})
        if unknown:
            known = ", ".join(phase.name for phase in phases)
            raise BadInput([Mistake("--only", ", ".join(unknown), f"a phase of {path.name}", f"write one of: {known}")])
        phases = tuple(phase for phase in phases if not phase.faults or phase.name in options.only)
    return scenario.model_copy(update={"monitoring": monitoring, "phases": phases}), path


def rule_files(scenario: Scenario, scenario_path: Path) -> tuple[Path, ...]:
    """The rule files of a managed Prometheus."""
    if isinstance(scenario.monitoring.rules, str):
        return bundled_rules(scenario.target.bundled) if isinstance(scenario.target, BundledTarget) else ()
    return tuple(beside(scenario_path, name) for name in scenario.monitoring.rules)


def run_drill(name_or_path: str, options: Options, progress: Progress) -> Outcome:
    """Run a drill from start to verdict; nothing of it is left running. Call it from the main thread.

    Raises:
        AlertdrillError: with the exit code of what went wrong.
    """
    scenario, path = read_scenario(name_or_path, options)
    prometheus: Path | None = None
    if scenario.monitoring.prometheus == "managed":
        binaries = ensure_prometheus(progress=progress.note)
        check_rules(binaries.promtool.path, rule_files(scenario, path))
        prometheus = binaries.prometheus.path
    return run_until_signalled(_run_drill(scenario, path, prometheus, options, progress))


async def _run_drill(scenario: Scenario, path: Path, prometheus: Path | None, options: Options, progress: Progress) -> Outcome:
    target = await prepare_target(scenario, path, progress.note)
    refuse(in_file(path, unknown_features(scenario, target.schema)))
    run_id = time.strftime("%Y%m%dT%H%M%S", time.gmtime()) + "-" + secrets.token_hex(3)
    async with AsyncExitStack() as stack:
        work = stack.enter_context(Scratch("alertdrill-run-"))
        return await _Drill(scenario, path, target, prometheus, run_id, options, progress, stack, work.path).run()


def check_folder(path: Path) -> Outcome:
    """Judge a drill again from plan, journal and recording alone, and write result.json.

    Raises:
        BadInput: the folder is not that of a drill.
    """
    folder = ResultsFolder(path)
    plan, journal, recording = folder.read()
    result = judge(plan, journal, recording)
    folder.write_result(result)
    return Outcome(path, result)


class _Drill:
    """One drill: starts the processes in the order of the wire, hands them to the director, keeps the evidence."""

    def __init__(
        self, scenario: Scenario, path: Path, target: PreparedTarget, prometheus: Path | None, run_id: str, options: Options,
        progress: Progress, stack: AsyncExitStack, work: Path,
    ) -> None:
        self._prometheus = prometheus
        self._scenario, self._path, self._target = scenario, path, target
        self._run_id, self._options, self._progress = run_id, options, progress
        self._stack, self._work = stack, work
        self._children: list[Child] = []
        self._proxies: list[Child] = []
        self._posts: list[AlertPost] = []
        self._take_post: Callable[[AlertPost], None] = self._posts.append
        self._managed: ManagedPrometheus | None = None

    async def run(self) -> Outcome:
        api, groups, settings = await self._engine()
        book = RuleBook.of(groups)
        tail_s = tail_ms(self._scenario, book, round(settings.scrape_interval_s * 1000)) / 1000
        plan = make_plan(self._scenario, self._path, self._target, groups, tail_s, self._run_id)
        warned = asyncio.create_task(asyncio.to_thread(self._warn, plan, book, tail_s, settings.scrape_interval_s))
        folder = ResultsFolder.create(self._options.results, self._scenario.name, self._run_id)
        folder.write_plan(plan)
        journal = JournalFile(folder.journal)
        self._stack.callback(journal.close)
        self._open_journal(journal, settings, await api.build_version(), groups)
        folder.write_samples(_no_samples(journal))
        events = EventJournal(plan, journal)
        self._stack.push_async_callback(processes.stop_all, self._children)
        try:
            load = await self._wire(plan, folder.plan, events)
            await warned
            return await self._drive(plan, folder, journal, api, groups, settings, load)
        except asyncio.CancelledError:
            journal.write(records.Trouble(at=time.time(), kind="interrupted", what="interrupted by the user"))
            raise

    def _warn(self, plan: Plan, book: RuleBook, tail_s: float, scrape_s: float) -> None:
        """Say what cannot succeed; a drill runs all the same, so that controls can be drilled."""
        found = prospects(plan, PlannedTraffic(plan, self._target.sample), book, scrape_s, *assumed_starts(plan, tail_s))
        for mistake in in_file(self._path, hopeless(found)):
            self._progress.note(f"warning: {mistake.render()}")

    # The engine

    async def _engine(self) -> tuple[PrometheusApi, Sequence[RuleGroup], EngineSettings]:
        monitoring = self._scenario.monitoring
        url = monitoring.prometheus.url if isinstance(monitoring.prometheus, UserPrometheus) else await self._managed_engine()
        api = await self._stack.enter_async_context(PrometheusApi(url))
        try:
            await api.build_version()
            return api, await api.rules(), await api.settings()
        except QueryFailed as error:
            raise BadInput([Mistake("monitoring.prometheus", error.what, "a Prometheus that answers", error.fix, file=error.url)]) from error

    async def _managed_engine(self) -> str:
        monitoring = self._scenario.monitoring
        if self._prometheus is None:
            raise ValueError("a managed Prometheus needs its program")
        receiver = await self._stack.enter_async_context(AlertReceiver(lambda post: self._take_post(post)))
        jobs = [ScrapeJob(job) for job in self._jobs()]
        jobs += [ScrapeJob.from_url(job.job, job.url, job.labels) for job in monitoring.scrape]
        self._managed = await start_prometheus(
            self._prometheus,
            jobs=jobs,
            rule_files=rule_files(self._scenario, self._path),
            scrape_interval_s=monitoring.scrape_interval,
            evaluation_interval_s=monitoring.evaluation_interval,
            alertmanagers=[receiver.address],
        )
        self._stack.push_async_callback(self._managed.stop, STOP_S)
        self._progress.note(f"Prometheus at {self._managed.url}")
        return self._managed.url

    def _jobs(self) -> tuple[str, ...]:
        """Scrape jobs of our own processes."""
        jobs = []
        if self._scenario.monitoring.monitor == "sidecar":
            jobs.append("monitor")
        if self._target.spec is not None:
            jobs.append("model")
        return tuple(jobs)

    def _open_journal(self, journal: JournalFile, settings: EngineSettings, engine: str, groups: Sequence[RuleGroup]) -> None:
        now = time.time()
        environment = {
            "alertdrill": __version__, "python": platform.python_version(), "locust": version("locust"),
            "prometheus": engine, "platform": f"{platform.system()} {platform.machine()}",
        }  # fmt: skip
        journal.write(records.Started(at=now, environment=environment))
        journal.write(
            records.Engine(
                at=now, version=engine, scrape_interval_s=settings.scrape_interval_s,
                evaluation_interval_s=settings.evaluation_interval_s,
            )
        )  # fmt: skip
        journal.write(records.Rules(at=now, groups=tuple(groups)))
        for post in self._posts:
            _journal_post(journal, post)
        self._take_post = lambda post: _journal_post(journal, post)

    # The wire, from its far end

    async def _start(self, name: str, argv: Sequence[str], timeout_s: float = 30.0, **more: object) -> str:
        child = await processes.start(name, argv, self._work / f"{name}.log", **more)  # type: ignore[arg-type]
        self._children.append(child)
        event = await child.event("ready", timeout_s)
        return f"http://127.0.0.1:{event['port']}" if "port" in event else ""

    async def _wire(self, plan: Plan, plan_file: Path, events: EventJournal) -> LoadProcess:
        """Start dependency, model, monitor and load, a fault proxy before each where the plan has faults."""
        plan_argument = ["--plan", str(plan_file)]

        async def proxied(place: Place, url: str) -> str:
            if all(injection.place is not place for injection in plan.injections):
                return url
            argv = ["-m", "alertdrill.adapters.fault_proxy", *plan_argument, "--place", place, "--upstream", url]
            address = await self._start(f"proxy-{place}", argv, on_event=events.of_proxy)
            self._proxies.append(self._children[-1])
            return address

        url = await proxied(Place.MODEL, await self._model(proxied))
        if self._scenario.monitoring.monitor == "sidecar":
            url = await self._monitor(url)
        url = await proxied(Place.EDGE, url)
        self._progress.note("starting the load")
        arguments = LoadArguments(plan=plan_file, sample=self._target.sample_path, url=url)
        await self._start("load", load_argv(arguments)[3:], on_event=events.of_load, environ=environment(arguments))
        return LoadProcess(self._children[-1], events)

    async def _model(self, proxied: Callable[[Place, str], Awaitable[str]]) -> str:
        """Address of the model server; a bundled one is started after its dependency."""
        target = self._target
        if target.spec is None or target.folder is None:
            return (target.url or "").rstrip("/")
        spec, data = target.spec, ["--data", str(target.data), "--port", "0"]
        store: list[str] = []
        if spec.dependency is not None:
            script = str(target.folder / spec.dependency.script)
            store_url = await self._start("feature-store", [script, *spec.dependency.args, *data])
            store = ["--feature-store", await proxied(Place.DEPENDENCY, store_url)]
        self._progress.note(f"starting model {target.name}")
        url = await self._start("model", [str(target.folder / spec.server.script), *spec.server.args, *data, *store], 60.0)
        self._scrape("model", url)
        return url

    async def _monitor(self, upstream: str) -> str:
        schema_file = self._work / "schema.json"
        schema_file.write_text(self._target.schema.model_dump_json())
        argv = [
            *("-m", "alertdrill.monitor", "--upstream", upstream, "--schema", str(schema_file)),
            *("--reference", str(self._target.sample_path), "--exact-reference"),
            *("--model", self._target.name, "--model-version", self._target.version),
        ]
        url = await self._start("monitor", argv)
        self._scrape("monitor", url)
        return url

    def _scrape(self, job: str, url: str) -> None:
        if self._managed is not None:
            self._managed.set_targets(job, [url.removeprefix("http://")])

    # The drill and its evidence

    async def _drive(
        self, plan: Plan, folder: ResultsFolder, journal: JournalFile, api: PrometheusApi, groups: Sequence[RuleGroup],
        settings: EngineSettings, load: LoadProcess,
    ) -> Outcome:
        leased = [*self._proxies, self._children[-1]]
        others = [child for child in self._children if child not in leased]
        running = DrillProcesses(leased, self._proxies, others, self._scenario.limits.lease)
        self._stack.enter_context(running.leased())
        source = PrometheusSource(api, self._managed.alive if self._managed else lambda: True)
        director = Director(
            plan, SystemClock(), load, source, running, journal, self._progress, groups, self._jobs(),
            settings.scrape_interval_s, settings.evaluation_interval_s,
        )  # fmt: skip
        try:
            await director.run()
        except asyncio.CancelledError:
            folder.write_samples(self._recording(director, journal))
            raise
        self._progress.note("judging")
        await self._conclude(plan, director, journal, source, settings)
        folder.write_samples(self._recording(director, journal))
        return check_folder(folder.path)

    async def _conclude(
        self, plan: Plan, director: Director, journal: JournalFile, source: PrometheusSource, settings: EngineSettings
    ) -> None:
        """Ask what only the engine can answer, work out the fills, and close the journal."""
        for question in open_questions(plan, journal.records, self._recording(director, journal)):
            try:
                answer = await source.instant(question.query, question.time_ms / 1000)
            except SourceFailed:
                continue
            labels = tuple(dict(labels) for labels, _ in answer)
            journal.write(records.Answer(at=time.time(), query=question.query, time_ms=question.time_ms, labels=labels))
        case = Case(plan, journal.records, self._recording(director, journal))
        traffic = PlannedTraffic(plan, self._target.sample)
        starts = {one.k: one.start_at for one in case.all(records.SegmentStarted)}
        counts = {k: one.sent for k, one in case.closed.items()}
        for one in prospects(plan, traffic, case.book, settings.scrape_interval_s, starts, counts):
            journal.write(_fill_record(one))
        journal.write(records.Ended(at=time.time()))

    def _recording(self, director: Director, journal: JournalFile) -> Recording:
        clocks = [r for r in journal.records if isinstance(r, records.Clock)]
        offset_s = min(clocks, key=lambda c: c.error_s).offset_s if clocks else 0.0
        started = next(r for r in journal.records if isinstance(r, records.Started)).at
        series = with_inferred_markers(merge(director.collector.samples))
        return Recording(round((started + offset_s) * 1000), round((director.collector.reached + offset_s) * 1000), series)


def _no_samples(journal: JournalFile) -> Recording:
    """What is left of a drill that is killed, so that it can be judged all the same."""
    now_ms = round(journal.records[0].at * 1000)
    return Recording(now_ms, now_ms, ())


def make_plan(
    scenario: Scenario, path: Path, target: PreparedTarget, groups: Sequence[RuleGroup], tail_s: float, run_id: str
) -> Plan:
    """The plan of a drill, rule texts embedded where the engine is ours."""
    segments = make_segments(scenario, tail_s)
    files = sorted({group.file for group in groups}) if scenario.monitoring.prometheus == "managed" else []
    return Plan(
        run_id=run_id,
        seed=scenario.seed,
        scenario_path=path.name,
        scenario=scenario,
        target=TargetPlan(
            name=target.name, version=target.version, schema_=target.schema, headers=target.headers,
            sample_sha256=target.sample_sha256,
        ),
        rules=tuple(_rule_text(Path(file)) for file in files),
        segments=segments,
        injections=make_injections(scenario, segments),
    )  # fmt: skip


def _rule_text(path: Path) -> RuleText:
    text = path.read_text(encoding="utf-8")
    return RuleText(path=str(path), text=text, sha256=hashlib.sha256(text.encode()).hexdigest())


def _fill_record(one: Prospect) -> records.Fill:
    if one.fill is None:
        return records.Fill(at=time.time(), expectation=one.id, low_s=None, likely_s=None, high_s=None)
    low, likely, high = (None if math.isinf(s) else round(s, 4) for s in (one.fill.low_s, one.fill.likely_s, one.fill.high_s))
    return records.Fill(at=time.time(), expectation=one.id, low_s=low, likely_s=likely, high_s=high)


def _journal_post(journal: JournalFile, post: AlertPost) -> None:
    for alert in post.alerts:
        journal.write(
            records.Post(
                at=post.received_at, labels=dict(alert.labels), status=alert.status,
                starts_at_ms=alert.starts_at_ms, ends_at_ms=alert.ends_at_ms,
            )
        )  # fmt: skip


@dataclass(frozen=True)
class Prospectus:
    """What `plan` shows."""

    scenario: Scenario
    plan: Plan
    tail_s: float
    prospects: tuple[Prospect, ...]
    mistakes: tuple[Mistake, ...]


def plan_drill(name_or_path: str, options: Options, say: Callable[[str], None]) -> Prospectus:
    """Work out what a drill can hope for, without starting a target, a monitor or load.

    Raises:
        BadInput: the scenario cannot be used.
    """
    scenario, path = read_scenario(name_or_path, options)
    monitoring = scenario.monitoring
    if isinstance(monitoring.prometheus, UserPrometheus):
        return run_until_signalled(_plan_on_own_engine(scenario, path, monitoring.prometheus.url, say))
    check_rules(ensure_prometheus(progress=say).promtool.path, rule_files(scenario, path))
    groups = read_rule_files(rule_files(scenario, path), monitoring.evaluation_interval)
    return run_until_signalled(_plan_with(scenario, path, groups, monitoring.scrape_interval, say))


async def _plan_on_own_engine(scenario: Scenario, path: Path, url: str, say: Callable[[str], None]) -> Prospectus:
    async with PrometheusApi(url) as api:
        try:
            groups, settings = await api.rules(), await api.settings()
        except QueryFailed as error:
            raise BadInput([Mistake("monitoring.prometheus", error.what, "a Prometheus that answers", error.fix, file=error.url)]) from error
    return await _plan_with(scenario, path, groups, settings.scrape_interval_s, say)


async def _plan_with(
    scenario: Scenario, path: Path, groups: Sequence[RuleGroup], scrape_s: float, say: Callable[[str], None]
) -> Prospectus:
    target = await prepare_target(scenario, path, say)
    refuse(in_file(path, unknown_features(scenario, target.schema)))
    book = RuleBook.of(groups)
    tail_s = tail_ms(scenario, book, round(scrape_s * 1000)) / 1000
    plan = make_plan(scenario, path, target, groups, tail_s, "planned")
    starts, counts = assumed_starts(plan, tail_s)
    found = tuple(prospects(plan, PlannedTraffic(plan, target.sample), book, scrape_s, starts, counts))
    return Prospectus(scenario, plan, tail_s, found, tuple(in_file(path, hopeless(found))))


def in_file(path: Path, findings: Iterable[Finding]) -> list[Mistake]:
    """Findings that start from the name of a phase, as mistakes in the scenario file."""
    positions = {phase.name: position for position, phase in enumerate(load_scenario(path).phases)}
    return locate(path, [one._replace(path=("phases", positions[str(one.path[0])], *one.path[1:])) for one in findings])


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Raise BadInput if there is a mistake."""
    found = tuple(mistakes)
    if found:
        raise BadInput(found)
