"""The drills that the end-to-end tests ask about: the main job, and its negative controls."""

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.e2e.drills import ALERTDRILL, Drill, rules, run, scenario
from tests.e2e.own_stack import own_stack

NULLS = """\
  - name: nulls
    duration: 12s
    end_when: decided
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect: [{alert: FeatureNullRateHigh, labels: {feature: amount}, within: 10s}]
"""
SLOW = """\
  - name: slow
    duration: 12s
    end_when: decided
    faults: [{kind: latency, delay: 400ms, share: 30%, place: model}]
    expect: [{alert: PredictionLatencyHigh, within: 10s}]
"""
CONTROLS = """\
  - name: drift
    duration: 6s
    faults: [{kind: mean_shift, features: [amount], by: 1sd, share: 0}]
    expect: [{alert: FeatureDrift, labels: {feature: amount}, within: 5s}]
  - name: nulls
    duration: 6s
    faults: [{kind: nulls, features: [amount], share: 0%}]
    expect: [{alert: FeatureNullRateHigh, labels: {feature: amount}, within: 5s}]
  - name: malformed
    duration: 6s
    faults: [{kind: malformed_json, share: 0}]
    expect: [{alert: MalformedRequestsHigh, within: 5s}]
  - name: slow
    duration: 6s
    faults: [{kind: latency, delay: 400ms, share: 0, place: model}]
    expect: [{alert: PredictionLatencyHigh, within: 5s}]
"""
ALWAYS = """\
  - name: always
    duration: 10s
    end_when: decided
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect: [{alert: AlwaysFiring, within: 8s}]
"""
LANGUAGE = """\
  - {name: baseline, duration: 10s, load: {rate: 50/s}}
  - name: ramped
    duration: auto
    end_when: decided
    faults:
      - kind: nulls
        features: ["amount*"]
        share: 60%
        where: {amount_24h: "> 50"}
        profile: {kind: ramp, over: 6s}
    expect: [{alert: FeatureNullRateHigh, labels: {feature: amount}, within: auto}]
  - name: errors
    duration: auto
    end_when: decided
    faults: [{kind: http_error, status: 503, share: 40%, place: model, profile: {kind: pulse, at: 1s, lasts: 12s}}]
    expect: [{alert: ErrorRateHigh, within: auto}]
  - name: storm
    duration: 16s
    end_when: decided
    load: {factor: 0.5}
    faults:
      - {kind: retry_storm, share: 50%, retries: 2}
      - {kind: wrong_batch_shape, share: 20%, select: {kind: mar, feature: hour}}
    expect: [{alert: MalformedRequestsHigh, within: auto, fault: wrong_batch_shape}]
  - name: silence
    duration: 15s
    end_when: decided
    faults: [{kind: traffic_loss, share: 100%}]
    expect: [{alert: NoTraffic, within: 13s}]
"""
BYPASS = """
from alertdrill.cli import main
from alertdrill.compose.wire import Wire
model, monitor = Wire.model, Wire.monitor
async def remember(self, dependency):
    self.model_url = await model(self, dependency)
    return self.model_url
Wire.model = remember
Wire.monitor = lambda self, upstream: monitor(self, self.model_url)
main()
"""


def seed(directory: Path) -> Drill:
    return run(directory, "seed-disaster").ended()


