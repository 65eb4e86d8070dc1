"""A real load process, a target that behaves as a test wants, and a small plan for both."""

import asyncio
import contextlib
import hashlib
import json
import os
import ssl
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httptools
import numpy as np

from alertdrill.adapters.load import launch
from alertdrill.adapters.load.instants import unpack
from alertdrill.core.payloads import Payloads
from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario import Scenario
from alertdrill.protocols.rows import parse_csv
from alertdrill.protocols.schema import Schema

LIMIT_S = 20.0
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
SCHEMA = Schema.model_validate(
    {
        "path": "/predict",
        "features": [{"name": f"f{n}", "kind": "number"} for n in range(8)]
        + [{"name": "count", "kind": "integer"}, {"name": "colour", "kind": "category"}],
    }
)
FAULTS = (
    {"kind": "nulls", "features": ["f1"], "share": "20%"},
    {"kind": "malformed_json", "share": "10%"},
)
PHASE, FAULT_GATE, FAULT_PHASE = 1, 2, 3  # segments of the plan; 0 is the steady state


def write_sample(path: Path, rows: int = 200) -> str:
    """Write a CSV of the test schema; return its hash."""
    rng = np.random.default_rng(7)
    lines = [",".join(SCHEMA.names())]
    for _ in range(rows):
        numbers = [f"{value:.4f}" for value in rng.normal(size=8)]
        lines.append(",".join([*numbers, str(rng.integers(50)), str(rng.choice(["red", "green"]))]))
    path.write_text("\n".join(lines) + "\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_plan(
    folder: Path,
    rate: str,
    arrivals: str = "constant",
    seed: int = 42,
    faults: Sequence[Mapping[str, object]] = FAULTS,
    broken_s: float = 15.0,
    schema: Schema = SCHEMA,
) -> Plan:
    """A steady state, a phase, and a phase with faults (nulls, truncated); written as plan.json beside sample.csv."""
    scenario = Scenario.model_validate(
        {
            "version": 1,
            "name": "load",
            "seed": seed,
            "target": {"bundled": "fraud"},
            "load": {"rate": rate, "arrivals": arrivals},
            "settle": {"timeout": "20s"},
            "limits": {"max_rate": "5000/s"},
            "phases": [
                {"name": "quiet", "duration": "15s"},
                {"name": "broken", "duration": f"{broken_s}s", "faults": list(faults)},
            ],
        }
    )
    segments, injections = make_segments(scenario, schema, tail_s=5.0)
    target = TargetPlan(
        name="test",
        version="1",
        schema_=schema,
        headers={"X-Team": "fraud"},
        sample_sha256=write_sample(folder / "sample.csv"),
    )
    plan = Plan(
        run_id="run-1",
        seed=seed,
        scenario_path="load.yaml",
        scenario=scenario,
        target=target,
        rules=(),
        segments=segments,
        injections=injections,
    )
    (folder / "plan.json").write_text(plan.model_dump_json())
    return plan


def payloads(plan: Plan, folder: Path) -> Payloads:
    """What builds the bodies of a plan, apart from the load."""
    return Payloads(plan, parse_csv((folder / "sample.csv").read_text(), plan.target.schema_))


def payload_sha256(bodies: Sequence[bytes | None]) -> str:
    """What the load says of the first bodies of a segment, None for what is not sent: a hash over those of each 40."""
    running = hashlib.sha256()
    for start in range(0, len(bodies), 40):
        sent = [body for body in bodies[start : start + 40] if body is not None]
        running.update(hashlib.sha256(b"".join(len(body).to_bytes(8, "little") + body for body in sent)).digest())
    return running.hexdigest()


LIFELINE = (sys.executable, "-m", "alertdrill.lifeline")
WORKER = """
import runpy, sys
sys.argv = ["load", "worker"]
runpy.run_module("alertdrill.adapters.load", run_name="__main__", alter_sys=True)
"""


@dataclass
class Arrived:
    """One request as the target read it."""

    at: float
    k: int
    i: int
    body: bytes
    headers: dict[bytes, bytes]
    url: bytes = b""


@dataclass
class Target:
    """A server on loopback; `answer` decides what happens on a connection once a request is there."""

    answer: Callable[["Peer", Arrived], None] = field(default=lambda peer, request: peer.write(OK))
    on_connect: Callable[["Peer"], None] = field(default=lambda peer: None)
    arrived: list[Arrived] = field(default_factory=list)
    peers: list["Peer"] = field(default_factory=list)
    url: str = ""

    def indexes(self, k: int) -> list[int]:
        """Indexes of the requests of segment `k` in the order of their arrival."""
        return [request.i for request in self.arrived if request.k == k]


class Peer(asyncio.Protocol):
    """One connection to the target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._parser = httptools.HttpRequestParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._url = b""
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests = 0
        self.gone = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._target.peers.append(self)
        self._target.on_connect(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, chunk: bytes) -> None:
        self._body += chunk

    def on_message_complete(self) -> None:
        k, i = self._headers.get(b"x-alertdrill-seq", b"-1.-1").split(b".")
        request = Arrived(time.time(), int(k), int(i), bytes(self._body), self._headers, self._url)
        self._headers, self._body = {}, bytearray()
        self.requests += 1
        self._target.arrived.append(request)
        self._target.answer(self, request)

    def write(self, data: bytes) -> None:
        if not self.gone:
            self.transport.write(data)

    def close(self) -> None:
        self.transport.close()

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the connection."""
        self._tasks.add(asyncio.get_running_loop().create_task(work))


