"""A FastAPI app that others use too, in a team's own Prometheus, and one that takes a thousand features."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.rows import parse_csv
from tests.e2e.drills import ALERTDRILL, run
from tests.e2e.model_servers.own_metrics import ON_FASTAPI, nulls
from tests.e2e.model_servers.servers import FASTAPI, serving
from tests.e2e.model_servers.wines import sample_csv, write

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

OTHERS, EACH_PER_S = 6, 15.0
ENOUGH_PER_S = 50.0
MANY = 1000
RATE = 20.0
WIDE = """\
version: 1
name: wide
target: {{url: {url}, schema: schema.json, sample: sample.csv}}
monitoring: {{rules: [rules.yml]}}
load: {{rate: 40/s}}
phases:
  - {{name: baseline, duration: 6s}}
  - name: nulls
    duration: 15s
    end_when: decided
    faults: [{{kind: nulls, features: [f500], share: 30%}}]
    expect: [{{alert: NullsOfOne, labels: {{feature: f500}}, within: 12s}}]
"""
OF_ONE = """\
groups:
  - name: wide
    rules:
      - alert: NullsOfOne
        expr: >
          sum by (feature) (rate(model_feature_values_total{cell=~"null|missing"}[5s]))
          / sum by (feature) (rate(model_feature_values_total[5s])) > 0.1
"""


@asynccontextmanager
async def others(url: str, body: bytes) -> AsyncIterator[None]:
    """Traffic that is none of the drill's, for as long as it is wanted."""

    async def send() -> None:
        async with httpx.AsyncClient() as client:
            while True:
                await client.post(url, content=body, headers={"Content-Type": "application/json"})
                await asyncio.sleep(1 / EACH_PER_S)

    sending = [asyncio.create_task(send()) for _ in range(OTHERS)]
    try:
        yield
    finally:
        for one in sending:
            one.cancel()
        await asyncio.gather(*sending, return_exceptions=True)


async def test_what_others_send_dilutes_a_drill_and_plan_says_so(tmp_path: Path) -> None:
    with serving(FASTAPI, tmp_path) as url:
        path = ON_FASTAPI.write(tmp_path, url, nulls)
        schema = write(tmp_path, ON_FASTAPI.protocol, ON_FASTAPI.path)
        (body,) = encode(parse_csv(sample_csv(), schema).take(np.array([0])), schema)
        jobs = [ScrapeJob.from_url("model", f"{url}/metrics")]
        program = ensure_prometheus().prometheus.path
        prometheus = await start_prometheus(program, jobs=jobs, rule_files=[tmp_path / "rules.yml"], parent=tmp_path)
        try:
            query = 'sum(rate(http_requests_total{handler="/predict"}[5s]))'
            text = path.read_text().replace("protocol: json}", f"protocol: json, traffic_query: '{query}'}}")
            watched = f"rules: [rules.yml], scrape: [{{job: model, url: {url}/metrics}}]}}"
            path.write_text(text.replace(watched, f"prometheus: {{url: {prometheus.url}}}}}"))
            async with others(url + ON_FASTAPI.path, body):
                await _until_rate(prometheus.url, query, ENOUGH_PER_S)
                planned = await asyncio.to_thread(_plan, path)
                drill = await asyncio.to_thread(run(tmp_path, str(path)).ended)
        finally:
            await prometheus.stop()
    outlook = json.loads((tmp_path / "outlook.json").read_bytes())
    (fault,), others_per_s = outlook["injections"], outlook["background_per_s"]
    ours = fault["touched"] / fault["requests"]
    assert 0.8 * ENOUGH_PER_S < others_per_s <= 1.1 * OTHERS * EACH_PER_S
    assert fault["share_seen"] == pytest.approx(ours * RATE / (RATE + others_per_s), abs=0.002)
    assert "of ours are" in " ".join(planned.stdout.split())
    one = drill.expectation("nulls")
    assert one["verdict"] == "missed", drill.output  # half of so little is less than the rule's fifth
    assert drill.result["faults"][0]["share_seen"] == pytest.approx(fault["share_seen"], rel=0.3)


def _plan(path: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*ALERTDRILL, "plan", str(path), "--json", str(path.with_name("outlook.json"))],
        capture_output=True,
        text=True,
        timeout=60,
    )


async def _until_rate(url: str, query: str, per_s: float) -> None:
    """Wait until a Prometheus has seen so many requests a second."""
    async with httpx.AsyncClient() as client:
        for _ in range(300):
            found = (await client.get(f"{url}/api/v1/query", params={"query": query})).json()["data"]["result"]
            if found and float(found[0]["value"][1]) > per_s:
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the traffic of others never came")


def test_a_thousand_features_are_drilled_with_a_monitor_that_keeps_up(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(MANY)]
    rows = np.random.default_rng(1).normal(5.0, 1.0, (400, MANY)).round(4)
    features = [{"name": name, "kind": "number"} for name in names]
    (tmp_path / "schema.json").write_text(json.dumps({"path": "/wide", "features": features}))
    lines = [",".join(names), *(",".join(map(str, row)) for row in rows.tolist())]
    (tmp_path / "sample.csv").write_text("\n".join(lines))
    (tmp_path / "rules.yml").write_text(OF_ONE)
    with serving(FASTAPI, tmp_path) as url:
        (tmp_path / "wide.yaml").write_text(WIDE.format(url=url))
        drill = run(tmp_path, str(tmp_path / "wide.yaml")).ended()
    one = drill.expectation("nulls")
    assert (one["verdict"], one["labels"]) == ("detected", {"feature": "f500"}), drill.output
    assert drill.exit_code == 0
