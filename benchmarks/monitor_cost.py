"""What monitoring costs a request, beside prometheus-fastapi-instrumentator and nginx.

    python benchmarks/monitor_cost.py [--quick] [--json FILE]

Inside an app: one Starlette app on uvicorn, bare, with our middleware (features, drift, predictions, dependencies,
resources and the prediction log on), and with prometheus-fastapi-instrumentator. As a sidecar: our proxy (bodies and
answers accounted) and nginx `proxy_pass` in front of nginx that answers at once.

What is measured runs on core 0, wrk (16 kept connections, 100 bodies in turn) and the proxies' target on core 1. CPU a
request is that of the measured process with all its threads, what it does after its last request included. All take
turns, so that a busy machine slows all alike; added CPU is the median over the turns of the difference within a turn.
Of what the middleware adds, `counting` is what its folds take, some ten times a second, and `path` the rest: what
happens before an answer leaves, and the thread that writes the log.
Added latency is that of single requests at 200/s, sent in turn to the target and through each proxy.

Beside them stands the least that a proxy in Python can do (`support/forwarder.py`). `own_heads` is the sidecar against
nginx when each request has an id in its head, so that no two heads are alike. `drift` is counting without any request:
one update of the detector, and decoded rows of 15 features counted in batches of 500 with an update after each.
"""

import http.client
import json
import os
import random
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from support import debian, instrumentator, proxies
from support import figures as figures_file
from support.proxies import Process, cpu_s
from support.server import serving

from alertdrill.drift.cells import CategoryCells, Cells, NumericCells
from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.monitor.features import FeatureCounters

MEASURED_CORE, CLIENT_CORE = 0, 1
CONNECTIONS = 16
AFTER_S = 0.3
NUMBERS = tuple(f"x{i}" for i in range(7))
CATEGORIES = ("merchant", "country", "device")
VALUES = [f"value-{i}" for i in range(12)]
LUA = """local bodies = {{ {bodies} }}
local i = 0
wrk.method = "POST"
wrk.path = "/predict"
wrk.headers["Content-Type"] = "application/json"
request = function()
  i = i % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[i])
end
"""
OWN_HEADS = LUA.replace(
    "return wrk.format", "n = n + 1\n  wrk.headers['X-Request-Id'] = string.format('%08d', n)\n  return wrk.format"
).replace("local i = 0", "local i = 0\nlocal n = 0")


def rows(count: int, numbers: Sequence[str], generator: np.random.Generator) -> list[dict[str, object]]:
    columns: dict[str, list[object]] = {name: generator.lognormal(3, 1, count).round(2).tolist() for name in numbers}
    columns |= {name: generator.choice(VALUES, count).tolist() for name in CATEGORIES}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def write_model(folder: Path, numbers: Sequence[str]) -> None:
    """schema.json, sample.csv, and for wrk post.lua and own_heads.lua."""
    folder.mkdir(exist_ok=True)
    features = [{"name": name, "kind": "number"} for name in numbers]
    features += [{"name": name, "kind": "category"} for name in CATEGORIES]
    (folder / "schema.json").write_text(json.dumps({"features": features}))
    sample = rows(5_000, numbers, np.random.default_rng(7))
    lines = [",".join(sample[0]), *(",".join(map(str, row.values())) for row in sample)]
    (folder / "sample.csv").write_text("\n".join(lines) + "\n")
    bodies = ",".join(f"'{json.dumps(row)}'" for row in sample[:100])
    for name, text in (("post", LUA), ("own_heads", OWN_HEADS)):
        (folder / f"{name}.lua").write_text(text.format(bodies=bodies))


def requests_s(folder: Path, port: int, seconds: float, script: str = "post") -> int:
    """Have wrk ask for some seconds; how many answers with status 200 it got."""
    programs = debian.programs()
    options = [
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds:.0f}s",
        "-s",
        folder / f"{script}.lua",
        f"http://127.0.0.1:{port}",
    ]
    done = subprocess.run(
        ["taskset", "-c", str(CLIENT_CORE), programs / "usr/bin/wrk", *options],
        env=debian.environment(programs),
        capture_output=True,
        text=True,
        check=True,
        timeout=60 + seconds,
    )
    found = re.search(r"(\d+) requests in", done.stdout)
    assert found is not None, done.stdout
    assert "Non-2xx" not in done.stdout, done.stdout
    return int(found[1])


def cpu_us(folder: Path, measured: Process, seconds: float, script: str) -> float:
    """CPU a request, in microseconds."""
    before = cpu_s(measured.pid)
    count = requests_s(folder, measured.port, seconds, script)
    time.sleep(AFTER_S)  # what is folded and written after the last answer counts too
    return (cpu_s(measured.pid) - before) / count * 1e6


