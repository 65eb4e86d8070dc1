"""The load beside wrk, hey and Locust's own users: CPU a request, punctuality, and what a stall of the target shows.

    python benchmarks/load.py [--quick] [--json FILE]

The target is nginx that answers at once, on core 0; every client runs on core 1 with 32 keep-alive connections. CPU a
request is user and system time of the client's process at saturation, of answered requests; the clients take turns, so
that a busy machine slows all alike, and figures are medians over the turns. Ours builds the payload from a sample (20%
nulls in one of ten features, a mean shift in another, of every request), journals every touched request and keeps
Locust's statistics; FastHttpUser posts rows as they are, wrk and hey one body.

Arrival errors are |sent - due|: of ours from the plan's Poisson arrivals, of constant_throughput from an even grid.
"""

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gevent
import httptools
import locust
import numpy as np
import psutil
from scipy import stats
from support import debian, our_load
from support import figures as figures_file
from support.server import Server, serving

from alertdrill.core.touch import Touch

CLIENT_CORE = 1
CONNECTIONS = 32
SATURATING_PER_S = 60_000.0
BODY = json.dumps({f"x{i}": 20.25 for i in range(10)})
LUA = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{body}'
"""
PEERS = Path(__file__).parent / "support" / "locust_peers.py"
TIMERS = PEERS.with_name("timers.py")
Faults = Sequence[Mapping[str, object]]


def pinned(command: Sequence[object], environ: Mapping[str, str] | None = None) -> tuple[str, float]:
    """Run a client on its core to its end; its output and its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["taskset", "-c", str(CLIENT_CORE), *map(str, command)],
        env=dict(environ or os.environ),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wrk_us(server: Server, folder: Path, seconds: float) -> float:
    programs = debian.programs()
    (folder / "post.lua").write_text(LUA.format(body=BODY))
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "-s", folder / "post.lua", f"{server.url}/predict"]
    text, cpu_s = pinned([programs / "usr/bin/wrk", *options], debian.environment(programs))
    found = re.search(r"(\d+) requests in", text)
    assert found is not None, text
    return cpu_s / int(found[1]) * 1e6


def hey_us(server: Server, seconds: float) -> float:
    options = ["-z", f"{seconds:.0f}s", "-c", CONNECTIONS, "-m", "POST", "-T", "application/json", "-d", BODY]
    command = [debian.programs() / "usr/bin/hey", *options, f"{server.url}/predict"]
    text, cpu_s = pinned(command, {**os.environ, "GOMAXPROCS": "1"})
    found = re.search(r"\[200\]\s+(\d+) responses", text)
    assert found is not None, text
    return cpu_s / int(found[1]) * 1e6


def peer(what: str, server: Server, *options: object) -> Any:
    return json.loads(pinned([sys.executable, PEERS, what, server.url, *options])[0])


def fast_http_user_us(server: Server, seconds: float) -> float:
    found = peer("saturate", server, seconds)
    return found["cpu_s"] / found["requests"] * 1e6


def answered(load: our_load.OurLoad) -> int:
    return sum(event["answered"] for event in load.events if event["event"] == "sent")


def ours_us(server: Server, folder: Path, seconds: float, faults: Faults) -> float:
    our_load.write_plan(folder, SATURATING_PER_S, seconds + 3.0, faults, "constant")
    with our_load.loading(folder, server.url, CLIENT_CORE, max_connections=CONNECTIONS) as load:
        load.segment(our_load.PHASE)
        time.sleep(1.0)
        cpu_s, count = load.cpu_s(), answered(load)
        time.sleep(seconds)
        cpu_s, count = load.cpu_s() - cpu_s, answered(load) - count
    return cpu_s / count * 1e6


def punctuality(server: Server, folder: Path, rate_per_s: float, seconds: float) -> dict[str, float]:
    """Errors of our sends in ms, and how the sends are spread, against what Poisson arrivals are."""
    plan = our_load.write_plan(folder, rate_per_s, seconds, our_load.FAULTS, "poisson")
    planned = Touch(plan).schedule(our_load.PHASE).at
    with our_load.loading(folder, server.url, CLIENT_CORE) as load:
        at = load.segment(our_load.PHASE)
        load.do(do="close", at=at + seconds)
        closed = load.saw("closed", our_load.PHASE)
        load.saw("ended")
        touched = [one for one in load.events if one["event"] == "touched" and one["injection"].endswith("mean_shift")]
    sent = np.sort([one["from"] + us * 1e-6 for one in touched for us in one["sent_us"]])
    late = np.abs(sent - at - planned[: len(sent)])
    counts = np.histogram(sent, bins=int(seconds * rate_per_s / 5), range=(at, at + seconds))[0]
    return {
        "p50_ms": float(np.quantile(late, 0.5) * 1e3),
        "p99_ms": float(np.quantile(late, 0.99) * 1e3),
        "sent": closed["sent"],
        "scheduled": closed["scheduled"],
        "planned_ks_p": float(stats.kstest(np.diff(planned) * rate_per_s, "expon").pvalue),
        "sent_ks_p": float(stats.kstest(np.diff(sent) * rate_per_s, "expon").pvalue),
        "dispersion": float(counts.var(ddof=1) / counts.mean()),
    }


