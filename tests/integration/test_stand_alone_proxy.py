"""`alertdrill proxy` as a process of its own before a real server, and the drill's side of it."""

import asyncio
import json
import os
import resource
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from alertdrill.adapters.free_port import free_ports
from alertdrill.adapters.inside_app import InsideApp
from alertdrill.adapters.inside_control import InsideControl
from alertdrill.core.errors import BadInput
from alertdrill.core.faults.base import Place
from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario import Scenario
from alertdrill.protocols.schema import Schema

SERVER = Path(__file__).with_name("tiny_server.py")
TOKEN = secrets.token_hex(16)
K = 2  # steady state, gate, phase
SCHEMA = Schema.model_validate({"features": [{"name": "a", "kind": "number"}]})
DEADLINE_S = 10.0
ERRORS = {"kind": "http_error", "status": 503, "share": 1.0}
HELD = {"kind": "latency", "delay": "60s", "at_most": "10m", "share": 1.0}


def plan(fault: dict[str, object], place: str = "model", run: str = "run-1") -> Plan:
    scenario = Scenario.model_validate(
        {
            "version": 1, "name": "s", "seed": 11, "target": {"bundled": "fraud"}, "load": {"rate": "10/s"},
            "limits": {"lease": "3s"},
            "phases": [{"name": "p", "duration": "5s", "faults": [{**fault, "place": place}]}],
        }
    )  # fmt: skip
    segments, injections = make_segments(scenario, SCHEMA, 1.0)
    target = TargetPlan(name="t", version="1", schema_=SCHEMA, sample_sha256="")
    return Plan(
        run_id=run, seed=11, scenario_path="s.yaml", scenario=scenario, target=target, rules=(), segments=segments,
        injections=injections,
    )  # fmt: skip


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not await holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


class Standing:
    """The proxy, and requests that pass it."""

    def __init__(self, process: asyncio.subprocess.Process, traffic: str, control: str, journal: Path) -> None:
        self.process, self.traffic, self.control, self.journal = process, traffic, control, journal
        self.http = httpx.AsyncClient(timeout=DEADLINE_S, trust_env=False)
        self.events: list[Any] = []

    async def ask(self, i: int, run: str = "run-1") -> int:
        """The status of one request."""
        headers = {"x-alertdrill-run": run, "x-alertdrill-seq": f"{K}.{i}"}
        return (await self.http.post(f"{self.traffic}/p", content=b"row", headers=headers)).status_code

    def drill(self, made: Plan, token: str = TOKEN, place: Place = Place.MODEL) -> InsideApp:
        """The drill's side."""
        control = InsideControl(self.control, token, made.run_id, {})
        return InsideApp(control, made, self.events.append, place)

    def records(self) -> list[Any]:
        """What its journal has."""
        return [json.loads(line) for line in self.journal.read_bytes().splitlines()]


@asynccontextmanager
async def standing(folder: Path) -> AsyncIterator[Standing]:
    (folder / "pids").mkdir()
    (port,) = free_ports(1)
    journal = folder / "journal.jsonl"
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, str(SERVER), str(port), str(folder / "pids")), stdout=null
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "alertdrill", "proxy", "--upstream", f"http://127.0.0.1:{port}"),
        *("--journal", str(journal), "--lease", "2s"),
        stdout=pipe,
        stderr=pipe,
        env={**os.environ, "ALERTDRILL_PROXY_TOKEN": TOKEN},
    )
    try:
        assert process.stdout is not None
        addresses = [(await process.stdout.readline()).decode().split()[2] for _ in range(2)]
        found = Standing(process, *(f"http://{one}" for one in addresses), journal)
        async with found.http:
            await until(lambda: _answers(found))
            yield found
    finally:
        for one in (process, server):
            if one.returncode is None:
                one.kill()
            await one.communicate()


async def _answers(proxy: Standing) -> bool:
    return await proxy.ask(0, "nobody") == 200


async def test_faults_are_those_of_the_plan_for_as_long_as_the_drill_lasts_and_both_journals_agree(
    tmp_path: Path,
) -> None:
    async with standing(tmp_path) as proxy:
        assert await proxy.ask(1) == 200
        drill = proxy.drill(plan(ERRORS))
        await drill.open()
        assert [await proxy.ask(i) for i in range(3)] == [503] * 3
        assert await proxy.ask(3, "another") == 200
        drill.send({"do": "flush"})
        await drill.event("flushed", DEADLINE_S)
        (touched,) = [one for one in proxy.events if one["event"] == "touched"]
        assert (touched["i"], touched["code"]) == ([0, 1, 2], [503] * 3)
        assert sum(one["requests"] for one in proxy.events if one["event"] == "seen") == 3
        await drill.close()
        assert await proxy.ask(4) == 200
        proxy.process.send_signal(signal.SIGTERM)
        assert await proxy.process.wait() == 0
        kept = [one for one in proxy.records() if one["record"] == "touched"]
        assert [{**touched, "event": "touched"}] == [
            {"event": one["record"], **{name: one[name] for name in touched if name != "event"}} for one in kept
        ]
        assert [one["record"] for one in proxy.records()][:2] == ["started", "begun"]
        assert proxy.records()[-1]["record"] == "ended"