async def until(condition: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    """Poll until a condition holds.

    Raises:
        TimeoutError: it did not in time.
    """
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition never held")
        await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(target: Target, context: ssl.SSLContext | None = None) -> AsyncIterator[Target]:
    """Run the target on a port of its own, over TLS if there is a context."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Peer(target), "127.0.0.1", 0, backlog=1024, ssl=context)
    target.url = f"http{'s' if context else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield target
    finally:
        server.close()
        for peer in target.peers:
            peer.transport.abort()
        await server.wait_closed()


def unpacked(event: dict[str, Any]) -> dict[str, Any]:
    """An event of the load with its instants as wall times, None for requests that were not answered."""
    if "sent_us" in event:
        return {**event, "sent": unpack(event["from"], event["sent_us"])}
    if "done_us" in event:
        done = unpack(event["from"], event["done_us"])
        return {**event, "done": [at if code else None for at, code in zip(done, event["code"], strict=True)]}
    return event


class LoadProcess:
    """The load as its controller sees it."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._reader = asyncio.create_task(self._read(process.stdout))
        self._log = log
        self.events: list[dict[str, Any]] = []
        self.workers: list[LoadProcess] = []
        self.pid = process.pid

    async def _read(self, stdout: asyncio.StreamReader) -> None:
        async for line in stdout:
            self.events.append(unpacked(json.loads(line)))

    def of(self, event: str) -> list[dict[str, Any]]:
        """The events of one kind so far."""
        return [item for item in self.events if item["event"] == event]

    def do(self, **command: object) -> None:
        """Send a command."""
        self._stdin.write(json.dumps(command).encode() + b"\n")

    def segment(self, k: int, after_s: float = 0.2, at: float | None = None) -> float:
        """Announce a segment; return the wall time of its start."""
        at = time.time() + after_s if at is None else at
        self.do(do="segment", k=k, at=at)
        return at

    def join(self, port: int, host: str = "127.0.0.1", wait_s: float = 5.0) -> None:
        """Tell a worker where its master is."""
        self.do(do="join", host=host, port=port, wait_s=wait_s)

    def close_pipe(self) -> None:
        """Let go of the load as a killed controller does."""
        self._stdin.close()

    async def saw(self, event: str, count: int = 1) -> dict[str, Any]:
        """Wait for the `count`-th event of a kind.

        Raises:
            TimeoutError: it did not come; the message holds the log of the load.
        """
        deadline = time.monotonic() + LIMIT_S
        while len(self.of(event)) < count:
            if time.monotonic() > deadline or (self._process.returncode is not None and self._reader.done()):
                raise TimeoutError(
                    f"no {event} #{count}; events {self.events[-5:]}; log {self._log.read_text()[-2000:]}"
                )
            await asyncio.sleep(0.01)
        return self.of(event)[count - 1]

    async def close(self, after_s: float = 0.0) -> None:
        """Close the load in `after_s` seconds and wait until it has ended."""
        self.do(do="close", at=time.time() + after_s)
        await self.saw("ended")
        assert await self.exit_code() == 0

    async def exit_code(self, timeout_s: float = LIMIT_S) -> int:
        """Wait for the end of the process and of its events."""
        code = await asyncio.wait_for(self._process.wait(), timeout_s)
        await self._reader
        return code

    async def end(self) -> None:
        """Leave nothing behind."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        await self._reader


async def _start(argv: Sequence[str], folder: Path, log: Path, environ: Mapping[str, str]) -> LoadProcess:
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            cwd=folder,
            env={**os.environ, **environ},
            limit=1 << 24,
        )
    return LoadProcess(process, log)


def arguments(folder: Path, url: str, **options: Any) -> launch.LoadArguments:
    """What the load of the plan in `folder` is told."""
    return launch.LoadArguments(plan=folder / "plan.json", sample=folder / "sample.csv", url=url, **options)


@asynccontextmanager
async def loading(folder: Path, url: str, more: Sequence[str] = (), **options: Any) -> AsyncIterator[LoadProcess]:
    """Start the load of the plan in `folder`, with `more` arguments for Locust; with its workers, if it has some."""
    told = arguments(folder, url, **options)
    argv = [*LIFELINE, *launch.argv(told), *more]
    load = await _start(argv, folder, folder / "load.log", launch.environment(told))
    try:
        if told.alone or told.listen is not None:
            yield load
            return
        for number in range(told.workers):
            load.workers.append(await start_worker(folder, number))
        listening = await load.saw("listening")
        for worker in load.workers:
            worker.join(listening["port"])
        yield load
    finally:
        for process in [load, *load.workers]:
            await process.end()


async def start_worker(folder: Path, number: int = 0, script: str | None = None) -> LoadProcess:
    """Start a worker, which waits to be told where its master is; `script` runs before it in its process."""
    argv = [*LIFELINE, *launch.worker_argv()]
    if script is not None:
        prelude = folder / f"worker-{number}.py"
        prelude.write_text(script + WORKER)
        argv = [*LIFELINE, str(prelude)]
    return await _start(argv, folder, folder / f"worker-{number}.log", {})


def group(events: Sequence[dict[str, Any]], injection: str) -> dict[int, list[Any]]:
    """Index to what the events of an injection say of it, in order."""
    result: dict[int, list[Any]] = defaultdict(list)
    for event in events:
        if event["injection"] == injection:
            for n, i in enumerate(event["i"]):
                result[i].append({key: values[n] for key, values in event.items() if isinstance(values, list)})
    return result