def in_turns(
    folder: Path, measured: Mapping[str, Process], seconds: float, turns: int, script: str = "post"
) -> list[dict[str, float]]:
    """CPU a request of each, turn by turn, in a changing order."""
    for one in measured.values():
        requests_s(folder, one.port, 1)
    found = []
    for turn in range(turns):
        names = list(measured)
        names = names[turn % len(names) :] + names[: turn % len(names)]
        row = {name: cpu_us(folder, measured[name], seconds, script) for name in names}
        print("  us/request " + "  ".join(f"{name} {row[name]:6.1f}" for name in measured), flush=True)
        found.append(row)
    return found


def middle(found: Sequence[Mapping[str, float]], figure: Callable[[Mapping[str, float]], float]) -> float:
    return round(statistics.median(map(figure, found)), 3)


def inside_apps(folder: Path, seconds: float, turns: int) -> dict[str, float]:
    script = Path(__file__).parent / "support" / "monitored_app.py"
    paths = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(instrumentator.folder())]))
    with ExitStack() as stack:
        apps = {
            kind: stack.enter_context(
                proxies.python(MEASURED_CORE, script, kind, folder, environ={"PYTHONPATH": paths})
            )
            for kind in ("bare", "monitor", "instrumentator")
        }
        found = in_turns(folder, apps, seconds, turns)
        counted, folded_s = metrics(apps["monitor"].port), float(got(apps["monitor"].port, "/folded"))
    added_us = middle(found, lambda row: row["monitor"] - row["bare"])
    counting_us = folded_s / sum_of(counted, "model_requests_total") * 1e6
    return {
        "bare_us": middle(found, lambda row: row["bare"]),
        "inprocess_to_bare": middle(found, lambda row: row["monitor"] / row["bare"]),
        "inprocess_added_us": added_us,
        "inprocess_path_us": round(added_us - counting_us, 3),
        "inprocess_counting_us": round(counting_us, 3),
        "instrumentator_added_us": middle(found, lambda row: row["instrumentator"] - row["bare"]),
        "inprocess_to_instrumentator": middle(
            found, lambda row: (row["monitor"] - row["bare"]) / (row["instrumentator"] - row["bare"])
        ),
        "inprocess_dropped": sum_of(counted, "model_monitor_dropped_total"),
        "inprocess_log_lines_lost": sum_of(counted, "model_monitor_log_lines_total", "dropped", "failed"),
    }


def sidecar(folder: Path, upstream: int, *more: object) -> tuple[object, ...]:
    files = ("--schema", folder / "schema.json", "--reference", folder / "sample.csv", "--label", "/prediction")
    to = ("--upstream", f"http://127.0.0.1:{upstream}")
    return ("-m", "alertdrill.lifeline", "-m", "alertdrill.monitor", *files, *to, *more)


def in_front(folder: Path, seconds: float, turns: int, single: int) -> dict[str, float]:
    log = ("--log", folder / "sidecar.jsonl")
    forwarder = Path(__file__).parent / "support" / "forwarder.py"
    with ExitStack() as stack:
        target = stack.enter_context(serving(CLIENT_CORE))
        proxied = {
            "sidecar": stack.enter_context(proxies.python(MEASURED_CORE, *sidecar(folder, target.port))),
            "nginx": stack.enter_context(proxies.nginx(folder, target.port, MEASURED_CORE)),
            "logging": stack.enter_context(proxies.python(MEASURED_CORE, *sidecar(folder, target.port, *log))),
            "forwarder": stack.enter_context(proxies.python(MEASURED_CORE, forwarder, target.port)),
        }
        found = in_turns(folder, proxied, seconds, turns)
        two = {name: proxied[name] for name in ("sidecar", "nginx")}
        own_heads = in_turns(folder, two, seconds, turns, "own_heads")
        ports = {"target": target.port, "sidecar": proxied["sidecar"].port, "nginx": proxied["nginx"].port}
        latency_ms = single_requests(ports, single)
        counted = metrics(proxied["sidecar"].port)
    return {
        "sidecar_us": middle(found, lambda row: row["sidecar"]),
        "nginx_us": middle(found, lambda row: row["nginx"]),
        "sidecar_to_nginx": middle(found, lambda row: row["sidecar"] / row["nginx"]),
        "forwarder_to_nginx": middle(found, lambda row: row["forwarder"] / row["nginx"]),
        "sidecar_own_heads_to_nginx": middle(own_heads, lambda row: row["sidecar"] / row["nginx"]),
        "sidecar_logging_us": middle(found, lambda row: row["logging"]),
        "sidecar_added_p50_ms": latency_ms["sidecar"] - latency_ms["target"],
        "nginx_added_p50_ms": latency_ms["nginx"] - latency_ms["target"],
        "sidecar_dropped": sum_of(counted, "model_monitor_dropped_total"),
    }


