"""The fault proxy as a real process, on its lifeline, between real sockets."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sockets import Peer, Upstream

from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario import Scenario
from alertdrill.core.touch import Touch
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

SEED, COUNT, RUN = 11, 50, "run-1"
FAULT_SEGMENT = 2  # steady state, gate, the phase itself
ANSWER = b'{"score": 0.25, "prediction_id": "0123456789abcdef"}'
SCHEMA = Schema(features=(Feature(name="a", kind=FeatureKind.NUMBER),))

Fault = Mapping[str, object]


def latency(delay_s: float) -> Fault:
    return {"kind": "latency", "share": 0.4, "delay": f"{delay_s}s", "place": "model"}


def make_plan(*faults: Fault) -> Plan:
    """A phase of 50 requests with these faults, and one elsewhere."""
    edge = {"kind": "latency", "share": 1.0, "delay": "9s", "place": "edge", "id": "elsewhere"}
    scenario = Scenario.model_validate(
        {
            "version": 1, "name": "slow", "seed": SEED, "target": {"bundled": "fraud"},
            "load": {"rate": "10/s", "arrivals": "constant"},
            "phases": [{"name": "slow", "duration": f"{COUNT / 10}s", "faults": [*faults, edge]}],
        }
    )  # fmt: skip
    target = TargetPlan(name="t", version="1", schema=SCHEMA, sample_sha256="")
    segments, injections = make_segments(scenario, SCHEMA, tail_s=1.0)
    assert segments[FAULT_SEGMENT].count == COUNT
    return Plan(
        run_id=RUN, seed=SEED, scenario_path="s.yaml", scenario=scenario, target=target, rules=(), segments=segments,
        injections=injections,
    )  # fmt: skip


def planned(plan: Plan) -> list[int]:
    """Indices of the requests that the first injection touches."""
    return Touch(plan).mask(plan.injections[0], 0, COUNT).nonzero()[0].tolist()


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


async def predicting(peer: Peer) -> None:
    """Answer every request with a prediction."""
    while True:
        await peer.message()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)
        await peer.send(head + ANSWER)


@asynccontextmanager
async def proxied(tmp_path: Path, *faults: Fault) -> AsyncIterator[tuple[Proxy, int, list[int]]]:
    """The process, its port, and which requests the first fault touches."""
    plan, path = make_plan(*faults), tmp_path / "plan.json"
    path.write_text(plan.model_dump_json())
    upstream = Upstream(predicting)
    port = await upstream.start()
    process = await spawn("--plan", str(path), "--place", "model", "--upstream", f"http://127.0.0.1:{port}")
    try:
        proxy = Proxy(process)
        yield proxy, (await proxy.event("ready"))["port"], planned(plan)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
        await upstream.stop()


class Got(NamedTuple):
    """What a client met: status and body (0 and nothing if there was no answer), how it ended, how long it took."""

    status: int
    body: bytes
    end: str
    seconds: float


async def ask(port: int, i: int, *, k: int = FAULT_SEGMENT, run: str = RUN) -> Got:
    """What becomes of one request."""
    peer = Peer(*await asyncio.open_connection("127.0.0.1", port))
    started = time.perf_counter()
    lines = ["POST / HTTP/1.1", "Host: h", f"x-alertdrill-run: {run}", f"x-alertdrill-seq: {k}.{i}"]
    await peer.send("\r\n".join([*lines, "Content-Length: 20", "", "x" * 20]).encode())
    status, body, end = 0, b"", "whole"
    try:
        head = await peer.head()
        status = int(head[9:12])
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        body = await peer.reader.readexactly(length)
    except ConnectionResetError:
        end = "reset"
    except asyncio.IncompleteReadError as cut:
        body, end = cut.partial, "closed"
    finally:
        peer.close()
    return Got(status, body, end, time.perf_counter() - started)


def touched(proxy: Proxy) -> list[tuple[Any, ...]]:
    """i, effect_at, released, ended and code of every touched exchange, by i."""
    names = ("i", "effect_at", "released", "ended", "code")
    return sorted(
        item for event in proxy.total("touched") for item in zip(*[event[name] for name in names], strict=True)
    )


async def flushed(proxy: Proxy) -> None:
    await proxy.do("flush")
    await proxy.event("flushed")


async def all_seen(proxy: Proxy, count: int) -> None:
    while sum(event["requests"] for event in proxy.total("seen")) < count:
        await proxy.event("seen")


async def test_exactly_the_planned_exchanges_are_held_and_reported(tmp_path: Path) -> None:
    async with proxied(tmp_path, latency(0.3)) as (proxy, port, expected):
        before = time.time()
        got = await asyncio.gather(*[ask(port, i) for i in range(COUNT)])
        others = await asyncio.gather(
            *[ask(port, i, k=1) for i in range(COUNT)], *[ask(port, i, run="x") for i in range(COUNT)]
        )
        after = time.time()
        await flushed(proxy)
    assert {(one.status, one.body) for one in (*got, *others)} == {(200, ANSWER)}
    assert [i for i, one in enumerate(got) if one.seconds > 0.29] == expected
    assert max(one.seconds for one in others) < 0.29
    found = touched(proxy)
    assert {(event["injection"], event["k"]) for event in proxy.total("touched")} == {("slow/latency", FAULT_SEGMENT)}
    assert [i for i, *_ in found] == expected
    for _, effect_at, released, ended, code in found:
        assert before <= effect_at < released <= ended <= after
        assert released - effect_at == pytest.approx(0.3, abs=0.1)
        assert code == 200
    seen = {k: sum(event["requests"] for event in proxy.total("seen") if event["k"] == k) for k in (1, FAULT_SEGMENT)}
    assert seen == {1: COUNT, FAULT_SEGMENT: COUNT}


async def test_a_profile_of_the_dose_makes_later_requests_wait_longer(tmp_path: Path) -> None:
    ramp = {"kind": "ramp", "of": "dose", "over": "5s"}
    async with proxied(tmp_path, {**latency(1.0), "share": 1, "profile": ramp}) as (proxy, port, _):
        got = await asyncio.gather(*[ask(port, i) for i in range(COUNT)])
        await flushed(proxy)
    for i, (at, one) in enumerate(zip(touched(proxy), got, strict=True)):
        assert at[2] - at[1] == pytest.approx(i / COUNT, abs=0.1)
        assert one.seconds > i / COUNT - 0.01


ON_THE_WIRE = {
    "http_error": ({"status": 502, "body": "{}"}, 502, "whole", True),
    "rate_limited": ({}, 429, "whole", True),
    "connection_reset": ({}, 0, "reset", False),
    "truncated_answer": ({"kept": 0.5}, 200, "closed", False),
    "corrupted_answer": ({}, 200, "whole", True),
    "slow_answer": ({"over": "300ms"}, 200, "whole", True),
    "slow_upload": ({"over": "300ms"}, 200, "whole", True),
}


@pytest.mark.parametrize("kind", ON_THE_WIRE)
async def test_the_planned_exchanges_meet_the_fault_and_the_others_do_not(tmp_path: Path, kind: str) -> None:
    fields, status, end, has_ended = ON_THE_WIRE[kind]
    async with proxied(tmp_path, {"kind": kind, "share": 0.4, **fields}) as (proxy, port, expected):
        before = time.time()
        got = await asyncio.gather(*[ask(port, i) for i in range(COUNT)])
        await flushed(proxy)
    assert {one[:3] for i, one in enumerate(got) if i not in expected} == {(200, ANSWER, "whole")}
    hit = [got[i] for i in expected]
    assert {(one.status, one.end) for one in hit} == {(status, end)}
    match kind:
        case "corrupted_answer":
            assert all(len(one.body) == len(ANSWER) and one.body != ANSWER for one in hit)
        case "truncated_answer":
            assert {one.body for one in hit} == {ANSWER[: len(ANSWER) // 2]}
        case "slow_answer" | "slow_upload":
            assert {one.body for one in hit} == {ANSWER}
            assert min(one.seconds for one in hit) > 0.28
    found = touched(proxy)
    assert [i for i, *_ in found] == expected
    for _, effect_at, _, ended, code in found:
        assert before <= effect_at <= time.time()
        assert (ended is not None) is has_ended
        assert code == status


async def test_a_stuck_answer_is_the_first_that_was_given_to_an_untouched_request(tmp_path: Path) -> None:
    async with proxied(tmp_path, {"kind": "stuck_answer", "share": 1}) as (proxy, port, expected):
        assert (await ask(port, 0)).body == ANSWER
        await flushed(proxy)
        assert touched(proxy) == []  # there was nothing to give again
        await ask(port, 0, run="another")
        await ask(port, 0, k=1)
        got = await asyncio.gather(*[ask(port, i) for i in expected])
        await flushed(proxy)
    assert {one[:3] for one in got} == {(200, ANSWER, "whole")}
    assert [i for i, *_ in touched(proxy)] == expected
    assert {released for _, _, released, _, _ in touched(proxy)} == {None}


LASTING = [
    (latency(60.0), "whole"),
    ({"kind": "black_hole", "share": 0.4}, "closed"),
    ({"kind": "slow_answer", "share": 0.4, "over": "60s"}, "whole"),
    ({"kind": "slow_upload", "share": 0.4, "over": "60s"}, "whole"),
]


@pytest.mark.parametrize(("fault", "end"), LASTING, ids=[str(fault["kind"]) for fault, _ in LASTING])
async def test_clear_ends_every_effect_at_once_and_touches_no_more(tmp_path: Path, fault: Fault, end: str) -> None:
    async with proxied(tmp_path, fault) as (proxy, port, expected):
        asking = [asyncio.create_task(ask(port, i)) for i in range(COUNT)]
        await all_seen(proxy, COUNT)
        await asyncio.wait(asking, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        await proxy.do("clear")
        await proxy.event("cleared")
        got = await asyncio.wait_for(asyncio.gather(*asking), 5)
        assert {got[i].end for i in expected} == {end}
        again = await asyncio.wait_for(asyncio.gather(*[ask(port, i) for i in range(COUNT)]), 5)
        assert {one[:3] for one in again} == {(200, ANSWER, "whole")}
        await flushed(proxy)
        assert [i for i, *_ in touched(proxy)] == expected


async def test_a_client_that_leaves_the_silence_is_reported(tmp_path: Path) -> None:
    async with proxied(tmp_path, {"kind": "black_hole", "share": 0.4}) as (proxy, port, expected):
        leaving = asyncio.create_task(ask(port, expected[0]))
        await all_seen(proxy, 1)
        leaving.cancel()
        await asyncio.wait([leaving])
        await proxy.event("touched")
    ((i, effect_at, released, ended, code),) = touched(proxy)
    assert (i, released, ended, code) == (expected[0], None, None, 0)
    assert effect_at is not None


async def test_touched_exchanges_are_reported_without_being_asked(tmp_path: Path) -> None:
    async with proxied(tmp_path, latency(0.01)) as (proxy, port, expected):
        await ask(port, expected[0])
        assert (await proxy.event("touched"))["i"] == expected[:1]


@pytest.mark.parametrize("how", ["stop", "SIGTERM"])
async def test_stop_lets_held_exchanges_go_reports_them_and_exits_cleanly(tmp_path: Path, how: str) -> None:
    async with proxied(tmp_path, latency(60.0)) as (proxy, port, expected):
        asking = [asyncio.create_task(ask(port, i)) for i in range(COUNT)]
        await all_seen(proxy, COUNT)
        if how == "stop":
            await proxy.do("stop")
        else:
            os.kill(proxy.process.pid, signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*asking), 5)
        await proxy.rest()
        assert await asyncio.wait_for(proxy.process.wait(), 1.5) == 0
    assert sorted(i for event in proxy.total("touched") for i in event["i"]) == expected


async def test_proxy_ends_when_its_controller_does(tmp_path: Path) -> None:
    async with proxied(tmp_path, latency(60.0)) as (proxy, _, _):
        assert proxy.process.stdin is not None
        proxy.process.stdin.close()
        assert await asyncio.wait_for(proxy.process.wait(), 2) != 0


async def test_unusable_input_is_one_message_and_exit_2(tmp_path: Path) -> None:
    good = tmp_path / "plan.json"
    good.write_text(make_plan(latency(0.1)).model_dump_json())
    bad = tmp_path / "bad.json"
    bad.write_text('{"run_id": 1}')
    cases = [(tmp_path / "none.json", "http://h:1"), (bad, "http://h:1"), (good, "ftp://h:1")]
    for path, upstream in cases:
        process = await spawn("--plan", str(path), "--place", "model", "--upstream", upstream)
        _, stderr = await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 2, stderr
        assert b"Traceback" not in stderr
        assert (path.name.encode() in stderr) or (upstream.encode() in stderr)
