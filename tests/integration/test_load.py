"""The load: real Locust in its own process against real servers on loopback."""

import asyncio
import json
import os
import re
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from load_process import (
    FAULT_PHASE,
    OK,
    PHASE,
    SCHEMA,
    Arrived,
    LoadProcess,
    Peer,
    Target,
    group,
    loading,
    make_plan,
    payload_sha256,
    payloads,
    serving,
    until,
)

from alertdrill.adapters.load import launch
from alertdrill.core.timeline import arrival_times
from alertdrill.core.touch import Touch
from alertdrill.protocols.mlflow import Mlflow

NULLS, MALFORMED = "broken/nulls", "broken/malformed_json"
OF_MANY_PARTS = (
    {"kind": "outliers", "features": ["f0"], "share": "20%"},
    {"kind": "stale_feature", "features": ["f2"], "by": "100ms", "share": "20%"},
    {"kind": "typos", "features": ["colour"], "share": "20%"},
    {"kind": "missing_key", "features": ["f3"], "share": "20%"},
    {"kind": "replayed_rows", "back": "200ms", "share": "20%"},
    {"kind": "retry_storm", "share": "10%", "retries": 1, "after": "50ms"},
    {"kind": "duplicate_keys", "share": "10%"},
)


async def test_what_arrives_is_the_prefix_of_the_plan(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "200/s", "poisson")
    (tmp_path / "locust.conf").write_text("processes = 2\nusers = 9\n")  # the user's own, of no concern to a drill
    statistics = tmp_path / "statistics.json"
    async with (
        serving(Target()) as target,
        loading(tmp_path, target.url, ["--json-file", str(statistics.with_suffix(""))]) as load,
    ):
        await load.saw("ready")
        load.segment(FAULT_PHASE)
        await asyncio.sleep(1.2)
        await load.close(after_s=0.2)
    closed = load.of("closed")[0]
    count = closed["sent"]
    assert count > 150
    assert (closed["scheduled"], closed["failed"]) == (count, 0)
    assert sum(event["answered"] for event in load.of("sent")) == count

    arrived = sorted(target.arrived, key=lambda request: request.i)
    assert [(request.k, request.i) for request in arrived] == [(FAULT_PHASE, i) for i in range(count)]
    block = payloads(plan, tmp_path).block(FAULT_PHASE, 0, count)
    assert [request.body for request in arrived] == block.bodies
    assert closed["payload_sha256"] == [payload_sha256(block.bodies)]
    headers = arrived[0].headers
    assert headers[b"host"].decode() == target.url.removeprefix("http://")
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"x-alertdrill-run"] == b"run-1"
    assert headers[b"x-team"] == b"fraud"

    for injection in (NULLS, MALFORMED):
        touched = group(load.of("touched"), injection)
        assert sorted(touched) == block.touched[injection].nonzero()[0].tolist()
        answered = group(load.of("answered"), injection)
        assert sorted(answered) == sorted(touched)
        for request in arrived:
            if request.i in touched:
                (sent,), (done,) = touched[request.i], answered[request.i]
                assert done["code"] == 200
                assert sent["sent"] - 0.001 <= done["done"]
                assert abs(request.at - sent["sent"]) < 0.5

    (entry,) = json.loads(statistics.read_text())
    assert (entry["name"], entry["num_requests"], entry["num_failures"]) == ("/predict", count, 0)
    assert entry["total_content_length"] == 2 * count


async def test_requests_are_written_and_answers_read_as_the_targets_protocol_has_them(tmp_path: Path) -> None:
    nulls = {"kind": "nulls", "features": ["f0"], "share": "20%"}
    plan = make_plan(tmp_path, "150/s", faults=[nulls], schema=SCHEMA.speaking(Mlflow(format="csv")))
    error = b'{"error_code":"BAD_REQUEST","message":"no such model"}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(error), error)
    async with (
        serving(Target(lambda peer, request: peer.write(answer))) as target,
        loading(tmp_path, target.url) as load,
    ):
        await load.saw("ready")
        load.segment(FAULT_PHASE)
        await asyncio.sleep(0.6)
        await load.close()
    arrived = sorted(target.arrived, key=lambda request: request.i)
    assert [request.body for request in arrived] == payloads(plan, tmp_path).block(FAULT_PHASE, 0, len(arrived)).bodies
    assert arrived[0].body.startswith(b"f0,f1,")
    assert {request.headers[b"content-type"] for request in arrived} == {b"text/csv"}
    (closed,) = load.of("closed")
    assert closed["answers_unreadable"] == closed["answers_read"] > 0
    assert "an error: no such model" in closed["unreadable_example"]


