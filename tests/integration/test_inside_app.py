"""A real app in the middleware and the controller's side of it, over loopback."""

import asyncio
import os
import re
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from alertdrill.adapters.inside_app import InsideApp
from alertdrill.adapters.inside_control import InsideControl
from alertdrill.core.errors import BadInput
from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario import Scenario
from alertdrill.protocols.schema import Schema

HERE = Path(__file__).parent
TOKEN = secrets.token_hex(16)
RUN, K, COUNT = "run-1", 2, 20
SCHEMA = Schema.model_validate({"features": [{"name": "a", "kind": "number"}]})
DEADLINE_S = 10.0


def plan(delay: str, share: float = 1.0) -> Plan:
    fault = {"kind": "latency", "delay": delay, "at_most": "10m", "share": share, "place": "inside"}
    scenario = Scenario.model_validate(
        {
            "version": 1, "name": "s", "seed": 11, "target": {"bundled": "fraud"}, "load": {"rate": "10/s"},
            "limits": {"lease": "3s"}, "phases": [{"name": "p", "duration": "5s", "faults": [fault]}],
        }
    )  # fmt: skip
    segments, injections = make_segments(scenario, SCHEMA, 1.0)
    target = TargetPlan(name="t", version="1", schema_=SCHEMA, sample_sha256="")
    return Plan(
        run_id=RUN, seed=11, scenario_path="s.yaml", scenario=scenario, target=target, rules=(), segments=segments,
        injections=injections,
    )  # fmt: skip


class Server:
    """The app as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url
        self.http = httpx.AsyncClient(timeout=DEADLINE_S)

    async def ask(self, i: int, run: str = RUN, timeout_s: float = DEADLINE_S) -> float:
        """Seconds that one request took."""
        started = time.perf_counter()
        headers = {"x-alertdrill-run": run, "x-alertdrill-seq": f"{K}.{i}"}
        answer = await self.http.post(f"{self.url}/predict", content=b"row", headers=headers, timeout=timeout_s)
        assert (answer.status_code, answer.text) == (200, "row")
        return time.perf_counter() - started

    async def metric(self, name: str) -> float:
        """One of the app's own metrics; 0 while there is none."""
        text = (await self.http.get(f"{self.url}/metrics")).text
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def until(self, name: str, value: float) -> None:
        """Wait until a metric has a value."""
        deadline = time.monotonic() + DEADLINE_S
        while await self.metric(name) != value:
            assert time.monotonic() < deadline, name
            await asyncio.sleep(0.02)


@asynccontextmanager
async def server(*options: str, token: str = TOKEN) -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HERE / "inside_server.py"), *options),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "ALERTDRILL_INSIDE_TOKEN": token},
    )
    assert process.stdout is not None
    try:
        found = Server(process, f"http://127.0.0.1:{int(await process.stdout.readline())}")
        async with found.http:
            yield found
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


class Inside:
    """The controller's side, and the events that it got."""

    def __init__(self, url: str, made: Plan, token: str = TOKEN) -> None:
        self.events: list[Any] = []
        self.app = InsideApp(InsideControl(url, token, made.run_id, {}), made, self.events.append)

    def touched(self) -> list[Any]:
        return [event for event in self.events if event["event"] == "touched"]


@asynccontextmanager
async def inside(url: str, made: Plan, token: str = TOKEN) -> AsyncIterator[Inside]:
    found = Inside(url, made, token)
    try:
        await found.app.open()
        yield found
    finally:
        await found.app.close()


