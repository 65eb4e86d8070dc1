"""How exact the instants of alerts are: read from raw samples, and in the ways that others use.

    python benchmarks/detection.py [--quick] [--json FILE]

A real Prometheus for each interval (1 s and 200 ms) watches series that go up and down at random, through alerts with
`for` 0, 2 and 10 s. What the engine itself says of an episode, `startsAt` and `endsAt` of the alerts that it posts, is
the truth. Beside our way (raw samples of `ALERTS`, resolved one interval after the last) stand, over the same episodes:
polling `/api/v1/alerts` each 1 and 5 s, as scripts do, and `query_range` with steps of 1, 5, 10 and 15 s, as dashboards
do. An episode that a way does not show at all, or shows as part of another, is missed by it.

`check_cpu_s` is the CPU in which a drill of one hour with 200 alerts and 10,000 samples of them is judged.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from support import figures as figures_file

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.unit.core import drill

from alertdrill.adapters.alert_receiver import AlertReceiver
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_binary import find_prometheus
from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_install import require_prometheus
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.core.alerts import episodes
from alertdrill.core.observations import AlertPost
from alertdrill.run.checker import judge

FORS_S = (0, 2, 10)
SERIES = 24
UP_S, DOWN_S = (1.0, 16.0), (2.0, 9.0)
POLLS_S = (1, 5)
STEPS_S = (1, 5, 10, 15)
TAIL_S = 12.0

Key = tuple[str, str]  # alert, series
Spans = Mapping[Key, Sequence[tuple[float, float]]]  # firing and resolved, in Unix seconds


@dataclass
class Seen:
    """What one way of looking shows: spans in which each alert fires, in Unix seconds."""

    spans: dict[Key, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    _open: dict[Key, float] = field(default_factory=dict)

    def look(self, at: float, firing: Iterable[Key]) -> None:
        """These fire at that instant."""
        now = set(firing)
        for key in self._open.keys() - now:
            self.spans[key].append((self._open.pop(key), at))
        for key in now - self._open.keys():
            self._open[key] = at


def ups(seed: int, lasts_s: float) -> list[tuple[float, float]]:
    """When a series is up, in seconds after the begin."""
    draw, at, found = random.Random(seed), 0.0, []
    while at < lasts_s:
        at += draw.uniform(*DOWN_S)
        up = draw.uniform(*UP_S)
        found.append((at, at + up))
        at += up
    return found


@asynccontextmanager
async def exporter(plan: Sequence[Sequence[tuple[float, float]]]) -> AsyncIterator[tuple[str, list[float]]]:
    """Shows each series as it is now, once the begin is set; its address, and where to put the begin."""
    begin: list[float] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                at = time.time() - begin[0] if begin else -1.0
                up = [any(begins <= at < ends for begins, ends in one) for one in plan]
                body = "".join(f'flip{{n="{n}"}} {one:d}\n' for n, one in enumerate(up)).encode()
                head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
                writer.write(head % len(body) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", begin
    server.close()


def rules() -> str:
    """An alert for each `for`, and a record of every evaluation."""
    alerts = "".join(f"  - {{alert: For{s}, expr: flip == 1, for: {s}s}}\n" for s in FORS_S)
    return f"groups:\n- name: flips\n  rules:\n  - {{record: evaluated, expr: vector(1)}}\n{alerts}"


async def first_sample(url: str) -> float:
    """Wait until the series are scraped; the time."""
    async with PrometheusApi(url) as api:
        while not await api.instant("flip"):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.1)
    return time.time()


async def poll(url: str, every_s: float, seen: Seen, until: float) -> None:
    """Look at the alerts as scripts do."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        at = time.time()
        while at < until:
            alerts = (await client.get("/api/v1/alerts")).json()["data"]["alerts"]
            seen.look(time.time(), [_key(one["labels"]) for one in alerts if one["state"] == "firing"])
            at += every_s
            await asyncio.sleep(max(0.0, at - time.time()))


