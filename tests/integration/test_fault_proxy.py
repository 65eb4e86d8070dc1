"""The fault proxy as a real process, on its lifeline, between real sockets."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sockets import OK, Peer, Upstream, always_ok

from alertdrill.core.draws import chosen
from alertdrill.core.plan import Plan, TargetPlan, make_injections, make_segments
from alertdrill.core.scenario import Scenario

SEED, COUNT, RUN = 11, 60, "run-1"
FAULT_SEGMENT = 2  # steady state, gate, the phase itself


def plan(delay_s: float) -> Plan:
    fault = {"kind": "latency", "share": 0.4, "delay": f"{delay_s}s", "place": "model"}
    edge = {"kind": "latency", "share": 1.0, "delay": "9s", "place": "edge", "id": "elsewhere"}
    scenario = Scenario.model_validate(
        {
            "version": 1, "name": "slow", "seed": SEED, "target": {"bundled": "fraud"}, "load": {"rate": "10/s"},
            "phases": [{"name": "slow", "duration": "5s", "faults": [fault, edge]}],
        }
    )  # fmt: skip
    target = TargetPlan.model_validate(
        {"name": "t", "version": "1", "schema": {"features": [{"name": "a", "kind": "number"}]}, "sample_sha256": ""}
    )
    segments = make_segments(scenario, tail_s=1.0)
    return Plan(
        run_id=RUN, seed=SEED, scenario_path="s.yaml", scenario=scenario, target=target, rules=(), segments=segments,
        injections=make_injections(scenario, segments),
    )  # fmt: skip


class Proxy:
    """The process, its events and its commands."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []

    async def event(self, name: str) -> dict[str, Any]:
        """The next event of that name; all before it are kept in `events`."""
        assert self.process.stdout is not None
        while True:
            line = await asyncio.wait_for(self.process.stdout.readline(), 10)
            assert line, "the proxy ended"
            event: dict[str, Any] = json.loads(line)
            self.events.append(event)
            if event["event"] == name:
                return event

    async def do(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": command}).encode() + b"\n")
        await self.process.stdin.drain()

    async def rest(self) -> None:
        assert self.process.stdout is not None
        self.events += [json.loads(line) for line in (await self.process.stdout.read()).splitlines()]

    def total(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]


async def spawn(*options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "alertdrill.lifeline", "-m", "alertdrill.adapters.fault_proxy", *options,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@asynccontextmanager
async def proxied(tmp_path: Path, delay_s: float) -> AsyncIterator[tuple[Proxy, int]]:
    path = tmp_path / "plan.json"
    path.write_text(plan(delay_s).model_dump_json())
    upstream = Upstream(always_ok)
    port = await upstream.start()
    process = await spawn("--plan", str(path), "--place", "model", "--upstream", f"http://127.0.0.1:{port}")
    try:
        proxy = Proxy(process)
        yield proxy, (await proxy.event("ready"))["port"]
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
        await upstream.stop()


async def ask(port: int, i: int, *, k: int = FAULT_SEGMENT, run: str = RUN) -> float:
    """Seconds that one request took."""
    peer = Peer(*await asyncio.open_connection("127.0.0.1", port))
    started = time.perf_counter()
    await peer.send(
        f"GET / HTTP/1.1\r\nHost: h\r\nx-alertdrill-run: {run}\r\nx-alertdrill-seq: {k}.{i}\r\n\r\n".encode()
    )
    assert await peer.reader.readexactly(len(OK)) == OK
    elapsed = time.perf_counter() - started
    peer.close()
    return elapsed


async def test_exactly_the_planned_exchanges_are_held_and_reported(tmp_path: Path) -> None:
    expected = chosen(SEED, "slow/latency", FAULT_SEGMENT, 0, COUNT, 0.4)
    async with proxied(tmp_path, delay_s=0.3) as (proxy, port):
        before = time.time()
        elapsed = await asyncio.gather(*[ask(port, i) for i in range(COUNT)])
        others = await asyncio.gather(
            *[ask(port, i, k=1) for i in range(COUNT)], *[ask(port, i, run="x") for i in range(COUNT)]
        )
        after = time.time()
        await proxy.do("flush")
        await proxy.event("flushed")
    assert [seconds > 0.29 for seconds in elapsed] == list(expected)
    assert max(others) < 0.29
    touched = sorted(
        item
        for event in proxy.total("touched")
        for item in zip(event["i"], event["held"], event["released"], event["ended"], event["code"], strict=True)
    )
    assert {(event["injection"], event["k"]) for event in proxy.total("touched")} == {("slow/latency", FAULT_SEGMENT)}
    assert [i for i, *_ in touched] == list(expected.nonzero()[0])
    for _, held, released, ended, code in touched:
        assert before <= held < released <= ended <= after
        assert released - held == pytest.approx(0.3, abs=0.1)
        assert code == 200
    seen = {k: sum(event["requests"] for event in proxy.total("seen") if event["k"] == k) for k in (1, FAULT_SEGMENT)}
    assert seen == {1: COUNT, FAULT_SEGMENT: COUNT}


async def test_touched_exchanges_are_reported_without_being_asked(tmp_path: Path) -> None:
    first = int(chosen(SEED, "slow/latency", FAULT_SEGMENT, 0, COUNT, 0.4).nonzero()[0][0])
    async with proxied(tmp_path, delay_s=0.01) as (proxy, port):
        await ask(port, first)
        assert (await proxy.event("touched"))["i"] == [first]


async def test_clear_lets_held_exchanges_go_and_holds_no_more(tmp_path: Path) -> None:
    async with proxied(tmp_path, delay_s=60.0) as (proxy, port):
        asking = [asyncio.create_task(ask(port, i)) for i in range(COUNT)]
        while sum(event["requests"] for event in proxy.total("seen")) < COUNT:
            await proxy.event("seen")
        await proxy.do("clear")
        await proxy.event("cleared")
        await asyncio.wait_for(asyncio.gather(*asking), 5)
        await asyncio.wait_for(asyncio.gather(*[ask(port, i) for i in range(COUNT)]), 5)


@pytest.mark.parametrize("how", ["stop", "SIGTERM"])
async def test_stop_lets_held_exchanges_go_reports_them_and_exits_cleanly(tmp_path: Path, how: str) -> None:
    async with proxied(tmp_path, delay_s=60.0) as (proxy, port):
        asking = [asyncio.create_task(ask(port, i)) for i in range(COUNT)]
        while sum(event["requests"] for event in proxy.total("seen")) < COUNT:
            await proxy.event("seen")
        if how == "stop":
            await proxy.do("stop")
        else:
            os.kill(proxy.process.pid, signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*asking), 5)
        await proxy.rest()
        assert await asyncio.wait_for(proxy.process.wait(), 1.5) == 0
    touched = sorted(i for event in proxy.total("touched") for i in event["i"])
    assert touched == list(chosen(SEED, "slow/latency", FAULT_SEGMENT, 0, COUNT, 0.4).nonzero()[0])


async def test_proxy_ends_when_its_controller_does(tmp_path: Path) -> None:
    async with proxied(tmp_path, delay_s=60.0) as (proxy, _port):
        assert proxy.process.stdin is not None
        proxy.process.stdin.close()
        assert await asyncio.wait_for(proxy.process.wait(), 2) != 0


async def test_unusable_input_is_one_message_and_exit_2(tmp_path: Path) -> None:
    good = tmp_path / "plan.json"
    good.write_text(plan(0.1).model_dump_json())
    bad = tmp_path / "bad.json"
    bad.write_text('{"run_id": 1}')
    cases = [(tmp_path / "none.json", "http://h:1"), (bad, "http://h:1"), (good, "ftp://h:1")]
    for path, upstream in cases:
        process = await spawn("--plan", str(path), "--place", "model", "--upstream", upstream)
        _, stderr = await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 2, stderr
        assert b"Traceback" not in stderr
        assert (path.name.encode() in stderr) or (upstream.encode() in stderr)
