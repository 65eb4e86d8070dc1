"""A Prometheus that watches slow, hanging and vanishing targets live, and everything that it stored meanwhile."""

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import numpy as np

from alertdrill.adapters.alert_source import PrometheusSource
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_config import SELF_JOB, ScrapeJob
from alertdrill.adapters.prometheus_process import ManagedPrometheus, start_prometheus
from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.observations import RawSeries
from alertdrill.core.plan import Plan
from alertdrill.core.recording import Recording, merge

JOBS = ("fast", "slow", "hanging", "vanishing")


@dataclass(frozen=True)
class Pace:
    """How fast everything goes: intervals, and how slow is slow (s)."""

    interval_s: float
    slow_s: float
    lasts_s: float

    def ms(self, intervals: float) -> str:
        """So many intervals as a duration of PromQL."""
        return f"{round(intervals * self.interval_s * 1000)}ms"


@contextmanager
def targets(pace: Pace) -> Iterator[dict[str, str]]:
    """Addresses of four servers of metrics, by job."""
    began = time.monotonic()

    class Page(BaseHTTPRequestHandler):
        job = ""

        def do_GET(self) -> None:
            steps = (time.monotonic() - began) / pace.interval_s
            if self.job == "slow":
                time.sleep(pace.slow_s)
            if self.job == "hanging" and steps % 20 > 14:
                time.sleep(2 * pace.interval_s)  # longer than the scrape may take
            body = metrics(self.job, steps).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    servers = {}
    for job in JOBS:
        page = type("Page", (Page,), {"job": job})
        servers[job] = ThreadingHTTPServer(("127.0.0.1", 0), page)
        servers[job].daemon_threads = True
        threading.Thread(target=servers[job].serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield {job: f"127.0.0.1:{server.server_address[1]}" for job, server in servers.items()}
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()


def metrics(job: str, steps: float) -> str:
    """What a target exports: gauges that cross 0 at times, counters that reset, a series that comes and goes."""
    lines = [f'wave{{n="{n}"}} {math.sin(steps / (1.3 + 0.9 * n) + n):.6f}' for n in range(4)]
    total = steps % 31 * 10
    lines += [f'work_total{{code="200"}} {total:.3f}', f'work_total{{code="500"}} {max(0.0, total - 150) / 4:.3f}']
    lines += [
        f'wait_bucket{{le="{le}"}} {total * share:.3f}' for le, share in (("0.1", 0.5), ("1", 0.8), ("+Inf", 1.0))
    ]
    if int(steps) % 7 < 4:
        lines.append(f"guest {steps:.3f}")
    return "".join(f"{line}\n" for line in lines)


def rules(pace: Pace) -> str:
    """Two groups, one at twice the interval, of all kinds of rules."""
    w, long = pace.ms(5), pace.ms(12)
    fast = [
        ("record", "job:work:rate", f"sum by (job) (rate(work_total[{w}]))", {}),
        ("record", "job:errors:ratio", f'sum by (job) (rate(work_total{{code="500"}}[{w}])) / job:work:rate', {}),
        ("record", "late:wave", "job:wave:max + 0", {}),  # reads what a later rule of its group writes
        ("record", "job:wave:max", "max by (job) (wave)", {}),
        ("record", "twice:wave", "job:wave:max * 2", {"kind": "double"}),
        ("alert", "Errors", "job:errors:ratio > 0.1", {}),
        ("alert", "ErrorsHeld", "job:errors:ratio > 0.1", {"for": pace.ms(2)}),
        ("alert", "Wave", "wave > 0", {}),
        ("alert", "WaveHeld", "wave > 0.3", {"for": pace.ms(3)}),
        ("alert", "WaveKept", "wave > 0.5", {"keep_firing_for": pace.ms(3)}),
        ("alert", "WaveHeldAndKept", "wave > 0.2", {"for": pace.ms(2), "keep_firing_for": pace.ms(2)}),
        ("alert", "Twice", "twice:wave > 1", {}),
        ("alert", "Late", "late:wave > 0.5", {}),
        ("alert", "Down", "up == 0", {}),
        ("alert", "DownHeld", "up == 0", {"for": pace.ms(2)}),
        ("alert", "Up", "up == 1", {"for": pace.ms(4)}),
        ("alert", "NoGuest", 'absent(guest{job="fast"})', {}),
        ("alert", "NoGuestAnywhere", "absent(guest)", {"for": pace.ms(1)}),
        ("alert", "Guest", "guest > 0", {}),
        ("alert", "GuestOver", f"count_over_time(guest[{w}]) < 4", {}),
        ("alert", "Rate", f"rate(work_total[{w}]) > 5 / {pace.interval_s}", {}),
        ("alert", "Reset", f"resets(work_total[{long}]) > 0", {}),
        ("alert", "Increase", f"increase(work_total[{long}]) > 100", {"for": pace.ms(1)}),
        ("alert", "Quantile", f"histogram_quantile(0.9, sum by (le, job) (rate(wait_bucket[{w}]))) > 0.8", {}),
        ("alert", "Slope", f"deriv(wave[{w}]) > 0", {}),
        ("alert", "Average", f"avg_over_time(wave[{w}]) > 0.1", {}),
        ("alert", "Sub", f"max_over_time(rate(work_total[{w}])[{long}:{pace.ms(1)}]) > 9 / {pace.interval_s}", {}),
        ("alert", "DefaultStep", f"avg_over_time((wave > bool 0)[{long}:]) > 0.5", {}),
        ("alert", "Before", f"wave offset {pace.ms(3)} > 0.5", {}),
        ("alert", "Both", "wave > 0 and on (job) up == 1", {}),
        ("alert", "Unless", 'wave{n="1"} > 0 unless on (job) guest', {}),
        ("alert", "Stale", f"time() - timestamp(wave) > {pace.interval_s}", {}),
        ("alert", "Slow", f"scrape_duration_seconds > {pace.slow_s / 2}", {}),
        ("alert", "OnAlert", 'ALERTS{alertname="WaveHeld", alertstate="firing"} == 1', {}),
        ("alert", "OnPending", 'ALERTS{alertname="Increase", alertstate="pending"} == 1', {"for": pace.ms(1)}),
        ("alert", "Twins", 'label_replace(wave, "n", "", "n", "2|3") > -2 and wave', {}),
        ("alert", "Labelled", "wave < -0.5", {"labels": {"severity": "P1", "n": ""}}),
        ("alert", "Scalar", f"vector(time() % {20 * pace.interval_s}) > {10 * pace.interval_s}", {}),
        ("alert", "Names", '{__name__=~"wave|guest"} > 0.9', {}),
    ]
    slow = [
        ("record", "slow:errors", "max by (job) (job:errors:ratio)", {}),
        ("alert", "SlowErrors", "slow:errors > 0.1", {"for": pace.ms(2)}),
        ("alert", "SlowWave", "wave > 0", {"for": pace.ms(4)}),
        ("alert", "SlowDown", "up == 0", {}),
    ]
    return f"groups:\n{_group('fast', fast, pace.ms(1))}{_group('slow', slow, pace.ms(2))}"


def _group(name: str, written: list[tuple[str, str, str, dict]], interval: str) -> str:
    parts = [f"  - name: {name}\n    interval: {interval}\n    rules:\n"]
    for kind, rule, expression, more in written:
        labels = more.get("labels", {"kind": more["kind"]} if "kind" in more else {})
        parts.append(f"      - {kind}: {rule}\n        expr: {expression!r}\n".replace('expr: "', 'expr: "'))
        parts += [f"        {key}: {more[key]}\n" for key in ("for", "keep_firing_for") if key in more]
        if labels:
            parts.append("        labels: {" + ", ".join(f'{k}: "{v}"' for k, v in labels.items()) + "}\n")
    return "".join(parts)


async def watched(prometheus: Path, folder: Path, pace: Pace) -> Case:
    """Watch the targets for a while; the facts, as a drill would have recorded them."""
    file = folder / "rules.yml"
    file.write_text(rules(pace))
    with targets(pace) as addresses:
        jobs = [ScrapeJob(job, (address,), interval_s=pace.interval_s) for job, address in addresses.items()]
        managed = await start_prometheus(
            prometheus,
            jobs=jobs,
            rule_files=[file],
            scrape_interval_s=pace.interval_s,
            evaluation_interval_s=pace.interval_s,
        )
        try:
            async with PrometheusApi(managed.url) as api:
                return await _watch(api, managed, pace)
        finally:
            await managed.stop()


async def _watch(api: PrometheusApi, managed: ManagedPrometheus, pace: Pace) -> Case:
    began, evaluated = time.time(), {}
    groups = await api.rules()
    while (now := time.time()) < began + pace.lasts_s:
        if now > began + 0.6 * pace.lasts_s:
            managed.set_targets("vanishing", [])
        for group in await api.rules():
            if group.last_evaluation is not None:
                evaluated.setdefault((group.file, group.name), {})[group.last_evaluation] = group.took_s or 0.0
        await asyncio.sleep(pace.interval_s / 4)
    journal: list[records.Record] = [
        records.Started(at=began, environment={}),
        records.Engine(
            at=began,
            version=await api.build_version(),
            scrape_interval_s=pace.interval_s,
            evaluation_interval_s=pace.interval_s,
        ),
        records.Rules(at=began, groups=tuple(groups)),
        *(
            records.Evaluated(
                at=began,
                file=file,
                group=group,
                evaluated_at=tuple(sorted(times)),
                took_s=tuple(times[at] for at in sorted(times)),
            )
            for (file, group), times in evaluated.items()
        ),
    ]
    source = PrometheusSource(api, managed.alive, {})
    stored = await source.raw('{__name__=~".+"}', began - 60, time.time())
    assert source.marks, "remote read is open"
    ended = max(max(times) for times in evaluated.values())
    recording = Recording(round(began * 1000), round(ended * 1000), merge(_until(stored, ended)))
    return Case(cast(Plan, None), journal, recording)


def _until(series: list[RawSeries], at_s: float) -> Iterator[RawSeries]:
    for one in series:
        if one.labels.get("job") == SELF_JOB:
            continue
        kept = one.times_ms <= round(at_s * 1000)
        yield RawSeries(one.labels, one.times_ms[kept], np.asarray(one.values[kept]))