@pytest.mark.long
async def test_two_runs_send_the_same_bytes(tmp_path: Path) -> None:
    hashes = []
    for _ in range(2):
        make_plan(tmp_path, "1500/s", "poisson")
        async with serving(Target()) as target, loading(tmp_path, target.url) as load:
            await load.saw("ready")
            load.segment(FAULT_PHASE)
            await asyncio.sleep(1.8)
            await load.close()
            hashes.append(load.of("closed")[0]["payload_sha256"])
    assert min(map(len, hashes)) >= 2
    assert hashes[0][:2] == hashes[1][:2]
    assert len(set(hashes[0])) == len(hashes[0])


async def test_another_seed_sends_other_bytes(tmp_path: Path) -> None:
    bodies = [payloads(make_plan(tmp_path, "100/s", seed=seed), tmp_path).block(0, 0, 20).bodies for seed in (1, 2)]
    assert bodies[0] != bodies[1]


async def test_segments_change_at_the_announced_time(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    async with serving(Target()) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        load.segment(0)
        await load.saw("sent")
        change = load.segment(FAULT_PHASE, after_s=0.4)
        await load.saw("closed")
        await asyncio.sleep(0.3)
        await load.close()
    before, after = load.of("closed")
    assert (before["k"], after["k"]) == (0, FAULT_PHASE)
    assert before["last_sent"] <= change + 0.02
    assert change <= after["first_sent"] <= change + 1 / 200 + 0.02
    assert before["sent"] == before["scheduled"]
    order = [request.k for request in sorted(target.arrived, key=lambda request: request.at)]
    assert order == sorted(order)


async def test_segments_may_be_skipped(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "200/s")
    async with serving(Target()) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        for after_s, k in ((0.1, 0), (0.4, FAULT_PHASE), (0.7, 4)):
            load.segment(k, after_s)
        await load.close(after_s=1.0)
    assert [event["k"] for event in load.of("closed")] == [0, FAULT_PHASE, 4]
    assert [event["sent"] for event in load.of("closed")] == [60, 60, 60]
    first = next(request for request in target.arrived if request.k == 4)
    assert first.body == payloads(plan, tmp_path).block(4, 0, 1).bodies[0]


async def test_a_stalled_target_does_not_slow_the_arrivals(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s")
    stall: list[float] = []

    def answer(peer: Peer, request: Arrived) -> None:
        if request.i == 100:
            stall.append(time.time() + 1.0)
        wait_s = stall[0] - time.time() if stall else 0.0
        asyncio.get_running_loop().call_later(max(0.0, wait_s), peer.write, OK)

    async with serving(Target(answer)) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        begins = load.segment(PHASE)
        await asyncio.sleep(2.2)
        await load.close()
    closed = load.of("closed")[0]
    assert closed["sent"] == closed["scheduled"]
    assert closed["within_100ms"] >= 0.99 * closed["scheduled"]
    during = [r for r in target.arrived if stall[0] - 1.0 <= r.at <= stall[0]]
    assert len(during) == pytest.approx(200, abs=25)
    worst_s = max(event["latency_max_s"] for event in load.of("sent"))
    assert 0.9 <= worst_s <= 1.3
    assert begins < stall[0]


async def test_latency_counts_from_the_intended_send_even_when_the_pool_is_full(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")

    def answer(peer: Peer, request: Arrived) -> None:
        asyncio.get_running_loop().call_later(0.1, peer.write, OK)

    async with serving(Target(answer)) as target, loading(tmp_path, target.url, max_connections=2) as load:
        await load.saw("ready")
        load.segment(PHASE)
        await asyncio.sleep(1.2)
        await load.close()
    closed = load.of("closed")[0]
    assert len(target.peers) == 2
    assert closed["sent"] < 0.4 * closed["scheduled"]  # two connections carry 20/s of 100/s; the rest is dropped
    assert closed["within_100ms"] < 0.5 * closed["sent"]
    assert closed["error_max_s"] > 0.3
    assert sorted(target.indexes(PHASE)) == list(range(closed["sent"]))
    late = [late_s for event in load.of("sent") for _, late_s in event["late"]]
    assert max(late) == pytest.approx(closed["error_max_s"], abs=0.01)
    assert max(event["latency_max_s"] for event in load.of("sent")) > 0.4


async def _drip(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not peer.gone:
        peer.write(b"x")
        await asyncio.sleep(0.1)


async def _flood(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not peer.gone:
        peer.write(b"40000\r\n" + b"x" * 0x40000 + b"\r\n")
        await asyncio.sleep(0.001)


def _writing(data: bytes, close: bool = False) -> Callable[[Peer], None]:
    def answer(peer: Peer) -> None:
        peer.write(data)
        if close:
            peer.close()

    return answer


def _reset(peer: Peer) -> None:
    peer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.transport.abort()


BROKEN: list[tuple[str, Callable[[Peer], None]]] = [
    ("closed", Peer.close),
    ("reset", _reset),
    ("truncated", _writing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", close=True)),
    ("truncated", _writing(b"HTTP/1.1 200 OK\r\nContent-Le", close=True)),
    ("bad_http", _writing(b"SSH-2.0-OpenSSH\r\n\r\n")),
    ("bad_http", _writing(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nzz")),
    ("timeout", lambda peer: None),
    ("timeout", lambda peer: peer.keep(_drip(peer))),
]


def _errors(load: LoadProcess) -> Counter[str]:
    return sum((Counter(event["errors"]) for event in load.of("sent")), Counter[str]())


async def test_every_way_to_fail_is_counted_by_kind_and_none_slows_the_load(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    target = Target(lambda peer, request: BROKEN[request.i % len(BROKEN)][1](peer))
    async with serving(target), loading(tmp_path, target.url, timeout_s=0.5) as load:
        await load.saw("ready")
        load.segment(PHASE)
        await asyncio.sleep(1.2)
        began = time.monotonic()
        await load.close()
        assert time.monotonic() - began < 2.0
    closed = load.of("closed")[0]
    expected = Counter(BROKEN[i % len(BROKEN)][0] for i in range(closed["sent"]))
    assert _errors(load) == expected
    assert closed["sent"] == closed["scheduled"] > 80
    assert closed["within_100ms"] >= 0.95 * closed["scheduled"]
    assert "Traceback" not in (tmp_path / "load.log").read_text()


async def test_a_target_that_closes_at_once_is_counted(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    async with serving(Target(on_connect=Peer.close)) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        load.segment(PHASE)
        await asyncio.sleep(0.6)
        await load.close()
    assert set(_errors(load)) <= {"closed", "reset"}  # a reset where the request reached a socket already closed
    assert _errors(load).total() == load.of("closed")[0]["sent"] > 30


async def test_an_endless_answer_is_given_up(tmp_path: Path) -> None:
    make_plan(tmp_path, "10/s")
    target = Target(lambda peer, request: peer.keep(_flood(peer)))
    async with serving(target), loading(tmp_path, target.url, timeout_s=2.0) as load:
        await load.saw("ready")
        load.segment(PHASE)
        await asyncio.sleep(0.7)
        await load.close()
    assert set(_errors(load)) == {"too_large"}
    assert _errors(load).total() == load.of("closed")[0]["sent"]


async def test_a_target_that_is_not_there_refuses(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    async with serving(Target()) as target:
        url = target.url
    async with loading(tmp_path, url) as load:
        await load.saw("ready")
        load.segment(FAULT_PHASE)
        await asyncio.sleep(0.6)
        await load.close()
    closed = load.of("closed")[0]
    assert closed["sent"] == closed["failed"] + closed["in_flight"]
    assert closed["failed"] > 20
    assert (closed["first_sent"], closed["last_sent"]) == (None, None)
    assert set(load.of("sent")[0]["errors"]) == {"refused"}
    assert not load.of("touched")
    assert load.of("answered")[0]["code"][0] == 0


async def test_a_restarted_target_is_used_again(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    async with serving(Target()) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        load.segment(PHASE)
        await load.saw("sent", 2)
        for peer in target.peers:
            peer.close()
        peers = len(target.peers)
        await load.saw("sent", 4)
        await load.close()
    assert load.of("closed")[0]["failed"] == 0
    assert len(target.peers) > peers


async def test_a_request_that_meets_a_connection_just_closed_goes_out_once_more(tmp_path: Path) -> None:
    def answer(peer: Peer, request: Arrived) -> None:
        if peer.requests == 1:
            peer.write(OK)
        else:
            peer.close()  # as a server does whose keep-alive time ended while the request was on its way

    make_plan(tmp_path, "50/s")
    async with serving(Target(answer)) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        load.segment(FAULT_PHASE)
        await asyncio.sleep(0.8)
        await load.close()
    closed = load.of("closed")[0]
    assert (closed["failed"], closed["in_flight"]) == (0, 0) or closed["answered"] + closed["in_flight"] == closed[
        "sent"
    ]
    arrivals = Counter(target.indexes(FAULT_PHASE))
    assert max(arrivals.values()) == 2
    touched = [i for event in load.of("touched") if event["injection"] == NULLS for i in event["i"]]
    assert len(touched) == len(set(touched))


async def test_a_request_is_not_sent_again_once_its_answer_began(tmp_path: Path) -> None:
    def answer(peer: Peer, request: Arrived) -> None:
        peer.write(OK if peer.requests == 1 else OK[:20])
        if peer.requests == 2:
            asyncio.get_running_loop().call_later(0.03, _reset, peer)

    make_plan(tmp_path, "50/s")
    async with serving(Target(answer)) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        load.segment(PHASE)
        await asyncio.sleep(0.8)
        await load.close()
    assert max(Counter(target.indexes(PHASE)).values()) == 1
    assert _errors(load)["reset"] > 5


ANSWERS: list[tuple[bytes, bool, bool]] = [  # bytes, whether the target closes then, whether the connection can be kept
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", False, False),
    (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", True, False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False, False),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", False, True),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", False, True),
    (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", False, True),
    (b"HTTP/1.1 204 No Content\r\n\r\n", False, True),
    (OK + OK, False, False),
    (OK + b"rubbish", False, False),
]


async def test_every_way_to_end_an_answer_is_understood(tmp_path: Path) -> None:
    last: dict[Peer, int] = {}

    def answer(peer: Peer, request: Arrived) -> None:
        data, close, _ = ANSWERS[request.i % len(ANSWERS)]
        last[peer] = request.i
        _writing(data, close)(peer)

    make_plan(tmp_path, "50/s")
    async with serving(Target(answer)) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        load.segment(PHASE)
        await asyncio.sleep(0.9)
        await load.close()
    closed = load.of("closed")[0]
    assert (closed["failed"], closed["answered"] + closed["in_flight"]) == (0, closed["sent"])
    codes = sum((Counter(event["codes"]) for event in load.of("sent")), Counter[str]())
    expected = Counter(ANSWERS[i % len(ANSWERS)][0].split()[1].decode() for i in range(closed["sent"]))
    expected["200"] += expected.pop("100")
    assert codes == expected
    kept = [ANSWERS[i % len(ANSWERS)][2] for i in sorted(last.values())]
    assert not any(kept[:-1])  # every connection but the newest ended with an answer that cannot be followed
    assert len(target.peers) < closed["sent"]


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def _running(load: LoadProcess) -> None:
    await load.saw("ready")
    load.segment(PHASE)
    await load.saw("sent")


async def test_the_load_ends_with_the_pipe_of_its_controller(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    async with serving(Target()) as target, loading(tmp_path, target.url) as load:
        await _running(load)
        load.close_pipe()
        assert await load.exit_code(timeout_s=1.0) != 0
        assert _gone(load.pid)


CONTROLLER = """
import os, subprocess, sys, time
load = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
assert b"ready" in load.stdout.readline()
load.stdin.write(b'{"do":"segment","k":1,"at":%f}\\n' % time.time())
load.stdin.flush()
assert b"sent" in load.stdout.readline()
print(load.pid, flush=True)
time.sleep(60)
"""


async def test_the_load_ends_with_a_killed_controller(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    async with serving(Target()) as target:
        arguments = launch.LoadArguments(plan=tmp_path / "plan.json", sample=tmp_path / "sample.csv", url=target.url)
        controller = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CONTROLLER, *(sys.executable, "-m", "alertdrill.lifeline", *launch.argv(arguments)),
            stdout=asyncio.subprocess.PIPE, env={**os.environ, **launch.environment(arguments)},
        )  # fmt: skip
        assert controller.stdout is not None
        pid = int(await asyncio.wait_for(controller.stdout.readline(), 20))
        controller.kill()
        await controller.wait()
        await until(lambda: _gone(pid), limit_s=1.0)


async def test_the_load_ends_when_its_lease_is_not_renewed(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    async with serving(Target()) as target, loading(tmp_path, target.url) as load:
        await _running(load)
        load.do(do="lease", s=0.5)
        await asyncio.sleep(0.3)
        load.do(do="lease", s=0.5)
        began = time.monotonic()
        assert await load.exit_code(timeout_s=2.0) == 75
        assert time.monotonic() - began > 0.4
        assert load.of("lease_lost")


async def test_stop_ends_the_load_within_a_second(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    async with serving(Target(lambda peer, request: None)) as target, loading(tmp_path, target.url) as load:
        await _running(load)
        load.do(do="stop")
        assert await load.exit_code(timeout_s=1.0) == 0
    assert [event["event"] for event in load.events][-2:] == ["closed", "ended"]
    assert load.of("closed")[0]["in_flight"] == load.of("closed")[0]["sent"] > 0


async def test_a_terminated_load_ends_within_a_second(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")
    async with serving(Target()) as target, loading(tmp_path, target.url) as load:
        await _running(load)
        os.kill(load.pid, signal.SIGTERM)
        assert await load.exit_code(timeout_s=1.0) == 0


async def test_closing_waits_for_the_last_answer(tmp_path: Path) -> None:
    make_plan(tmp_path, "100/s")

    def answer(peer: Peer, request: Arrived) -> None:
        asyncio.get_running_loop().call_later(0.7, peer.write, OK)

    async with serving(Target(answer)) as target, loading(tmp_path, target.url) as load:
        await _running(load)
        await load.close()
    closed = load.of("closed")[0]
    assert closed["in_flight"] > 0
    assert sum(event["answered"] for event in load.of("sent")) == closed["sent"] == len(target.arrived)


def _other_arrivals(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text())
    plan["segments"][1]["arrivals_sha256"] = "0" * 64
    (folder / "plan.json").write_text(json.dumps(plan))


def _other_sample(folder: Path) -> None:
    (folder / "sample.csv").write_text((folder / "sample.csv").read_text() + "\n")


def _cut_plan(folder: Path) -> None:
    (folder / "plan.json").write_text((folder / "plan.json").read_text()[:-9])


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (_other_arrivals, r"segments\[1\].arrivals_sha256: got [0-9a-f]{64} here, expected 0{64}"),
        (_other_sample, "sample.csv: got sha256"),
        (_cut_plan, "Invalid JSON"),
    ],
)
async def test_a_load_that_cannot_follow_the_plan_says_why_in_one_line(
    tmp_path: Path, harm: Callable[[Path], None], why: str
) -> None:
    make_plan(tmp_path, "100/s")
    harm(tmp_path)
    async with loading(tmp_path, "http://127.0.0.1:9") as load:
        failed = await load.saw("failed")
        assert await load.exit_code() == 1
    assert re.search(why, failed["why"])
    assert "\n" not in failed["why"]
    assert [event["event"] for event in load.events] == ["failed"]


@pytest.mark.parametrize("command", [{"do": "dance"}, {"do": "segment", "k": 99, "at": 0}])
async def test_a_command_that_makes_no_sense_fails_the_load(tmp_path: Path, command: dict[str, object]) -> None:
    make_plan(tmp_path, "100/s")
    async with loading(tmp_path, "http://127.0.0.1:9") as load:
        await load.saw("ready")
        load.do(**command)
        failed = await load.saw("failed")
        assert await load.exit_code() == 1
    assert failed["why"].startswith("command {")


async def test_arrivals_keep_the_times_of_the_plan(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "200/s", "poisson")
    async with serving(Target()) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        begins = load.segment(PHASE)
        await asyncio.sleep(1.5)
        await load.close()
    segment = plan.segments[PHASE]
    times = arrival_times(segment.arrivals, plan.seed, segment.k, segment.duration_s)
    lateness = sorted(request.at - begins - times[request.i] for request in target.arrived)
    assert lateness[0] > -0.002
    assert lateness[len(lateness) // 2] < 0.01
    closed = load.of("closed")[0]
    assert closed["error_p50_s"] < 0.002
    assert closed["error_p50_s"] <= closed["error_p99_s"] <= closed["error_max_s"]


async def test_lost_requests_are_withheld_and_retries_sent_again_and_both_are_reported(tmp_path: Path) -> None:
    faults = [
        {"kind": "traffic_loss", "share": "40%"},
        {"kind": "retry_storm", "share": "50%", "retries": 2, "after": "100ms"},
        {"kind": "wrong_content_type", "share": "30%"},
    ]
    plan = make_plan(tmp_path, "200/s", faults=faults)
    touch = Touch(plan)
    schedule = touch.schedule(FAULT_PHASE)
    async with serving(Target()) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        load.segment(FAULT_PHASE)
        await asyncio.sleep(1.5)
        await load.close()
    (closed,) = load.of("closed")
    reached = closed["sent"] + closed["suppressed"]
    assert reached == closed["scheduled"] > 300
    assert sorted(request.i for request in target.arrived) == schedule.sent[:reached].nonzero()[0].tolist()
    for injection in plan.injections:
        reported = sorted(i for event in load.of("touched") if event["injection"] == injection.id for i in event["i"])
        assert reported == touch.mask(injection, 0, reached).nonzero()[0].tolist()
    bodies = {request.i: request.body for request in target.arrived}
    assert all(bodies[i] == bodies[schedule.origin[i]] for i in bodies)
    types = {request.i for request in target.arrived if request.headers[b"content-type"] == b"text/plain"}
    assert types == set(touch.mask(plan.injections[2], 0, reached).nonzero()[0].tolist())


async def test_nothing_is_imported_once_the_load_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import takes up to a tenth of a second, in which nothing is sent."""
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    make_plan(tmp_path, "200/s", faults=OF_MANY_PARTS)
    log = tmp_path / "load.log"
    async with serving(Target()) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        ready = log.stat().st_size
        load.segment(PHASE)
        load.segment(FAULT_PHASE, 0.7)
        await until(lambda: len(target.indexes(FAULT_PHASE)) > 200)
        meanwhile = log.read_bytes()[ready:]
        await load.close()
    assert b"import time:" in log.read_bytes()[:ready]
    assert meanwhile == b""


@pytest.mark.parametrize(
    "framed", [b"Content-Length: 9\r\n\r\n<p>hi</p>", b"Transfer-Encoding: chunked\r\n\r\n9\r\n<p>hi</p>\r\n0\r\n\r\n"]
)
async def test_of_every_fiftieth_answer_it_is_known_whether_it_can_be_a_prediction(
    framed: bytes, tmp_path: Path
) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + framed
    prediction = OK.replace(b"2\r\n\r\n{}", b'11\r\n\r\n{"label":1}')
    make_plan(tmp_path, "400/s")
    at_login = Target(lambda peer, request: peer.write(page if request.i == 50 else prediction))
    async with serving(at_login) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        load.segment(PHASE)
        await until(lambda: len(target.arrived) > 160)
        await load.close()
    (closed,) = load.of("closed")
    assert closed["answers_read"] == (closed["answered"] - 1) // 50 + 1 > 3
    assert closed["answers_unreadable"] == 1
    assert closed["unreadable_example"].startswith("'<p>hi</p>': ")