async def test_a_delay_inside_moves_the_apps_own_latency_and_is_reported() -> None:
    async with server() as app, inside(app.url, plan("1500ms", share=0.5)) as drill:
        before = time.time()
        await asyncio.gather(*(app.ask(i, run="another") for i in range(COUNT)))
        assert await app.metric("app_latency_seconds_sum") < 1.5 * COUNT / 4
        elapsed = await asyncio.gather(*(app.ask(i) for i in range(COUNT)))
        drill.app.send({"do": "flush"})
        await drill.app.event("flushed", DEADLINE_S)
        after = time.time()
        held = [i for i, seconds in enumerate(elapsed) if seconds > 1.49]
        assert 5 < len(held) < 15
        assert await app.metric("app_latency_seconds_sum") > 1.49 * len(held)
    found = sorted(i for event in drill.touched() for i in event["i"])
    assert found == held
    for event in drill.touched():
        for effect_at, released, ended, code in zip(
            event["effect_at"], event["released"], event["ended"], event["code"], strict=True
        ):
            assert before <= effect_at < released <= ended <= after
            assert released - effect_at == pytest.approx(1.5, abs=0.5)
            assert code == 200
    assert sum(event["requests"] for event in drill.events if event["event"] == "seen") == COUNT


async def test_touched_requests_are_reported_without_being_asked() -> None:
    async with server() as app, inside(app.url, plan("1ms")) as drill:
        await app.ask(3)
        deadline = time.monotonic() + DEADLINE_S
        while not drill.touched():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        assert [event["i"] for event in drill.touched()] == [[3]]


async def test_a_lease_that_nobody_renews_lets_go_and_the_drill_hears_of_it() -> None:
    async with server() as app, inside(app.url, plan("5m")) as drill:
        drill.app.send({"do": "lease", "s": 1.0})
        assert 0.5 < await app.ask(0) < 5.0
        assert await app.ask(1) < 5.0
        drill.app.send({"do": "lease", "s": 3.0})
        deadline = time.monotonic() + DEADLINE_S
        while drill.app.alive():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        assert "the lease has run out" in (drill.app.dead() or "")
        assert await app.ask(2) < 5.0


async def test_leases_that_are_granted_keep_the_faults_up() -> None:
    async with server() as app, inside(app.url, plan("1500ms")) as drill:
        asking = asyncio.create_task(app.ask(0))
        while not asking.done():
            drill.app.send({"do": "lease", "s": 0.8})
            await asyncio.sleep(0.05)
        assert await asking > 1.49
        assert drill.app.dead() is None


async def test_faults_end_within_a_lease_of_the_controllers_sudden_death(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(plan("5m").model_dump_json())
    async with server() as app:
        controller = await asyncio.create_subprocess_exec(
            *(sys.executable, str(HERE / "inside_controller.py"), app.url, TOKEN, str(path), "1.5"),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert controller.stdout is not None
            assert await controller.stdout.readline() == b"open\n"
            asking = asyncio.create_task(app.ask(0))
            done, _ = await asyncio.wait({asking}, timeout=2.0)
            assert not done, "renewed leases must hold for longer than one of them"
        finally:
            controller.kill()
            await controller.communicate()
        killed_at = time.monotonic()
        await asking
        assert time.monotonic() - killed_at < 2.5
        assert await app.ask(1) < 5.0


async def test_the_end_of_a_drill_lets_go_at_once() -> None:
    async with server() as app:
        async with inside(app.url, plan("5m")):
            asking = asyncio.create_task(app.ask(0))
            done, _ = await asyncio.wait({asking}, timeout=0.3)
            assert not done
        assert await asking < 2.0
        assert await app.ask(1) < 5.0


async def test_a_client_that_gives_up_while_it_is_held_costs_the_app_no_work() -> None:
    async with server() as app, inside(app.url, plan("5m")) as drill:
        with pytest.raises(httpx.ReadTimeout):
            await app.ask(0, timeout_s=0.3)
        await app.until('app_answers_total{code="499"}', 1.0)
        assert await app.metric("app_worked_total") == 0.0
        drill.app.send({"do": "flush"})
        await drill.app.event("flushed", DEADLINE_S)
        (event,) = drill.touched()
        assert (event["i"], event["released"], event["ended"], event["code"]) == ([0], [None], [None], [0])


async def test_without_the_token_the_paths_are_the_apps_own_404() -> None:
    async with server() as app:
        for token in ("", "x" * 32, TOKEN[:-1]):
            headers = {"x-alertdrill-token": token, "x-alertdrill-lease": "5"}
            body = plan("5m").model_dump_json()
            answer = await app.http.put(f"{app.url}/.alertdrill/plan", content=body, headers=headers)
            assert (answer.status_code, answer.text) == (404, "Not Found")
        assert await app.ask(0) < 5.0


@pytest.mark.parametrize("wrong", ["bare", "other token", "no token", "nobody"])
async def test_an_app_that_does_not_take_part_is_bad_input_with_a_remedy(wrong: str) -> None:
    tokens = {"other token": "x" * 32, "no token": ""}
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with server("bare" if wrong == "bare" else "worn", token=tokens.get(wrong, TOKEN)) as app:
            url = f"http://127.0.0.1:{unused.getsockname()[1]}" if wrong == "nobody" else app.url
            with pytest.raises(BadInput) as caught:
                async with inside(url, plan("5m")):
                    pytest.fail("it must not begin")
    (mistake,) = caught.value.mistakes
    assert mistake.where == f"the model server at {url}"
    assert ("no answer to PUT" if wrong == "nobody" else "404 to PUT /.alertdrill/plan") in mistake.got
    assert mistake.expected == "an app that wears alertdrill.inside.DrillFaults and the same ALERTDRILL_INSIDE_TOKEN"
    assert "DrillFaults(app)" in mistake.fix


async def test_a_server_of_several_processes_is_refused() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        listening.set_inheritable(True)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "uvicorn", "--factory", "--workers", "2", "--fd", str(listening.fileno())),
            *("--app-dir", str(HERE), "--log-level", "warning", "inside_server:app"),
            env={**os.environ, "ALERTDRILL_INSIDE_TOKEN": TOKEN},
            pass_fds=[listening.fileno()],
        )
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            await both_answer(url)
            with pytest.raises(BadInput) as caught:
                async with inside(url, plan("5m")):
                    pytest.fail("it must not begin")
        finally:
            process.terminate()
            await process.wait()
    (mistake,) = caught.value.mistakes
    assert mistake.got == "answers of 2 processes"
    assert "one worker" in mistake.fix