def seed_by_workers(directory: Path) -> Drill:
    """The same, its load sent by two workers that are started apart."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        master = f"127.0.0.1:{free.getsockname()[1]}"
    workers = [subprocess.Popen([*ALERTDRILL, "worker", master], stdout=subprocess.DEVNULL) for _ in range(2)]
    drill = run(directory, "seed-disaster", "--workers", "2", "--distributed", master).ended()
    assert [worker.wait(10.0) for worker in workers] == [0, 0]
    return drill


def rule_deleted(directory: Path) -> Drill:
    without = rules(
        directory, lambda text: re.sub(r"      - alert: FeatureNullRateHigh\n.*?\n\n", "", text, flags=re.DOTALL)
    )
    return run(directory, "seed-disaster", "--rules", without).ended()


def threshold_raised(directory: Path) -> Drill:
    higher = rules(
        directory,
        lambda text: text.replace(
            "ratio_rate5s > 0.05\n        for: 2s\n        labels: {severity: P1, type: cause",
            "ratio_rate5s > 0.9\n        for: 2s\n        labels: {severity: P1, type: cause",
        ),
    )
    return run(directory, scenario(directory, NULLS), "--rules", higher).ended()


def shares_zero(directory: Path) -> Drill:
    return run(directory, scenario(directory, CONTROLS)).ended()


def bypassed(directory: Path) -> Drill:
    return run(directory, scenario(directory, SLOW), program=[sys.executable, "-c", BYPASS]).ended()


def already_firing(directory: Path) -> Drill:
    extra = "\n      - alert: AlwaysFiring\n        expr: vector(1)\n"
    more = rules(directory, lambda text: text.rstrip() + "\n" + extra)
    return run(directory, scenario(directory, ALWAYS + NULLS), "--rules", more).ended()


def prometheus_killed(directory: Path) -> Drill:
    running = run(directory, scenario(directory, NULLS))
    running.wait_for("phase nulls")
    running.kill_child("prometheus")
    return running.ended()


def below_floor(directory: Path) -> Drill:
    return run(directory, scenario(directory, NULLS.replace("within: 10s", "within: 1s"))).ended()


def own_prometheus(directory: Path) -> Drill:
    bundled = Path(scenario(directory, NULLS))
    text = bundled.read_text()

    async def drill() -> Drill:
        async with own_stack(directory, bundled) as own:
            of_ours = text.replace(
                "target: {bundled: fraud}",
                f"target: {{url: {own.model}, schema: {own.schema}, sample: {own.sample}}}\n"
                f"monitoring: {{monitor: none, prometheus: {{url: {own.prometheus}}}}}",
            )
            path = directory / "own.yaml"
            path.write_text(of_ours)
            return await asyncio.to_thread(run(directory, str(path)).ended)

    return asyncio.run(drill())


def language(directory: Path) -> Drill:
    return run(directory, scenario(directory, LANGUAGE, "false_alarms: report")).ended()


def _with(directory: Path, monitoring: str = "", change: Callable[[str], str] | None = None) -> Drill:
    path = scenario(directory, NULLS, monitoring)
    changed = ["--rules", rules(directory, change)] if change else []
    return run(directory, path, *changed).ended()


def usual_settings(directory: Path) -> Drill:
    return _with(directory)


def longer_for(directory: Path) -> Drill:
    return _with(directory, change=lambda text: text.replace("> 0.05\n        for: 2s", "> 0.05\n        for: 4s"))


def longer_window(directory: Path) -> Drill:
    return _with(
        directory,
        change=lambda text: text.replace(
            'model_feature_values_total{cell=~"null|missing"}[5s]',
            'model_feature_values_total{cell=~"null|missing"}[8s]',
        ).replace("(rate(model_feature_values_total[5s]))", "(rate(model_feature_values_total[8s]))"),
    )


def slower_scrapes(directory: Path) -> Drill:
    return _with(directory, "monitoring: {scrape_interval: 2s}")


def slower_evaluations(directory: Path) -> Drill:
    return _with(directory, "monitoring: {evaluation_interval: 2s}")


SETTINGS = (usual_settings, longer_for, longer_window, slower_scrapes, slower_evaluations)

RECIPES = {
    recipe.__name__: recipe
    for recipe in (
        seed,
        seed_by_workers,
        rule_deleted,
        threshold_raised,
        shares_zero,
        bypassed,
        already_firing,
        prometheus_killed,
        below_floor,
        own_prometheus,
        language,
        *SETTINGS,
    )
}
