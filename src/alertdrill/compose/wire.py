"""The processes of a drill in the order of the wire: dependency, model, monitor, load, fault proxies between."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from alertdrill.adapters import processes
from alertdrill.adapters.drill_processes import EventJournal
from alertdrill.adapters.inside_app import InsideApp
from alertdrill.adapters.inside_control import InsideControl
from alertdrill.adapters.load.launch import HERE, LoadArguments, environment, worker_argv
from alertdrill.adapters.load.launch import argv as load_argv
from alertdrill.adapters.processes import Child, Event
from alertdrill.adapters.secret import NoSecret
from alertdrill.adapters.target import PreparedTarget
from alertdrill.adapters.target_command import Ports, bundled_command, keeper_argv, keeper_environ
from alertdrill.compose.crew import Crew
from alertdrill.compose.own_users import OwnUsers
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.faults.base import Place
from alertdrill.core.inside_protocol import TOKEN_VARIABLE
from alertdrill.core.plan import Plan

READY_S = 30.0
MODEL_READY_S = 60.0
KEEPER_S = 10.0
ENDING_S = 10.0
ANY_PORT = ("--port", "0")
EVERY_INTERFACE = "0.0.0.0"


def _unheard(_: Event) -> None:
    return None


class Wire:
    """Starts the processes and knows them.

    Attributes:
        children: all of them, in the order in which they were started.
        proxies: the fault proxies among them.
        inside_apps: the apps that carry out faults inside themselves.
        keeper: what started the model and halts its processes, if a command or faults on them ask for it.
        metrics: address of the metrics of a model that we started, if it has some.
    """

    def __init__(
        self, target: PreparedTarget, crew: Crew, token: str | None, work: Path, say: Callable[[str], None]
    ) -> None:
        """Start nothing yet.

        Args:
            target: the model.
            crew: how many processes send the load, and where they are.
            token: shared with its app, if faults act inside it.
            work: folder for logs.
            say: told what begins.
        """
        self._target, self._crew, self._token, self._work, self._say = target, crew, token, work, say
        self.children: list[Child] = []
        self.proxies: list[Child] = []
        self.inside_apps: list[InsideApp] = []
        self.keeper: Child | None = None
        self.metrics: str | None = None

    async def _start(
        self,
        name: str,
        argv: Sequence[str],
        timeout_s: float = READY_S,
        on_event: Callable[[Event], None] = _unheard,
        environ: Mapping[str, str] | None = None,
    ) -> str:
        child = await self._spawn(name, argv, on_event, environ)
        event = await child.event("ready", timeout_s)
        return f"http://127.0.0.1:{event['port']}" if "port" in event else ""

    async def _spawn(
        self,
        name: str,
        argv: Sequence[str],
        on_event: Callable[[Event], None] = _unheard,
        environ: Mapping[str, str] | None = None,
    ) -> Child:
        child = await processes.start(name, argv, self._work / f"{name}.log", on_event=on_event, environ=environ)
        self.children.append(child)
        return child

    async def dependency(self) -> str:
        """Start what a bundled model depends on; its address, empty if there is nothing."""
        target = self._target
        if target.spec is None or target.folder is None or target.spec.dependency is None:
            return ""
        script = target.spec.dependency
        argv = [str(target.folder / script.script), *script.args, *self._data(), *ANY_PORT]
        return await self._start("feature-store", argv)

    async def model(self, dependency: str) -> str:
        """Start a bundled model; its address, or that of a target that already runs."""
        target = self._target
        if target.spec is None or target.folder is None:
            return target.origin
        self._say(f"starting model {target.name}")
        script, argv = self._server(dependency)
        self.metrics = url = await self._start(
            "model", [script, *argv, *ANY_PORT], MODEL_READY_S, environ=self._shared()
        )
        return url

    async def kept_model(self, dependency: str, log: Path, events: EventJournal) -> str:
        """Start a model by a command, under a keeper that ends its whole process tree; its address.

        Args:
            dependency: address of what a bundled model depends on.
            log: file for what it says.
            events: told of what faults did to its processes.

        Raises:
            ProcessFailed: it ended before it was ready, or never was.
        """
        target = self._target
        command = target.command
        self._say(f"starting {'model ' + target.name if command is None else command.text}")
        if command is None and target.spec is not None:
            script, argv = self._server(dependency)
            command = bundled_command(Path(script), argv, target.spec.ready, MODEL_READY_S)
        assert command is not None, "a target that runs elsewhere has no processes of ours"
        ports = Ports.choose(command)
        command = command.at(ports)
        environ = keeper_environ({**command.environ, **(self._shared() or {})})
        argv = keeper_argv(command, ports.serving, log)
        self.keeper = await self._spawn("model", argv, events.of_keeper, environ)
        try:
            await self.keeper.event("ready", command.ready_timeout_s + KEEPER_S)
        except processes.ProcessFailed as error:
            expected = f"it must stay in the foreground, listen at {{port}} and answer 2xx at {command.ready}"
            fix = f"see in {log} what it said, and mend target.command: {expected}" if target.command else f"see {log}"
            raise processes.ProcessFailed(f"{error}\n  fix: {fix}") from None
        self.metrics = f"http://127.0.0.1:{ports.metrics}"
        return f"http://127.0.0.1:{ports.serving}"

    async def end_model(self) -> None:
        """End what a command started, in good order where that is possible, and see that nothing of it answers."""
        keeper = self.keeper
        if keeper is None or not keeper.alive():
            return
        keeper.expected_to_end = True
        keeper.send({"do": "lease", "s": ENDING_S})
        keeper.send({"do": "stop"})
        try:
            answers = (await keeper.event("stopped", ENDING_S))["answers"]
        except processes.ProcessFailed:
            return
        if answers:
            self._say("warning: something answers still where the model did, though every process of it is gone")

    def _server(self, dependency: str) -> tuple[str, list[str]]:
        """Script and arguments of a bundled model's server, its port left out."""
        target = self._target
        assert target.spec is not None, "it is bundled"
        assert target.folder is not None, "it is bundled"
        script = target.spec.server
        store = ["--feature-store", dependency] if dependency else []
        return str(target.folder / script.script), [*script.args, *self._data(), *store]

    def _shared(self) -> dict[str, str] | None:
        """What the model's environment has beside ours."""
        return {TOKEN_VARIABLE: self._token} if self._token else None

    def _data(self) -> list[str]:
        return ["--data", str(self._target.data)]

    async def proxied(self, plan: Plan, plan_file: Path, place: Place, url: str, events: EventJournal) -> str:
        """Put a fault proxy before `url` if the plan has faults at that place; the address to use.

        Where one stands already, it is told the plan, wherever on the way to `url` it is; nothing is put before "".
        """
        if all(injection.place is not place for injection in plan.injections):
            return url
        if place in self._target.proxies:
            await self._remote(plan, place, events)
            return url
        if not url:
            return url
        argv = ["-m", "alertdrill.adapters.fault_proxy", "--plan", str(plan_file), "--place", place]
        argv += self._upstream(url)
        address = await self._start(f"proxy-{place}", argv, on_event=events.of_proxy)
        self.proxies.append(self.children[-1])
        return address

    async def _remote(self, plan: Plan, place: Place, events: EventJournal) -> None:
        """Hand the plan to a fault proxy that already stands at a place."""
        proxy = self._target.proxies[place]
        try:
            token = proxy.token.read()
        except NoSecret as error:
            raise BadInput([Mistake(f"target.proxies.{place}.token", error.got, error.expected, error.fix)]) from None
        one = InsideApp(InsideControl(proxy.control, token, plan.run_id, {}), plan, events.of_proxy, place)
        self.inside_apps.append(one)
        await one.open()

    def _upstream(self, url: str) -> list[str]:
        """The options that name a server behind a process of ours."""
        return ["--upstream", url, *(self._target.tls.arguments() if url.startswith("https:") else [])]

    async def inside(self, plan: Plan, url: str, events: EventJournal) -> None:
        """Hand the plan to the app at `url` if the plan has faults inside it."""
        if self._token is None:
            return
        target = self._target
        control = InsideControl(url + target.base_path, self._token, plan.run_id, target.all_headers, target.tls)
        app = InsideApp(control, plan, events.of_proxy)
        self.inside_apps.append(app)
        await app.open()

    async def leave_apps(self) -> None:
        """End the faults inside apps."""
        for app in self.inside_apps:
            await app.close()

    async def monitor(self, upstream: str, exact: bool) -> str:
        """Start the reference monitor in front of `upstream`; `exact`: rows are drawn from the target's own sample."""
        target = self._target
        schema_file = self._work / "schema.json"
        whole_path = target.base_path + target.schema.path
        schema_file.write_text(target.schema.model_copy(update={"path": whole_path}).model_dump_json())
        argv = [
            *("-m", "alertdrill.monitor", *self._upstream(upstream), "--schema", str(schema_file)),
            *("--reference", str(target.sample_path)),
            *(["--exact-reference"] if exact else []),
            *("--model", target.name, "--model-version", target.version),
        ]
        return await self._start("monitor", argv)

    async def load(
        self, plan_file: Path, url: str, events: EventJournal, rows: bytes | None, own: OwnUsers | None
    ) -> Child:
        """Start Locust, and its workers if there are some; it waits for the first segment.

        Args:
            plan_file: the plan.
            url: first server on the wire.
            events: told of what it sends.
            rows: a CSV of its own instead of the target's sample.
            own: users that make the requests.

        Raises:
            ProcessFailed: one of them did not start, or a worker did not join.
            BadInput: the users' file cannot be run.
        """
        self._say("starting the load")
        crew, target = self._crew, self._target
        sample = target.sample_path
        if rows is not None:
            sample = self._work / "log.csv"
            sample.write_bytes(rows)
        arguments = LoadArguments(
            plan=plan_file,
            sample=sample,
            url=url + target.base_path,
            authority=target.authority,
            secret_headers=target.secret_headers,
            tls=target.tls,
            workers=crew.workers,
            listen=crew.listen,
            locustfile=own.file if own is not None else None,
            users=own.count if own is not None else 1,
        )
        environ = environment(arguments)
        if own is not None:
            load = await self._spawn("load", load_argv(arguments), events.of_load, environ)
            await own.imported(load, READY_S)
            await load.event("ready", READY_S)
            return load
        if arguments.alone:
            await self._start("load", load_argv(arguments), on_event=events.of_load, environ=environ)
            return self.children[-1]

        def take(event: Event) -> None:
            self._tell_of_workers(event)
            events.of_load(event)

        master = await self._spawn("load", load_argv(arguments), take, environ)
        names = [] if crew.listen is not None else [f"load-worker-{n}" for n in range(1, crew.workers + 1)]
        workers = [await self._spawn(name, worker_argv()) for name in names]
        listening = await master.event("listening", READY_S)
        for worker in workers:
            worker.send({"do": "join", "host": HERE, "port": listening["port"], "wait_s": READY_S})
        await together(
            master.event("ready", READY_S + arguments.join_s), *(worker.event("ready", READY_S) for worker in workers)
        )
        return master

    def _tell_of_workers(self, event: Event) -> None:
        """Say how many of the workers that are started elsewhere are there."""
        listen = self._crew.listen
        if listen is None:
            return
        if event["event"] in ("listening", "joined"):
            waiting = f"{event.get('workers', 0)} of {event['of']} workers joined at {listen}"
            host = "HOST" if listen.host == EVERY_INTERFACE else listen.host
            command = f"alertdrill worker {host}:{listen.port}"
            hint = f" (on each machine: {command})" if event["event"] == "listening" else ""
            self._say(waiting + hint)
        if event["event"] == "refused":
            self._say(f"a worker on {event['host']} was refused: {event['why']}")


async def together(*parts: Awaitable[object]) -> None:
    """Wait for all; the first that fails is raised, and the others are waited for no more."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