async def both_answer(url: str) -> None:
    """Wait until two processes were heard of."""
    heard: set[str] = set()
    deadline = time.monotonic() + 30
    while len(heard) < 2:
        assert time.monotonic() < deadline
        async with httpx.AsyncClient(timeout=30.0) as http:
            answers = await asyncio.gather(
                *(http.get(f"{url}/.alertdrill/plan", headers={"x-alertdrill-token": TOKEN}) for _ in range(4))
            )
        heard |= {answer.json()["process"] for answer in answers}


async def test_an_app_that_was_restarted_has_lost_the_plan() -> None:
    async with server() as app:
        drill = Inside(app.url, plan("5m"))
        await drill.app.open()
    async with server(app.url.rpartition(":")[2]) as again:
        assert again.url == app.url
        deadline = time.monotonic() + DEADLINE_S
        while drill.app.alive():
            drill.app.send({"do": "lease", "s": 3.0})
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        assert "no plan of that run is held here" in (drill.app.dead() or "")
        assert await again.ask(0) < 5.0
        await drill.app.close()


async def test_an_app_that_is_silent_for_a_lease_is_given_up() -> None:
    async with server() as app:
        drill = Inside(app.url, plan("5m"))
        await drill.app.open()
        app.process.kill()
        deadline = time.monotonic() + DEADLINE_S
        while drill.app.alive():
            drill.app.send({"do": "lease", "s": 3.0})
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert "has not answered alertdrill for 3." in (drill.app.dead() or "")
        await drill.app.close()


async def test_importing_the_middleware_loads_neither_numpy_nor_a_load_generator() -> None:
    code = (
        "import sys; from alertdrill.inside import DrillFaults; DrillFaults(None, ''); light = set(sys.modules);"
        "DrillFaults(None, 'x' * 16); print(*sorted(m for m in light if '.' not in m));"
        "print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    light, heavy = (await process.communicate())[0].decode().splitlines()
    assert not {"numpy", "pydantic", "asyncio"} & set(light.split())
    assert "pydantic" in heavy.split()
    for banned in ("gevent", "locust", "rich", "typer", "httpx", "requests", "yaml", "uvloop"):
        assert banned not in heavy.split()