async def steps(url: str, step_s: int, begin: float, end: float) -> Seen:
    """Look at the alerts as dashboards do."""
    params = {"query": 'ALERTS{alertstate="firing"}', "start": f"{begin:.3f}", "end": f"{end:.3f}", "step": str(step_s)}
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        found = (await client.get("/api/v1/query_range", params=params)).json()["data"]["result"]
    firing: dict[float, list[Key]] = defaultdict(list)
    for one in found:
        for at, _ in one["values"]:
            firing[float(at)].append(_key(one["metric"]))
    seen = Seen()
    for at in np.arange(begin, end, step_s):
        seen.look(float(at), firing.get(round(float(at), 3), []))
    return seen


async def ours(url: str, interval_s: float, begin: float, end: float) -> Seen:
    """Read raw samples, as a drill does."""
    async with PrometheusApi(url) as api:
        span_ms = round((end - begin) * 1000)
        series = await api.raw(f"ALERTS[{span_ms}ms]", end)
        (evaluated,) = await api.raw(f"evaluated[{span_ms}ms]", end)
    seen = Seen()
    for one in episodes(series, round(interval_s * 1000), evaluated.times_ms, round(end * 1000)):
        if one.firing_at is not None and one.resolved_at is not None:
            seen.spans[one.alert, dict(one.labels)["n"]].append((one.firing_at / 1000, one.resolved_at / 1000))
    return seen


def truth(posts: Iterable[AlertPost]) -> Spans:
    """What the engine says itself."""
    found: dict[Key, set[tuple[float, float]]] = defaultdict(set)
    for post in posts:
        for one in post.alerts:
            if one.status == "resolved" and one.ends_at_ms is not None:
                found[_key(one.labels)].add((one.starts_at_ms / 1000, one.ends_at_ms / 1000))
    return {key: sorted(spans) for key, spans in found.items()}


def _key(labels: Mapping[str, str]) -> Key:
    return labels["alertname"], labels["n"]


def errors(true: Spans, seen: Spans) -> tuple[list[float], list[float], int]:
    """How late each episode is shown to fire and to be resolved, in ms; and how many are missed.

    A span shows the earliest episode that ended after it began, and every other that it covers is missed.
    """
    fires, resolves, missed = [], [], 0
    for key, episodes_ in true.items():
        spans = list(seen.get(key, ()))
        for n, (fired, resolved) in enumerate(episodes_):
            upper = episodes_[n + 1][0] if n + 1 < len(episodes_) else float("inf")
            own = [one for one in spans if fired - 1e-3 <= one[0] < upper]
            if own:
                fires.append((own[0][0] - fired) * 1000)
                resolves.append((own[0][1] - resolved) * 1000)
            else:
                missed += 1
    return fires, resolves, missed


async def one_interval(prometheus: Path, interval_s: float, lasts_s: float) -> dict[str, tuple[Spans, Spans]]:
    """Truth and what is seen, by way of looking."""
    plan = [ups(seed, lasts_s) for seed in range(SERIES)]
    posts: list[AlertPost] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "rules.yml").write_text(rules())
        address, begins = await stack.enter_async_context(exporter(plan))
        receiver = await stack.enter_async_context(AlertReceiver(posts.append))
        engine = await start_prometheus(
            prometheus,
            jobs=[ScrapeJob("flips", (address,))],
            rule_files=[folder / "rules.yml"],
            scrape_interval_s=interval_s,
            evaluation_interval_s=interval_s,
            alertmanagers=[receiver.address],
        )
        stack.push_async_callback(engine.stop)
        begins.append(begin := await first_sample(engine.url))
        polled = {every_s: Seen() for every_s in POLLS_S}
        until = begin + lasts_s + max(UP_S) + TAIL_S
        await asyncio.gather(*[poll(engine.url, every_s, seen, until) for every_s, seen in polled.items()])
        stepped = {step_s: await steps(engine.url, step_s, begin, until) for step_s in STEPS_S}
        read = await ours(engine.url, interval_s, begin, until)
    true = truth(posts)
    ways = {"raw": read.spans}
    ways |= {f"poll_{every_s}s": seen.spans for every_s, seen in polled.items()}
    ways |= {f"step_{step_s}s": seen.spans for step_s, seen in stepped.items()}
    return {name: (true, spans) for name, spans in ways.items()}


