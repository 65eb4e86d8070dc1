"""A load of users of a team's own locustfile ends in time, with all that the file started, whatever its users do."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.integration.load_process import (
    FAULT_GATE,
    FAULT_PHASE,
    LIFELINE,
    OK,
    Arrived,
    Peer,
    Target,
    arguments,
    loading,
    make_plan,
    serving,
    until,
)

from alertdrill.adapters import processes
from alertdrill.adapters.load import launch

HERE = "echo $$ >> pids; exec sleep 60"
PROGRAMS = f"""
import subprocess
from locust import FastHttpUser, constant, events, task

@events.test_start.add_listener
def begin(**_):
    subprocess.Popen(["sh", "-c", {HERE!r}], start_new_session=True)
    subprocess.run(["sh", "-c", "(setsid sh -c '{HERE}' &)"], check=True)
"""
CALLER = """
import time
from gevent import monkey
from locust import FastHttpUser, constant, events, task
really_sleep = monkey.get_original("time", "sleep")

class Caller(FastHttpUser):
    wait_time = constant(0)
    calls, slept = 0, False

    @task
    def predict(self):
        Caller.calls += 1
        self.client.post("/predict", json={"f1": 1.5})
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the process group can be ended")


def write(folder: Path, text: str) -> Path:
    """Write a locustfile."""
    file = folder / "users.py"
    file.write_text(text)
    return file


def programs(folder: Path) -> list[int]:
    """What the locustfile started and still runs."""
    return [pid for pid in map(int, (folder / "pids").read_text().split()) if not gone(pid)]


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@linux
async def test_an_interrupted_load_ends_at_once_with_its_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_plan(tmp_path, "50/s")
    async with serving(Target()) as target:
        told = arguments(tmp_path, target.url, locustfile=write(tmp_path, PROGRAMS + CALLER), users=4)
        environ = launch.environment(told)
        load = await processes.start("load", launch.argv(told), tmp_path / "load.log", environ=environ)
        try:
            await load.event("ready", 20.0)
            load.send({"do": "segment", "k": FAULT_GATE, "at": time.time()})
            await load.event("sent", 5.0)
            await until(lambda: len(programs(tmp_path)) == 2)
        finally:
            began = time.monotonic()
            await load.stop()
        assert time.monotonic() - began < 1.5
        assert load.exit_code == 128 + signal.SIGTERM
        assert not programs(tmp_path)
        count = len(target.arrived)
        await asyncio.sleep(0.1)
        assert len(target.arrived) == count


CONTROLLER = """
import json, subprocess, sys, time
load = subprocess.Popen(json.loads(sys.argv[1]), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
def saw(event):
    while json.loads(load.stdout.readline())["event"] != event: pass
def do(**command):
    load.stdin.write(json.dumps(command).encode() + b"\\n")
    load.stdin.flush()
saw("ready")
do(do="lease", s=1.0)
do(do="segment", k=1, at=time.time())
saw("sent")
print("sends", flush=True)
while True:
    do(do="lease", s=1.0)
    time.sleep(0.2)
"""


@linux
@pytest.mark.parametrize(("number", "limit_s"), [(signal.SIGKILL, 1.0), (signal.SIGSTOP, 2.0)])
async def test_no_user_and_no_program_outlives_the_controller(
    number: signal.Signals, limit_s: float, tmp_path: Path
) -> None:
    make_plan(tmp_path, "50/s")
    async with serving(Target()) as target:
        told = arguments(tmp_path, target.url, locustfile=write(tmp_path, PROGRAMS + CALLER), users=4)
        controller = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CONTROLLER, json.dumps([*LIFELINE, *launch.argv(told)]),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=tmp_path,
            env={**os.environ, **launch.environment(told)},
        )  # fmt: skip
        try:
            assert controller.stdout is not None
            assert await asyncio.wait_for(controller.stdout.readline(), 20) == b"sends\n"
            await until(lambda: len(programs(tmp_path)) == 2)
            pids = [one.pid for one in psutil.Process(controller.pid).children(recursive=True)]
            assert len(pids) >= 3
            controller.send_signal(number)
            await until(lambda: all(map(gone, pids)) and not programs(tmp_path), limit_s)
            count = len(target.arrived)
            await asyncio.sleep(0.2)
            assert len(target.arrived) == count
        finally:
            with contextlib.suppress(ProcessLookupError):
                controller.kill()
            await controller.wait()


STALLS = CALLER + "        if Caller.calls > 9:\n            "


@pytest.mark.parametrize("holds", ["while True: pass", "sum(range(10**12))"])
async def test_a_user_that_never_lets_others_run_ends_the_load_and_is_named(tmp_path: Path, holds: str) -> None:
    make_plan(tmp_path, "50/s")
    file = write(tmp_path, STALLS + holds)
    async with (
        serving(Target()) as target,
        loading(tmp_path, target.url, locustfile=file, users=2, silent_s=1.0) as load,
    ):
        await load.saw("ready")
        load.segment(FAULT_GATE)
        assert await load.exit_code(6.0) == 1
    why = load.of("failed")[0]["why"]
    assert why.startswith("users.py:16: Caller.predict has kept all users from running for 1 s, expected code that")
    assert (tmp_path / "load.log").read_text().splitlines()[-1] == why


AT_TIMES = """
        if Caller.calls > 9 and not Caller.slept:
            Caller.slept = True
            really_sleep(0.5)

@events.test_start.add_listener
def read_data(**_):
    really_sleep(3.0)
"""