def sleep_control(rate_per_s: float, seconds: float) -> float:
    """How late a plain sleep is, p99 in ms: what this machine lets nobody do better than."""
    os.sched_setaffinity(0, {CLIENT_CORE})
    due = time.perf_counter() + np.arange(1, int(rate_per_s * seconds)) / rate_per_s
    late = []
    for at in due.tolist():
        time.sleep(max(0.0, at - time.perf_counter()))
        late.append(time.perf_counter() - at)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return float(np.quantile(late, 0.99) * 1e3)


def stalled(server: Server, folder: Path, seconds: float) -> dict[str, float]:
    """p99 that users felt while the target stalled for a second: as we say it, and as it must be."""
    plan = our_load.write_plan(folder, 200.0, seconds, (), "poisson")
    due = Touch(plan).schedule(our_load.PHASE).at
    with our_load.loading(folder, server.url, CLIENT_CORE) as load:
        at = load.segment(our_load.PHASE)
        load.do(do="close", at=at + seconds)
        while time.time() < at + seconds / 3:
            time.sleep(0.01)
        began, ended = server.stall(1.0)
        closed = load.saw("closed", our_load.PHASE)
    due = due[due < seconds]
    felt = np.where((due + at > began) & (due + at < ended), ended - at - due, 0.0)
    truth = float(np.sort(felt)[int(np.ceil(0.99 * len(felt))) - 1])
    return {"p99_ms": closed["latency_p99_s"] * 1e3, "truth_ms": truth * 1e3}


def closed_loop_stall(server: Server, seconds: float) -> float:
    timer = threading.Timer(1.5 + seconds / 3, server.stall, [1.0])
    timer.start()
    found = peer("stall", server, 200, 10, seconds)
    timer.join()
    return float(found["p99_ms"])


def first_request_s(server: Server, folder: Path) -> float:
    """From the start of the load process to its first request."""
    our_load.write_plan(folder, 100.0, 5.0, our_load.FAULTS, "constant")
    with our_load.loading(folder, server.url, CLIENT_CORE) as load:
        load.segment(our_load.PHASE, after_s=0.0)
        touched = load.saw("touched")
        return float(touched["from"] - load.started_at)


def median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 7)


def main() -> None:
    options = figures_file.options(__doc__)
    seconds, turns = (1.5, 5) if options.quick else (4.0, 7)
    with serving() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = []
        for _ in range(turns):
            rows.append(
                {
                    "wrk": wrk_us(server, folder, max(1.0, seconds)),
                    "ours": ours_us(server, folder, seconds, our_load.FAULTS),
                    "clean": ours_us(server, folder, seconds, ()),
                    "fast": fast_http_user_us(server, seconds),
                    "hey": hey_us(server, max(1.0, seconds)),
                }
            )
            print("  us/request " + "  ".join(f"{who} {us:6.1f}" for who, us in rows[-1].items()), flush=True)
        long_s = 10.0 if options.quick else 30.0
        timers = json.loads(pinned([sys.executable, TIMERS, "5"])[0])
        control_ms = sleep_control(1000, long_s)
        by_rate = {rate: punctuality(server, folder, rate, long_s) for rate in (200, 1000, 5000)}
        throughput = {
            rate: peer("rate", server, rate, users, long_s)["errors_s"] for rate, users in ((200, 20), (1000, 100))
        }
        stall = stalled(server, folder, 15.0)
        closed_ms = closed_loop_stall(server, 15.0)
        first_s = min(first_request_s(server, folder) for _ in range(3))
    ratio = {who: median([row["ours"] / row[who] for row in rows]) for who in ("wrk", "clean", "fast", "hey")}
    grid_ms = {rate: median(errors) * 1e3 for rate, errors in throughput.items()}
    figures = {
        "cpu_per_request_us": median([row["ours"] for row in rows]),
        "clean_cpu_per_request_us": median([row["clean"] for row in rows]),
        "fasthttpuser_cpu_per_request_us": median([row["fast"] for row in rows]),
        "wrk_cpu_per_request_us": median([row["wrk"] for row in rows]),
        "hey_cpu_per_request_us": median([row["hey"] for row in rows]),
        "ratio_to_fasthttpuser": ratio["fast"],
        "ratio_to_wrk": ratio["wrk"],
        "ratio_to_clean": ratio["clean"],
        "arrival_error_p50_ms": max(by_rate[rate]["p50_ms"] for rate in (200, 1000)),
        "arrival_error_p99_ms": max(by_rate[rate]["p99_ms"] for rate in (200, 1000)),
        "sleep_control_p99_ms": control_ms,
        "constant_throughput_error_p50_ms": min(grid_ms.values()),
        "stall_p99_ms": stall["p99_ms"],
        "stall_truth_p99_ms": stall["truth_ms"],
        "closed_loop_stall_p99_ms": closed_ms,
        "first_request_s": first_s,
        "timerfd_error_p50_ms": median(timers["TimerFd"]) * 1e3,
        "portable_timer_error_p50_ms": median(timers["HubTimer"]) * 1e3,
        **{f"at_{rate}_{name}": value for rate, found in by_rate.items() for name, value in found.items()},
    }
    for name, value in figures.items():
        print(f"{name:36} {value:12.4f}")
    environment = {
        "locust": locust.__version__,
        "gevent": gevent.__version__,
        "httptools": httptools.__version__,
        "cpus": psutil.cpu_count(),
    }
    figures_file.write(options.json, figures, environment)


if __name__ == "__main__":
    main()