def single_requests(ports: Mapping[str, int], count: int, rate_per_s: float = 200.0) -> dict[str, float]:
    """Median latency in ms of single requests, sent in turn at that rate."""
    os.sched_setaffinity(0, {CLIENT_CORE})
    clients = {name: http.client.HTTPConnection("127.0.0.1", port, timeout=10) for name, port in ports.items()}
    bodies = [json.dumps(row) for row in rows(100, NUMBERS, np.random.default_rng(8))]
    took: dict[str, list[float]] = {name: [] for name in ports}
    due = time.perf_counter()
    for turn in range(count):
        for name in random.sample(list(ports), len(ports)):
            due += 1 / rate_per_s
            time.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            clients[name].request("POST", "/predict", bodies[turn % 100], {"content-type": "application/json"})
            clients[name].getresponse().read()
            took[name].append(time.perf_counter() - began)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return {name: statistics.median(some) * 1e3 for name, some in took.items()}


def metrics(port: int) -> str:
    return got(port, "/metrics")


def got(port: int, path: str) -> str:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    client.request("GET", path)
    return client.getresponse().read().decode()


def sum_of(text: str, name: str, *values: str) -> float:
    """Sum of a metric's series, of those only that have one of the label values."""
    lines = [line for line in text.splitlines() if line.startswith(name + "{")]
    wanted = [line for line in lines if not values or any(f'"{value}"' in line for value in values)]
    return sum(float(line.rpartition(" ")[2]) for line in wanted)


def scrape_ms(folder: Path, scrapes: int) -> float:
    """Median time of `GET /metrics` with 100 features, as a scraper waits for it."""
    numbers = tuple(f"y{i}" for i in range(100 - len(CATEGORIES)))
    write_model(folder, numbers)
    with serving(CLIENT_CORE) as target, proxies.python(MEASURED_CORE, *sidecar(folder, target.port)) as one:
        requests_s(folder, one.port, 1)
        took = []
        for _ in range(scrapes):
            began = time.perf_counter()
            text = metrics(one.port)
            took.append(time.perf_counter() - began)
        assert text.count("model_feature_values_total{") > 1_000
    return statistics.median(took) * 1e3


def drift_figures(features: int = 15, batch: int = 500) -> dict[str, float]:
    """CPU of counting: what no request waits for."""
    generator = np.random.default_rng(9)
    names = tuple(f"x{i}" for i in range(features - len(CATEGORIES)))
    sample = rows(20_000, names, generator)
    cells: dict[str, Cells] = {n: NumericCells.from_reference(np.array([row[n] for row in sample])) for n in names}
    cells |= {name: CategoryCells.from_reference([str(row[name]) for row in sample]) for name in CATEGORIES}
    detector = EDetector(list(cells.values()), log_threshold(features))
    counters = FeatureCounters({"model": "model", "version": "1"}, cells, (), detector)
    one = np.zeros(detector.shape, dtype=np.int64)
    one[:, 1] = batch
    updates, counted = [], []
    for start in range(0, len(sample) - batch, batch):
        began = time.process_time()
        for _ in range(100):
            detector.update(one)
        between = time.process_time()
        counters.add(sample[start : start + batch])
        counters.update()
        updates.append((between - began) / 100)
        counted.append(batch / (time.process_time() - between))
    return {
        "drift_update_us": round(statistics.median(updates) * 1e6, 1),
        "drift_rows_s": round(statistics.median(counted)),
    }


def main() -> None:
    options = figures_file.options(__doc__)
    seconds, turns, single = (1.0, 7, 300) if options.quick else (3.0, 11, 1_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        write_model(folder, NUMBERS)
        figures = inside_apps(folder, seconds, turns)
        figures |= in_front(folder, seconds, turns, single)
        figures |= drift_figures()
        figures["metrics_100_features_ms"] = scrape_ms(Path(name) / "wide", 21)
    for name, value in figures.items():
        print(f"{name:32} {value:12.4f}")
    figures_file.write(options.json, figures, {"instrumentator": instrumentator.VERSION, "cpus": os.cpu_count()})


if __name__ == "__main__":
    main()
