"""A drill of rules that vmalert evaluates over VictoriaMetrics, with its own posts beside it."""

import asyncio
import json
import re
from pathlib import Path

from tests.e2e.drills import Drill, run, scenario
from tests.e2e.own_stack import own_stack
from tests.victoria_metrics import Victoria, victoria

_NULLS = (
    'sum by (model, version, feature) (rate(model_feature_values_total{cell=~"null|missing"}[5s]))'
    " / sum by (model, version, feature) (rate(model_feature_values_total[5s]))"
)
RULES = f"""
groups:
  - name: drill
    interval: 1s
    rules:
      - {{record: unused, expr: vector(1)}}
      - {{alert: NullsHigh, expr: '{_NULLS} > 0.05', for: 2s, labels: {{severity: P1}}}}
      - {{alert: NullsAtOnce, expr: '{_NULLS} > 0.05'}}
      - {{alert: NullsOutOfReach, expr: '{_NULLS} > 5'}}
      - {{alert: NullsVanishing, expr: '{_NULLS} > 6'}}
      - {{alert: Watchdog, expr: vector(1)}}
"""
PHASES = """\
  - {name: baseline, duration: 8s}
  - name: nulls
    duration: 20s
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect:
      - {alert: NullsHigh, labels: {feature: amount, severity: P1}, within: 18s, resolves_within: 20s}
      - {alert: NullsAtOnce, labels: {feature: amount}, within: 18s}
      - {alert: NullsOutOfReach, within: 18s}
      - {alert: NullsGone, within: 18s}
  - name: vanishing
    duration: 15s
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect: [{alert: NullsVanishing, within: 14s}]
"""


def victoria_metrics(directory: Path) -> Drill:
    """Its posts are kept beside the results, as `posts.json`: label set, status, begin and end in ms."""
    bundled = Path(scenario(directory, PHASES))
    text = bundled.read_text()

    async def drill() -> Drill:
        async with own_stack(directory, bundled) as own:
            jobs = {"monitor": own.model.removeprefix("http://"), "model": own.bare.removeprefix("http://")}
            async with victoria(directory, jobs, RULES) as engine:
                path = directory / "victoria.yaml"
                path.write_text(
                    text.replace(
                        "target: {bundled: fraud}",
                        f"target: {{url: {own.model}, schema: {own.schema}, sample: {own.sample}}}\n"
                        f"monitoring: {{monitor: none, prometheus: {{url: {engine.samples}}}}}",
                    )
                )
                running = run(directory, str(path))
                await asyncio.to_thread(running.wait_for, "phase vanishing")
                _vanish(engine)
                ended = await asyncio.to_thread(running.ended)
                (directory / "posts.json").write_text(json.dumps(_posts(engine)))
                return ended

    return asyncio.run(drill())


def _vanish(engine: Victoria) -> None:
    kept = re.sub(r".*NullsVanishing.*\n", "", engine.rules.read_text())
    engine.rules.with_suffix(".new").write_text(kept)
    engine.rules.with_suffix(".new").replace(engine.rules)


def _posts(engine: Victoria) -> list[object]:
    return [
        [dict(alert.labels), alert.status, alert.starts_at_ms, alert.ends_at_ms, post.received_at]
        for post in engine.posts
        for alert in post.alerts
    ]