async def test_a_user_that_lets_others_run_again_makes_sends_late_and_ends_nothing(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")
    file = write(tmp_path, CALLER + AT_TIMES)
    async with (
        serving(Target()) as target,
        loading(tmp_path, target.url, locustfile=file, users=8, silent_s=2.8) as load,
    ):
        await load.saw("ready")
        load.segment(FAULT_GATE, after_s=3.0)
        await until(lambda: len(target.arrived) > 40)
        await load.close()
    assert not load.of("failed")
    assert load.of("closed")[0]["error_max_s"] > 0.3


@linux
@pytest.mark.long
async def test_users_that_do_not_come_to_their_end_are_cut_off_with_their_programs_and_their_account_stands(
    tmp_path: Path,
) -> None:
    make_plan(tmp_path, "50/s")
    file = write(tmp_path, PROGRAMS + CALLER + "\n    def on_stop(self):\n        while True: pass\n")
    async with serving(Target()) as target, loading(tmp_path, target.url, locustfile=file, users=2) as load:
        await load.saw("ready")
        load.segment(FAULT_GATE)
        await load.saw("sent", 2)
        await until(lambda: len(programs(tmp_path)) == 2)
        load.do(do="close", at=time.time())
        await load.saw("ended")
        assert await load.exit_code(5.0) == 0
        assert not programs(tmp_path)
    assert not load.of("failed")
    (closed,) = load.of("closed")
    answered = closed["answered"] + sum(one["answered"] for one in load.of("drained"))
    assert closed["sent"] == answered == len(target.arrived) > 0


GIVE_UP = """
import gevent
from locust import FastHttpUser, HttpUser, constant, events, task
from locust.exception import StopUser

def predict(user):
    try:
        with gevent.Timeout(0.15):
            user.client.post("/predict", json={"f1": 1.5})
    except gevent.Timeout:
        pass

class Caller(HttpUser):
    wait_time = constant(0)
    tasks = [predict]

class FastCaller(FastHttpUser):
    wait_time = constant(0)
    tasks = [predict]

@events.request.add_listener
def stop_at_refusals(response, **_):
    if response.status_code == 418:
        raise StopUser
"""


def unheard(target: Target) -> int:
    """How many requests had no answer, or one that users took for none."""
    return sum(1 for one in target.arrived if one.i % 5 == 2 or one.i % 20 == 3)


async def test_the_account_of_requests_that_users_gave_up_is_exact(tmp_path: Path) -> None:
    def answer(peer: Peer, request: Arrived) -> None:
        if request.i % 20 == 3:
            peer.write(OK.replace(b"200 OK", b"418 Teapot"))
        elif request.i % 5 != 2:
            peer.write(OK)

    make_plan(tmp_path, "50/s", faults=[{"kind": "nulls", "features": ["f1"], "share": "100%"}])
    file = write(tmp_path, GIVE_UP)
    async with serving(Target(answer)) as target, loading(tmp_path, target.url, locustfile=file, users=16) as load:
        await load.saw("ready")
        load.segment(FAULT_PHASE)
        await until(lambda: unheard(target) > 5)
        await load.saw("sent", 4)
        await load.close()
    (closed,) = load.of("closed")
    assert closed["sent"] == closed["answered"] + closed["failed"] + closed["in_flight"]
    assert closed["in_flight"] == sum(one["answered"] + one["failed"] for one in load.of("drained"))
    told = [(one["answered"], one["errors"]) for one in load.of("sent")]
    assert closed["sent"] == sum(answered + sum(errors.values()) for answered, errors in told)
    given_up = sum(errors.get("given_up", 0) for _, errors in told)
    assert given_up >= unheard(target) > 5
    assert sorted(i for one in load.of("touched") for i in one["i"]) == sorted(target.indexes(FAULT_PHASE))


async def test_what_is_in_flight_when_the_load_is_stopped_is_told_as_that(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")
    silent = Target(lambda peer, request: None)
    async with (
        serving(silent) as target,
        loading(tmp_path, target.url, locustfile=write(tmp_path, CALLER), users=4) as load,
    ):
        await load.saw("ready")
        load.segment(FAULT_GATE)
        await until(lambda: len(target.arrived) == 4)
        load.do(do="stop")
        assert await load.exit_code(5.0) == 0
    (closed,) = load.of("closed")
    assert (closed["sent"], closed["answered"], closed["failed"], closed["in_flight"]) == (4, 0, 0, 4)
    assert sum(sum(one["errors"].values()) for one in load.of("sent")) == 0


FORKS = """
import multiprocessing
import gevent
forked = []

def child():
    gevent.sleep(0.5)
    open("slept", "w").close()
"""
FORKING = """
        if Caller.calls >= 10 and not forked:
            forked.append(True)
            multiprocessing.get_context("fork").Process(target=child).start()
"""


async def test_a_process_that_is_forked_off_the_load_sends_nothing_a_second_time(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")
    file = write(tmp_path, FORKS + CALLER + FORKING)
    slow = Target(lambda peer, _: asyncio.get_running_loop().call_later(0.1, peer.write, OK) and None)
    async with serving(slow) as target, loading(tmp_path, target.url, locustfile=file, users=16) as load:
        await load.saw("ready")
        load.segment(FAULT_GATE)
        await until((tmp_path / "slept").exists)
        await load.close()
    assert sorted(target.indexes(FAULT_GATE)) == list(range(load.of("closed")[0]["sent"]))
    assert not any(one["errors"] for one in load.of("sent"))
