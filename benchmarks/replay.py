"""How long replays take, on the engine and rules of production.

    python benchmarks/replay.py [--quick] [--json FILE]

`days_30_s`: 50 rules (ten of them recording, read by alerts) over 30 days at one scrape and evaluation a minute, 100
series that rise above every threshold again and again: 110,000 episodes. `recordings_20_s`: the same rules over twenty
recordings of an hour at 15 s, 500 series each, a fresh engine for each, two at a time as `alertdrill replay` does.
`recordings_20_hanging_s`: the same where one target of each hangs for ten minutes, so that its scrapes take 10 s, and
the rules that read it are evaluated in stages. All from samples in memory to what the rules write, markers and alert
states included; engine start and loading are part of it. `--quick` takes a tenth of each.

Peak memory (`engine_mb`, `python_mb`) is that of the 30 days; that of Python holds the samples too.
"""

import asyncio
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from support import figures as figures_file

from alertdrill.adapters.prometheus_binary import find_prometheus
from alertdrill.adapters.prometheus_install import require_prometheus
from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.process import start_replay_prometheus
from alertdrill.adapters.signals import run_until_signalled
from alertdrill.compose.replay import AT_ONCE
from alertdrill.core.alerts import episodes
from alertdrill.core.observations import RawSeries, RuleGroup, RuleInfo
from alertdrill.core.recording import STALE_BITS, is_stale
from alertdrill.core.replay.dependencies import Rules
from alertdrill.core.replay.grid import Grid
from alertdrill.core.replay.visibility import scrapes_by_target
from alertdrill.run.replay import Replayed, replay

BEGIN_MS = 1_790_000_000_000
SERIES_PER_TARGET = 50
CHAINS = 10
RULES = 50
HANGS = (80, 120)
"""Scrapes of an hour that hang: ten minutes."""
HANGS_S = 10.0


def rules(interval_s: float) -> Rules:
    """Ten recorded rates and ten alerts on them, ten thresholds with `for`, ten averages, ten on targets."""
    five = f"{5 * interval_s:g}s"
    found = [
        _rule(f"job:work{n}:rate", "recording", f'sum by (job, instance) (rate(work{{n="{n}"}}[{five}]))')
        for n in range(CHAINS)
    ]
    for n in range(CHAINS):
        found.append(_rule(f"Rate{n}", "alerting", f"job:work{n}:rate > {9 + n / 10}", for_s=interval_s))
        found.append(_rule(f"High{n}", "alerting", f'wave{{n="{n}"}} > {0.5 + n / 50}', for_s=2 * interval_s))
        found.append(_rule(f"Mean{n}", "alerting", f'avg_over_time(wave{{n="{n}"}}[{five}]) > 0.{n}'))
        found.append(_rule(f"Down{n}", "alerting", f'up{{instance="m:{n % 10}"}} == 0', for_s=interval_s))
    return Rules((RuleGroup("/etc/rules.yml", "g", interval_s, None, tuple(found[:RULES])),))


def _rule(name: str, kind: str, query: str, for_s: float = 0.0) -> RuleInfo:
    return RuleInfo(name, kind, query, for_s, 0.0, {}, {}, "ok", "")  # type: ignore[arg-type]