async def measured(lasts_s: float) -> dict[str, float]:
    prometheus = require_prometheus(find_prometheus()).prometheus.path
    of_all: dict[str, list[tuple[list[float], list[float], int]]] = defaultdict(list)
    spans: Counter[str] = Counter()
    for interval_s in (1.0, 0.2):
        found = await one_interval(prometheus, interval_s, lasts_s)
        print(f"  {interval_s:g} s: {sum(map(len, found['raw'][0].values()))} episodes", flush=True)
        for name, (true, seen) in found.items():
            of_all[name].append(errors(true, seen))
            spans[name] += sum(map(len, seen.values()))
    figures: dict[str, float] = {}
    for name, parts in of_all.items():
        fires, resolves = [ms for part in parts for ms in part[0]], [ms for part in parts for ms in part[1]]
        missed = sum(part[2] for part in parts)
        if name == "raw":
            figures["episodes"] = len(fires) + missed
            figures["firing_error_max_ms"] = max(map(abs, fires))
            figures["resolve_error_max_ms"] = max(map(abs, resolves))
            figures["missed"] = missed
            figures["invented"] = spans["raw"] - len(fires)
        else:
            figures[f"{name}_error_mean_ms"] = statistics.fmean(fires)
            figures[f"{name}_error_max_ms"] = max(fires)
            figures[f"{name}_resolve_error_mean_ms"] = statistics.fmean(resolves)
            figures[f"{name}_missed"] = missed
    return figures


def check_cpu_s() -> float:
    """CPU in which a drill of an hour is judged: 40 phases, 200 alerts, 10,000 samples of alerts, 20 requests a second.

    The drill is the synthetic one of the tests; the engine posts each alert at every evaluation while it fires.
    """
    alerts = [f"Alert{n}" for n in range(200)]
    ratio = drill.rule("nulls:ratio5s", drill.RATIO, kind="recording")
    rules = drill.group(ratio, *(drill.rule(name, "nulls:ratio5s > 0.05", 2.0, severity="P1") for name in alerts))
    phases = [drill.nulls_phase(f"phase{n}", duration="79s", expect=[drill.expect(alerts[n])]) for n in range(40)]
    hour = drill.Drill(drill.BASELINE, *phases, rules=rules, false_alarms="report", limits={"max_duration": "2h"})
    assert 3500 < (hour.to_ms - hour.from_ms) / 1000 < 4000
    starts = [hour.start_ms(f"phase{n}") for n in range(40)]
    for n, alert in enumerate(alerts):
        start = hour.evaluation(starts[n % 40] + 1200)
        lasts_ms = 81_000 if n < 40 else 41_000
        hour.fire(start, start + 2000, start + lasts_ms, alert)
        for posted_ms in range(start + 2000, start + lasts_ms, 1000):
            hour.post(posted_ms + 5, start + 2000, alert)
    recording = hour.recording()
    samples = sum(len(one.times_ms) for one in recording.series if one.labels["__name__"] == "ALERTS")
    assert samples == 10_000
    before = time.process_time()
    judged = judge(hour.plan, hour.journal, recording)
    took = time.process_time() - before
    wrong = [one for one in judged.expectations if one.verdict != "detected"]
    assert not wrong, wrong[0]
    return took


def main() -> None:
    options = figures_file.options(__doc__ or "")
    figures = asyncio.run(measured(40.0 if options.quick else 150.0))
    figures["check_cpu_s"] = min(check_cpu_s() for _ in range(3))
    for name, value in figures.items():
        print(f"{name:34} {value:12.3f}")
    version = require_prometheus(find_prometheus()).prometheus.version
    figures_file.write(options.json, figures, {"prometheus": ".".join(map(str, version))})


if __name__ == "__main__":
    main()
