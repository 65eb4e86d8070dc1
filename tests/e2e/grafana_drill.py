"""A drill of alerts that Grafana would manage: GRAFANA_ALERTS in a real Prometheus, its rules from a stand-in."""

import asyncio
from pathlib import Path

from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.prometheus_process import start_prometheus
from tests.e2e.drills import Drill, run, scenario
from tests.e2e.own_stack import own_stack
from tests.integration.grafana_server import TOKEN, grafana, recording

_NULLS = (
    'sum by (model, feature) (rate(model_feature_values_total{cell=~"null|missing"}[5s]))'
    " / sum by (model, feature) (rate(model_feature_values_total[5s]))"
)
RULES = (
    "groups:\n  - name: written\n    rules:\n"
    + recording("Nulls High", f"{_NULLS} > 0.05", "alerting")
    + recording("Nulls Blind", f"{_NULLS} > 0.05", "nodata")
    + recording("Nulls Unreachable", f"{_NULLS} > 5", "alerting")
)
PHASES = """\
  - {name: baseline, duration: 8s}
  - name: nulls
    duration: 25s
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect:
      - {alert: Nulls High, labels: {feature: amount, grafana_folder: models}, within: 24s}
      - {alert: Nulls Blind, labels: {feature: amount}, within: 24s}
      - {alert: Nulls Unreachable, within: 24s}
"""


def managed_by_grafana(directory: Path) -> Drill:
    """Grafana's rules are evaluated whenever the Prometheus records what they would have written."""
    bundled = Path(scenario(directory, PHASES))
    text, rules = bundled.read_text(), directory / "written.yml"
    rules.write_text(RULES)

    async def drill() -> Drill:
        async with own_stack(directory, bundled) as own:
            jobs = [ScrapeJob("monitor", (own.model.removeprefix("http://"),))]
            prometheus = await start_prometheus(ensure_prometheus().prometheus.path, jobs=jobs, rule_files=[rules])
            try:
                with grafana(prometheus.url) as server:
                    titles = ("Nulls High", "Nulls Blind", "Nulls Unreachable")
                    server.rules = {title: {"query": _NULLS} for title in titles}
                    (directory / "token").write_text(TOKEN)
                    engine = f"{{url: {prometheus.url}, grafana: {{url: {server.url}, bearer_token: {{file: token}}}}}}"
                    path = directory / "grafana.yaml"
                    path.write_text(
                        text.replace(
                            "target: {bundled: fraud}",
                            f"target: {{url: {own.model}, schema: {own.schema}, sample: {own.sample}}}\n"
                            f"monitoring: {{monitor: none, prometheus: {engine}}}",
                        )
                    )
                    return await asyncio.to_thread(run(directory, str(path)).ended)
            finally:
                await prometheus.stop()

    return asyncio.run(drill())