def recorded(series: int, length_s: float, interval_s: float, seed: int, hangs: bool = False) -> list[RawSeries]:
    """What targets of 50 series each would have been scraped for, each scrape 20 ms long, unless the first hangs."""
    draw = np.random.default_rng(seed)
    times = BEGIN_MS + np.arange(round(length_s / interval_s), dtype=np.int64) * round(interval_s * 1000)
    found = []
    for target in range(max(1, series // SERIES_PER_TARGET)):
        labels = {"job": "model", "instance": f"m:{target}"}
        steps = np.arange(len(times))
        hanging = (steps >= HANGS[0]) & (steps < HANGS[1]) & (hangs and not target)
        kept, marked = ~hanging | (steps == HANGS[0]), hanging & (steps == HANGS[0])
        found.append(RawSeries({"__name__": "up", **labels}, times, np.where(hanging, 0.0, 1.0)))
        took = np.where(hanging, HANGS_S, 0.02)
        found.append(RawSeries({"__name__": "scrape_duration_seconds", **labels}, times, took))
        for n in range(SERIES_PER_TARGET):
            name = "work" if n % 2 else "wave"
            values = np.cumsum(draw.poisson(10, len(times)) * interval_s) if n % 2 else np.sin(steps / (9 + n))
            values = values.astype(np.float64)
            values.view(np.uint64)[marked] = STALE_BITS
            found.append(RawSeries({"__name__": name, "n": str(n // 2), **labels}, times[kept], values[kept]))
    return found


async def replayed(prometheus: Path, series: list[RawSeries], interval_s: float) -> tuple[Replayed, float]:
    """Replay the rules over series; what they wrote, and the peak memory of the engine in MB."""
    scraped_ms = series[0].times_ms
    times = scraped_ms + round(interval_s * 300)
    loaded, grid = rules(interval_s), Grid(times, times, np.zeros(len(times)), round(interval_s * 1000), "recorded")
    server = await start_replay_prometheus(
        prometheus, evaluation_interval_s=interval_s, lookback_s=300.0, external_labels={}
    )
    engine = HttpEngine(server.url, lambda labels, samples: [])
    try:
        found = await asyncio.to_thread(
            replay, engine, loaded, [grid], loaded.places, series, scrapes_by_target(series), {}
        )
        return found, peak_mb(server.pid)
    finally:
        engine.close()
        await server.stop()


async def all_replayed(prometheus: Path, hours: list[list[RawSeries]]) -> None:
    """Replay the rules over recordings of an hour, as many at a time as the command does."""
    free = asyncio.Semaphore(AT_ONCE)

    async def in_turn(one: list[RawSeries]) -> None:
        async with free:
            await replayed(prometheus, one, 15.0)

    await asyncio.gather(*(in_turn(one) for one in hours))


def peak_mb(pid: int) -> float:
    """The most memory that a process has had so far."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def fired(found: Replayed, interval_s: float) -> int:
    """How many episodes a replay shows."""
    alerts = [
        RawSeries(one.labels, one.times_ms[~is_stale(one.values)], one.values[~is_stale(one.values)])
        for one in found.written
        if one.labels["__name__"] == "ALERTS"
    ]
    every = np.unique(np.concatenate([one.times_ms for one in alerts]))
    return len(episodes(alerts, round(interval_s * 1000), every, int(every[-1])))


def measured(quick: bool) -> Iterator[tuple[str, float]]:
    """The figures, one after the other."""
    prometheus = require_prometheus(find_prometheus()).prometheus.path
    days, count = (3, 2) if quick else (30, 20)
    series = recorded(100, days * 86_400, 60.0, 1)
    began = time.perf_counter()
    found, engine_mb = run_until_signalled(replayed(prometheus, series, 60.0))
    yield f"days_{days}_s", round(time.perf_counter() - began, 2)
    yield "engine_mb", round(engine_mb)
    yield "python_mb", round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    yield f"days_{days}_episodes", fired(found, 60.0)
    for name, hangs in (("", False), ("_hanging", True)):
        hours = [recorded(500, 3600, 15.0, seed, hangs) for seed in range(count)]
        began = time.perf_counter()
        run_until_signalled(all_replayed(prometheus, hours))
        yield f"recordings_{count}{name}_s", round(time.perf_counter() - began, 2)


def main() -> None:
    options = figures_file.options(__doc__ or "")
    figures = {}
    for name, figure in measured(options.quick):
        print(f"{name} {figure:g}", flush=True)
        figures[name] = figure
    binaries = require_prometheus(find_prometheus())
    environment = {"prometheus": binaries.prometheus.version_text, "cpus": os.cpu_count()}
    figures_file.write(options.json, figures, environment)


if __name__ == "__main__":
    main()
