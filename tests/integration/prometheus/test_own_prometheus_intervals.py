"""How often a Prometheus of a team's own scrapes and evaluates what a drill is about, with a real one."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.gate import gate

from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.compose.engine import read_own_engine
from alertdrill.core.errors import BadInput
from alertdrill.core.scope import RuleBook

RULES = """
groups:
  - name: quick
    interval: 500ms
    rules:
      - {record: asked, expr: 'rate(prometheus_http_requests_total{code="200"}[WINDOW])'}
      - {alert: Asked, expr: asked > 1e9, labels: {team: fraud}}
  - name: slow
    interval: 5s
    rules:
      - {alert: Seldom, expr: 'rate(requests_total{job="seldom"}[3m]) > 1'}
      - {alert: Nowhere, expr: nowhere > 1}
      - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
"""
SCENARIO = """
version: 1
name: intervals
target: {{bundled: fraud}}
load: {{rate: 50/s}}
limits: {{max_duration: 60m}}
monitoring: {{prometheus: {{url: "{url}"}}, scope: {{alerts: [{scope}]}}}}
phases:
  - name: nulls
    duration: 60s
    faults: [{{kind: nulls, features: [amount], share: 20%}}]
    expect: [{{alert: Asked, within: 50s}}]
"""


@pytest.fixture
async def own(binaries, tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(RULES.replace("WINDOW", "3s"))
    jobs = [
        ScrapeJob("seldom", ("127.0.0.1:1",), interval_s=60.0),
        ScrapeJob("unread", ("127.0.0.1:1",), interval_s=300.0),
    ]
    managed = await start_prometheus(
        binaries.prometheus.path, jobs=jobs, rule_files=[file], scrape_interval_s=2.0, evaluation_interval_s=30.0
    )
    async with PrometheusApi(managed.url) as api, asyncio.timeout(30):
        while len(await api.instant("prometheus_http_requests_total")) == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    yield managed.url
    await managed.stop()


def written(folder: Path, url: str, scope: str = "") -> Path:
    path = folder / "s.yaml"
    path.write_text(SCENARIO.format(url=url, scope=scope))
    return path


async def engine_of(folder: Path, url: str, scope: str, more: str = "") -> Any:
    path = written(folder, url, scope)
    path.write_text(path.read_text().replace(f'"{url}"', f'"{url}"{more}'))
    async with PrometheusApi(url) as api:
        return await read_own_engine(load_scenario(path), api)


async def test_intervals_are_those_of_what_rules_in_scope_read(own, tmp_path):
    engine = await engine_of(tmp_path, own, "")
    assert (engine.scrape_s, engine.evaluation_s) == (2.0, 0.5)
    engine = await engine_of(tmp_path, own, "Seldom")
    assert (engine.scrape_s, engine.evaluation_s) == (60.0, 5.0), "the slowest in scope decides"
    known = {rule.name: rule.rule.scrape_s for rule in RuleBook.of(engine.groups).alerts}
    assert known == {"Asked": 2.0, "Seldom": 60.0, "Nowhere": None, "Watchdog": None}


async def test_a_window_shorter_than_two_scrapes_is_refused_by_plan_and_run_with_its_line(own, tmp_path):
    path = written(tmp_path, own)
    for command in ("plan", "run"):
        argv = [sys.executable, "-m", "alertdrill", command, str(path)]
        ended = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, cwd=tmp_path, timeout=120)
        said = ended.stdout + ended.stderr
        assert ended.returncode == 2, said
        assert "phases[0].expect[0].alert" in said
        assert "got rate over [3s] in Asked, expected a window of two scrapes or more" in said
        assert "prometheus_http_requests_total is scraped every 2s" in said
        assert "write [4s] or more in the rule (group quick)" in said
    assert not [*tmp_path.glob("results/*/*")], "nothing was sent"


# How servers in front of several Prometheis answer is written down here from their documentation, not recorded: a real
# Prometheus stands behind, and a proxy leaves out what they do not know.
CONFIG, TARGETS = "/api/v1/status/config", "/api/v1/targets"


async def test_a_server_without_configuration_is_read_by_its_targets(own, tmp_path):
    with gate(own, lambda _: None, "/thanos", unknown=(CONFIG,)) as door:
        engine = await engine_of(tmp_path, door.url, "Seldom, Nowhere")
    assert (engine.scrape_s, engine.evaluation_s) == (300.0, 5.0), "the slowest target where nothing else is known"
    assert RuleBook.of(engine.groups).named("Seldom")[0].rule.scrape_s == 60.0


async def test_a_server_without_targets_must_be_told_how_often_it_scrapes(own, tmp_path):
    with gate(own, lambda _: None, "/prometheus", unknown=(CONFIG, TARGETS)) as door:
        with pytest.raises(BadInput, match=r"fix: write monitoring\.prometheus\.scrape_interval, such as 60s"):
            await engine_of(tmp_path, door.url, "")
        engine = await engine_of(tmp_path, door.url, "Nowhere", ", scrape_interval: 15s")
    assert engine.scrape_s == 15.0
    assert {rule.rule.scrape_s for rule in RuleBook.of(engine.groups).alerts if rule.name != "Watchdog"} == {15.0, None}