async def test_a_drill_that_is_gone_ends_its_faults_and_what_is_held_goes_on(tmp_path: Path) -> None:
    async with standing(tmp_path) as proxy:
        drill = proxy.drill(plan(HELD))
        await drill.open()
        held = asyncio.create_task(proxy.ask(0))
        await asyncio.sleep(0)
        assert drill._keeping is not None
        drill._keeping.cancel()  # as a drill that was killed: it renews nothing, and says no goodbye
        began = time.monotonic()
        assert await held == 200
        assert time.monotonic() - began < 5.0
        assert await proxy.ask(1) == 200
        await drill.close()


async def test_a_journal_that_cannot_be_written_ends_the_faults_and_traffic_flows_on(tmp_path: Path) -> None:
    async with standing(tmp_path) as proxy:
        drill = proxy.drill(plan(ERRORS))
        await drill.open()
        size = proxy.journal.stat().st_size
        resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, (size + 10, size + 10))
        assert await proxy.ask(0) == 503

        async def passes() -> bool:
            return await proxy.ask(1) == 200

        await until(passes)

        async def told() -> bool:
            return "cannot be written: File too large" in (drill.dead() or "")

        await until(told)
        await drill.close()
        again = proxy.drill(plan(ERRORS, run="run-2"))
        with pytest.raises(BadInput) as caught:
            await again.open()
        assert "the journal of the proxy cannot be written" in str(caught.value)
        await again.close()
        assert await proxy.ask(2, "run-2") == 200


async def test_who_does_not_know_the_token_is_told_nothing_and_a_second_drill_that_one_is_on(tmp_path: Path) -> None:
    async with standing(tmp_path) as proxy:
        answer = await proxy.http.get(f"{proxy.control}/.alertdrill/plan")
        assert (answer.status_code, answer.json()) == (404, {"error": "nothing is here"})
        stranger = proxy.drill(plan(ERRORS), token="0" * 32)
        with pytest.raises(BadInput) as caught:
            await stranger.open()
        assert caught.value.mistakes[0].fix.startswith("start one there, and see that token names the secret")
        await stranger.close()
        one, other = proxy.drill(plan(ERRORS)), proxy.drill(plan(ERRORS, run="run-2"))
        await one.open()
        with pytest.raises(BadInput) as caught:
            await other.open()
        assert "drill run-1 is on here" in caught.value.mistakes[0].got
        assert await proxy.ask(0) == 503
        await other.close()
        await one.close()


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"--upstream": "http://model.example:8000"}, "--upstream"),
        ({"--upstream": "model:8000"}, "--upstream"),
        ({"--upstream": "http://me:s3cret@127.0.0.1:8000"}, "--upstream"),
        ({"--upstream": "me:s3cret@127.0.0.1:8000"}, "--upstream"),
        ({"--listen": "8080"}, "--listen"),
        ({"--lease": "10m"}, "--lease"),
        ({"--journal": "/dev/full"}, "--journal"),
        ({"--token-env": "NO_SUCH_TOKEN"}, "environment variable NO_SUCH_TOKEN"),
        ({"--control": "192.0.2.1:1"}, "--control"),
    ],
)
def test_what_cannot_stand_is_refused_with_its_option(tmp_path: Path, changed: dict[str, str], where: str) -> None:
    from typer.testing import CliRunner

    from alertdrill.cli.app import app

    options = {"--upstream": "http://127.0.0.1:9", "--journal": str(tmp_path / "j.jsonl"), **changed}
    words = [word for option in options.items() for word in option]
    outcome = CliRunner().invoke(app, ["proxy", *words], env={"ALERTDRILL_PROXY_TOKEN": TOKEN})
    assert isinstance(outcome.exception, BadInput), outcome.output
    assert outcome.exception.mistakes[0].where == where
    assert "s3cret" not in str(outcome.exception)


async def test_what_never_ends_is_cut_off_before_it_fills_the_memory(tmp_path: Path) -> None:
    async with standing(tmp_path) as proxy:
        host, port = proxy.control.removeprefix("http://").split(":")
        for head in (b"GET /", b"GET / HTTP/1.1\r\nx: "):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(head + b"y" * 200_000)
            async with asyncio.timeout(DEADLINE_S):
                with suppress(ConnectionError):  # what was not read any more resets the connection
                    assert (await reader.read()).startswith(b"HTTP/1.1 4")
            writer.close()
