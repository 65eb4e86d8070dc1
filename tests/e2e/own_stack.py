"""A model, a monitor and a Prometheus that run before alertdrill comes: a team's own stack."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import trustme

from alertdrill.adapters import processes
from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.prometheus_process import ManagedPrometheus, start_prometheus
from alertdrill.adapters.target import prepare_target
from alertdrill.adapters.yaml_file import load_scenario
from tests.e2e.drills import BUNDLED_RULES

REPLICA_LABEL = "prometheus_replica"

# As kube-prometheus has it.
ALWAYS = "groups: [{name: general, rules: [{alert: Watchdog, expr: vector(1), labels: {severity: none}}]}]"


@dataclass(frozen=True)
class OwnModel:
    """Where a model answers, with the monitor and `bare` without, and the files that describe it."""

    model: str
    bare: str
    schema: Path
    sample: Path

    def scenario(self, text: str, prometheus: str, more: str = "") -> str:
        """A scenario of the bundled target, on this stack."""
        return text.replace(
            "target: {bundled: fraud}",
            f"target: {{url: {self.model}, schema: {self.schema}, sample: {self.sample}}}\n"
            f"monitoring: {{monitor: none, prometheus: {prometheus}{more}}}",
        )

    @property
    def jobs(self) -> list[ScrapeJob]:
        """What a Prometheus scrapes of it."""
        addresses = {"monitor": self.model, "model": self.bare}
        return [ScrapeJob.from_url(job, f"{url}/metrics") for job, url in addresses.items()]


@dataclass(frozen=True)
class OwnStack(OwnModel):
    """The same, and where its Prometheus answers; `replicas` are those that watch it, that one first."""

    prometheus: str
    replicas: tuple[ManagedPrometheus, ...]


@asynccontextmanager
async def own_model(directory: Path, scenario: Path) -> AsyncIterator[OwnModel]:
    """The fraud model behind the reference monitor."""
    target = await prepare_target(load_scenario(scenario), scenario, lambda _: None)
    assert target.folder is not None
    schema = directory / "schema.json"
    schema.write_text(target.schema.model_dump_json())
    data = ["--data", str(target.data), "--port", "0"]
    async with AsyncExitStack() as stack:

        async def start(name: str, *argv: str) -> str:
            child = await processes.start(name, argv, directory / f"{name}.log")
            stack.push_async_callback(child.stop)
            return f"127.0.0.1:{(await child.event('ready', 60.0))['port']}"

        store = await start("store", str(target.folder / "feature_store.py"), *data)
        model = await start("model", str(target.folder / "server.py"), *data, "--feature-store", f"http://{store}")
        monitor = await start(
            *("monitor", "-m", "alertdrill.monitor", "--upstream", f"http://{model}", "--schema", str(schema)),
            *("--reference", str(target.sample_path), "--exact-reference", "--model", "fraud"),
        )
        yield OwnModel(f"http://{monitor}", f"http://{model}", schema, target.sample_path)


@asynccontextmanager
async def own_stack(
    directory: Path, scenario: Path, rules: Sequence[Path] = (BUNDLED_RULES,), program: Path | None = None
) -> AsyncIterator[OwnStack]:
    """The same, scraped by a Prometheus with the bundled rules.

    Args:
        directory: where logs and files are kept.
        scenario: on the bundled target.
        rules: the rule file of each Prometheus that watches it.
        program: the Prometheus; that of managed drills if none is given.
    """
    async with own_model(directory, scenario) as own, AsyncExitStack() as stack:
        program = program or ensure_prometheus().prometheus.path
        always = directory / "always.yml"
        always.write_text(ALWAYS)
        found = []
        for number, file in enumerate(rules):
            # The phase of scrapes hangs on external labels, that of evaluations on the path of the rules.
            labels = {REPLICA_LABEL: f"replica-{number}"} if len(rules) > 1 else None
            parent = directory / f"replica-{number}"
            parent.mkdir()
            prometheus = await start_prometheus(
                program, jobs=own.jobs, rule_files=[file, always], external_labels=labels, parent=parent
            )
            stack.push_async_callback(prometheus.stop)
            found.append(prometheus)
        yield OwnStack(own.model, own.bare, own.schema, own.sample, found[0].url, tuple(found))


@asynccontextmanager
async def https_front(directory: Path, model: str) -> AsyncIterator[tuple[str, Path]]:
    """What stands in front of many a model: speaks TLS, and plain HTTP with `model`; its address and authority."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    host, port = model.removeprefix("http://").split(":")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_pass_on(reader, behind[1]), _pass_on(behind[0], writer))

    server = await asyncio.start_server(talk, "localhost", 0, ssl=context)
    try:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}", directory / "ca.pem"
    finally:
        server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
