"""docs/monitor/metrics.md, from a monitor with everything on; as a program (`python -m …`) it writes the page."""

import tempfile
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from tests.integration.prometheus.watched_model import watched_in_all_ways
from tests.unit.alerting.models import BOTH

PAGE = Path(__file__).parents[3] / "docs" / "monitor" / "metrics.md"
HEAD = """\
# Metrics

All that a monitor exports with everything on; every series has the labels `model` and `version` besides. `process_*` is
its own process. With `--gpu` there are also `model_gpu_memory_used_bytes`, `model_gpu_memory_total_bytes` and
`model_gpu_utilization_ratio`. What they are for: [ways in](ways-in.md), [drift alarms](../drift.md), [ground
truth](ground-truth.md), [prediction log](prediction-log.md), [rules](rules.md).

| metric | type | labels | what |
|---|---|---|---|
"""


def page(text: str) -> str:
    """The page for an exposition in Prometheus's text format."""
    rows = []
    for family in text_string_to_metric_families(text):
        if not family.name.startswith("model_"):
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"model", "version", "le"}
        named = ", ".join(f"`{label}`" for label in sorted(labels))
        rows.append(f"| `{name}` | {family.type} | {named} | {family.documentation} |\n")
    return HEAD + "".join(sorted(rows))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, watched_in_all_ways(Path(folder), BOTH) as running:
        PAGE.write_text(page(running.text()))
