"""A load that several processes share: real Locust master and workers against a real server on loopback."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest
from load_process import (
    FAULT_PHASE,
    LIFELINE,
    PHASE,
    LoadProcess,
    Target,
    arguments,
    group,
    loading,
    make_plan,
    payload_sha256,
    payloads,
    serving,
    start_worker,
    until,
)

from alertdrill.adapters.load import launch
from alertdrill.adapters.load.share import CHUNK
from alertdrill.core.timeline import arrival_times
from alertdrill.core.touch import Touch

SAME = ("k", "scheduled", "sent", "suppressed", "failed", "payload_sha256")
FAULTS = (
    {"kind": "nulls", "features": ["f1"], "share": "20%"},
    {"kind": "malformed_json", "share": "10%"},
    {"kind": "traffic_loss", "share": "10%"},
)


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def _all_gone(pids: Sequence[int], limit_s: float) -> None:
    await until(lambda: all(map(_gone, pids)), limit_s)


async def _nothing_more(target: Target) -> None:
    count = len(target.arrived)
    await asyncio.sleep(0.3)
    assert len(target.arrived) == count


async def _running(load: LoadProcess) -> None:
    await load.saw("ready")
    load.segment(PHASE)
    await load.saw("sent", 2)


def _locust_total(log: Path) -> int:
    """Requests of all in the table that Locust's master prints."""
    found = re.search(r"^ +Aggregated +(\d+) ", log.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


@pytest.mark.long
async def test_any_number_of_workers_sends_the_same_and_tells_the_same(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "800/s", "poisson", faults=FAULTS)
    sent = Touch(plan).schedule(FAULT_PHASE).sent
    accounts = []
    for workers in (1, 2, 3):
        async with serving(Target()) as target, loading(tmp_path, target.url, workers=workers) as load:
            await load.saw("ready")
            now = time.time()
            for after_s, k in ((0.2, PHASE), (0.6, FAULT_PHASE), (2.0, 4)):
                load.segment(k, at=now + after_s)
            await asyncio.sleep(2.1)
            await load.close()
        arrived = {(request.k, request.i): request.body for request in target.arrived}
        assert len(arrived) == len(target.arrived)
        closed = {event["k"]: event for event in load.of("closed")}
        reached = closed[FAULT_PHASE]["sent"] + closed[FAULT_PHASE]["suppressed"]
        block = payloads(plan, tmp_path).block(FAULT_PHASE, 0, reached)
        expected = {i: body for i, body in enumerate(block.bodies) if sent[i]}
        assert {i: body for (k, i), body in arrived.items() if k == FAULT_PHASE} == expected
        for injection in plan.injections:
            touched = group(load.of("touched"), injection.id)
            assert sorted(touched) == block.touched[injection.id].nonzero()[0].tolist()
        marks = [1000, reached] if reached > 1000 else [reached]
        bodies = [expected.get(i) for i in range(reached)]
        assert closed[FAULT_PHASE]["payload_sha256"] == [payload_sha256(bodies[:stop]) for stop in marks]
        ended = sum(event["answered"] + sum(event["errors"].values()) for event in load.of("sent"))
        assert ended == len(target.arrived) == sum(event["sent"] for event in load.of("closed"))
        assert _locust_total(tmp_path / "load.log") == ended
        (tmp_path / "load.log").unlink()
        accounts.append([{name: closed[k][name] for name in SAME} for k in (PHASE, FAULT_PHASE)])
        for one in closed.values():  # which were still on their way at the end is a matter of microseconds
            assert one["answered"] + one["in_flight"] == one["sent"]
    assert reached > 1000
    assert accounts[0] == accounts[1] == accounts[2]


async def test_workers_change_segments_within_50_ms_of_each_other(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "1000/s")
    async with serving(Target()) as target, loading(tmp_path, target.url, workers=2) as load:
        await load.saw("ready")
        load.segment(PHASE)
        await load.saw("sent", 3)
        change = load.segment(FAULT_PHASE, after_s=0.3)  # an early end: nobody knew of it before
        await load.saw("closed")
        await asyncio.sleep(0.5)
        await load.close()
    segment = plan.segments[FAULT_PHASE]
    times = arrival_times(segment.arrivals, plan.seed, segment.k, segment.duration_s)
    began, ended = {}, {}
    for request in target.arrived:
        worker = request.i // CHUNK % 2
        if request.k == FAULT_PHASE:
            began[worker] = min(began.get(worker, 1.0), request.at - change - times[request.i])
        else:
            ended[worker] = max(ended.get(worker, -1.0), request.at - change)
    assert set(began) == set(ended) == {0, 1}
    assert min(began.values()) >= -0.002
    assert max(began.values()) < 0.05
    assert max(ended.values()) < 0.05


async def test_the_workers_end_with_the_load(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    async with serving(Target()) as target, loading(tmp_path, target.url, workers=2) as load:
        await _running(load)
        await load.close()
        assert [await worker.exit_code(3.0) for worker in load.workers] == [0, 0]
    assert [event["event"] for event in load.events][-1] == "ended"
    journaled = load.of("worker")
    assert [event["worker"] for event in journaled] == [1, 2, 1, 2]
    assert all(abs(event["ahead_s"]) < 0.05 > event["error_s"] > 0 for event in journaled)


async def test_stop_ends_a_shared_load(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with serving(Target(lambda peer, request: None)) as target, loading(tmp_path, target.url, workers=2) as load:
        await _running(load)
        load.do(do="stop")
        assert await load.exit_code(timeout_s=3.0) == 0
        await _all_gone([worker.pid for worker in load.workers], 2.0)
        (closed,) = load.of("closed")
        await until(lambda: all(peer.gone for peer in target.peers))
    # A request whose connection was still being made counts as sent and never arrives: how many is up to the machine.
    assert closed["in_flight"] == closed["sent"] >= len(target.arrived) > 0
    assert [event["event"] for event in load.events][-1] == "ended"


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.long)])
async def test_workers_send_nothing_three_seconds_after_their_master(number: signal.Signals, tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with serving(Target()) as target, loading(tmp_path, target.url, workers=2) as load:
        await _running(load)
        os.kill(load.pid, number)
        await _all_gone([worker.pid for worker in load.workers], 3.0)
        await _nothing_more(target)
        for worker in load.workers:
            assert await worker.exit_code() == 75


async def test_a_load_without_one_of_its_workers_fails_and_names_it(tmp_path: Path) -> None:
    make_plan(tmp_path, "400/s")
    async with serving(Target()) as target, loading(tmp_path, target.url, workers=2) as load:
        await _running(load)
        os.kill(load.workers[0].pid, signal.SIGKILL)
        killed_at = time.time()
        failed = await load.saw("failed")
        assert await load.exit_code() == 1
        assert re.match(r"worker [12] \(.+\) has not been heard for 2.5 s", failed["why"])
        assert (tmp_path / "load.log").read_text().splitlines()[-1] == failed["why"]
        await _all_gone([load.workers[1].pid], 3.0)
        await _nothing_more(target)
    of_the_other = {request.i // CHUNK % 2 for request in target.arrived if request.at > killed_at + 0.3}
    assert len(of_the_other) == 1


async def test_a_lease_that_is_not_renewed_ends_the_workers_too(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with serving(Target()) as target, loading(tmp_path, target.url, workers=2) as load:
        await _running(load)
        load.do(do="lease", s=1.5)
        await asyncio.sleep(1.0)
        assert not any(_gone(worker.pid) for worker in load.workers)
        load.do(do="lease", s=1.5)
        await asyncio.sleep(1.0)
        assert not any(_gone(worker.pid) for worker in load.workers)
        await _all_gone([worker.pid for worker in [load, *load.workers]], 1.5 - 1.0 + 0.5)
        await _nothing_more(target)


async def test_a_frozen_master_does_not_hold_up_the_lease(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with serving(Target()) as target, loading(tmp_path, target.url, workers=2) as load:
        await _running(load)
        load.do(do="lease", s=1.0)
        await asyncio.sleep(0.6)
        os.kill(load.pid, signal.SIGSTOP)
        await _all_gone([worker.pid for worker in load.workers], 1.0)


CONTROLLER = """
import json, os, subprocess, sys, time
load, worker = json.loads(sys.argv[1])
start = lambda argv: subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
def saw(process, event):
    while json.loads(process.stdout.readline())["event"] != event: pass
def do(process, **command):
    process.stdin.write(json.dumps(command).encode() + b"\\n")
    process.stdin.flush()
master, workers = start(load), [start(worker), start(worker)]
listening = json.loads(master.stdout.readline())
for one in workers: do(one, do="join", host="127.0.0.1", port=listening["port"], wait_s=5)
saw(master, "ready")
do(master, do="lease", s=2.0)
do(master, do="segment", k=1, at=time.time())
saw(master, "sent")
print(*(one.pid for one in [master, *workers]), flush=True)
while True:
    do(master, do="lease", s=2.0)
    time.sleep(0.2)
"""


@pytest.mark.parametrize(
    ("number", "limit_s"), [(signal.SIGKILL, 2.0), pytest.param(signal.SIGSTOP, 4.0, marks=pytest.mark.long)]
)
async def test_no_load_outlives_its_controller(number: signal.Signals, limit_s: float, tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with serving(Target()) as target:
        told = arguments(tmp_path, target.url, workers=2)
        processes = [[*LIFELINE, *argv] for argv in (launch.argv(told), launch.worker_argv())]
        controller = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CONTROLLER, json.dumps(processes),
            stdout=asyncio.subprocess.PIPE, env={**os.environ, **launch.environment(told)},
        )  # fmt: skip
        try:
            assert controller.stdout is not None
            pids = [int(pid) for pid in (await asyncio.wait_for(controller.stdout.readline(), 20)).split()]
            assert len(pids) == 3
            controller.send_signal(number)
            await _all_gone(pids, limit_s)
            await _nothing_more(target)
        finally:
            with contextlib.suppress(ProcessLookupError):
                controller.kill()
            await controller.wait()


async def test_a_terminated_master_dismisses_its_workers(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with serving(Target()) as target, loading(tmp_path, target.url, workers=2) as load:
        await _running(load)
        os.kill(load.pid, signal.SIGTERM)
        assert await load.exit_code(timeout_s=2.0) == 0
        await _all_gone([worker.pid for worker in load.workers], 1.0)
        assert load.workers[0].of("failed")[0]["why"] == "the drill ended early"


ANOTHER_CLOCK = """
import time
real = time.time
time.time = lambda: real() + 3.7
"""


async def test_a_worker_whose_clock_is_wrong_goes_by_the_masters(tmp_path: Path) -> None:
    make_plan(tmp_path, "400/s")
    listen = launch.Address()
    async with serving(Target()) as target, loading(tmp_path, target.url, workers=2, listen=listen) as load:
        port = (await load.saw("listening"))["port"]
        for number, script in enumerate((None, ANOTHER_CLOCK)):
            load.workers.append(await start_worker(tmp_path, number, script))
            load.workers[-1].join(port)
        await load.saw("ready")
        begins = load.segment(FAULT_PHASE)
        await asyncio.sleep(1.2)
        await load.close()
    (ahead,) = [event for event in load.of("worker")[:2] if event["ahead_s"] > 1.0]
    assert ahead["ahead_s"] == pytest.approx(3.7, abs=0.025)
    assert ahead["error_s"] < 0.025
    at = {request.i: request.at for request in target.arrived}
    touched = group(load.of("touched"), "broken/nulls")
    of_each = {i // CHUNK % 2 for i in touched}
    assert of_each == {0, 1}
    for i, (one,) in touched.items():
        assert abs(one["sent"] - at[i]) < 0.05
    assert all(abs(request.at - begins - request.i / 400) < 0.1 for request in target.arrived)


ANOTHER_VERSION = """
import alertdrill
alertdrill.__version__ = "0.0.7"
"""


async def test_a_worker_of_another_version_is_refused_and_the_load_waits_for_others(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with loading(tmp_path, "http://127.0.0.1:9", workers=1, listen=launch.Address()) as load:
        port = (await load.saw("listening"))["port"]
        load.workers.append(await start_worker(tmp_path, 0, ANOTHER_VERSION))
        load.workers[0].join(port)
        failed = await load.workers[0].saw("failed")
        assert re.search(r"refused this worker: got alertdrill 0\.0\.7 .* expected .* install", failed["why"])
        assert await load.workers[0].exit_code() == 1
        assert load.of("refused")
        load.workers.append(await start_worker(tmp_path, 1))
        load.workers[1].join(port)
        await load.saw("ready")
        load.workers.append(await start_worker(tmp_path, 2))
        load.workers[2].join(port)
        failed = await load.workers[2].saw("failed")
        assert "the drill has its 1 workers already" in failed["why"]


@pytest.mark.long
async def test_a_worker_that_leaves_before_the_load_begins_makes_room_for_another(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with loading(tmp_path, "http://127.0.0.1:9", workers=2, listen=launch.Address(), join_s=30) as load:
        port = (await load.saw("listening"))["port"]
        for number in range(3):
            load.workers.append(await start_worker(tmp_path, number))
        load.workers[0].join(port)
        await load.saw("joined")
        load.workers[0].close_pipe()
        assert (await load.saw("joined", 2))["workers"] == 0
        load.workers[1].join(port)
        load.workers[2].join(port)
        await load.saw("ready")


@pytest.mark.long
async def test_a_load_whose_workers_do_not_come_says_so(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with loading(tmp_path, "http://127.0.0.1:9", workers=2, listen=launch.Address(), join_s=4) as load:
        load.workers.append(await start_worker(tmp_path, 0))
        load.workers[0].join((await load.saw("listening"))["port"])
        failed = await load.saw("failed")
        assert failed["why"] == "1 of 2 workers joined the load within 4 s"
        assert await load.exit_code() == 1
        assert await load.workers[0].exit_code(3.0) == 1


async def test_a_master_whose_port_is_taken_says_so(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with serving(Target()) as target:
        taken = launch.Address(port=int(target.url.rpartition(":")[2]))
        async with loading(tmp_path, target.url, workers=2, listen=taken) as load:
            failed = await load.saw("failed")
            assert await load.exit_code() == 1
    assert failed["why"] == f"the load cannot listen at {taken}: the port is taken"


OTHER_LOCUST = """
from gevent import monkey
monkey.patch_all()
from locust.env import Environment
master = Environment().create_master_runner("127.0.0.1", 0)
print(master.server.port, flush=True)
master.greenlet.join()
"""


@pytest.mark.long
async def test_a_worker_that_finds_no_drill_says_what_it_found(tmp_path: Path) -> None:
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OTHER_LOCUST, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert other.stdout is not None
    async with serving(Target()) as target:
        port = int(target.url.rpartition(":")[2])
        workers = [await start_worker(tmp_path, number) for number in range(4)]
        try:
            workers[0].join(port, wait_s=0.5)  # a web server
            workers[3].join(int(await other.stdout.readline()), wait_s=0.5)
            workers[1].join(1, wait_s=0.5)
            workers[2].join(port, host="nohost.invalid")
            whys = [(await worker.saw("failed"))["why"] for worker in workers]
            assert [await worker.exit_code() for worker in workers] == [1, 1, 1, 1]
        finally:
            other.kill()
            await other.wait()
            for worker in workers:
                await worker.end()
    assert "got a server that is none of ours" in whys[0]
    assert "got a server that is none of ours" in whys[3]
    assert "got Connection refused for 0.5 s" in whys[1]
    assert "expected a host" in whys[2]
    assert not any("\n" in why for why in whys)


async def test_a_worker_that_cannot_follow_the_plan_fails_the_load(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    plan = json.loads((tmp_path / "plan.json").read_text())
    plan["segments"][1]["arrivals_sha256"] = "0" * 64
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    async with loading(tmp_path, "http://127.0.0.1:9", workers=2) as load:
        failed = await load.saw("failed")
        assert await load.exit_code() == 1
    assert re.search(r"^worker [12] .*segments\[1\].arrivals_sha256: got [0-9a-f]{64} here", failed["why"])


@pytest.mark.long
async def test_a_command_that_makes_no_sense_fails_a_shared_load(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    async with loading(tmp_path, "http://127.0.0.1:9", workers=2) as load:
        await load.saw("ready")
        load.do(do="dance")
        failed = await load.saw("failed")
        assert await load.exit_code() == 1
    assert "got 'dance'" in failed["why"]
