"""Every query of every panel, asked of a real Prometheus that scrapes a real monitor with traffic, has an answer."""

import asyncio
import json
import math
import time
from pathlib import Path

import pytest
from tests.integration.prometheus.watched_model import Watched, watched_in_all_ways
from tests.unit.alerting.models import BOTH

from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_binary import Binaries
from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.alerting.choices import read_choices
from alertdrill.alerting.rule_file import rule_file
from alertdrill.dashboards.boards import boards
from alertdrill.dashboards.grafana import grafana_json

WITHIN_S = 30.0
REQUESTS = 40
CHOICES = read_choices(
    ["predictions,accuracy_check,quality:auc>=0.85,proxy:click_through>=0.02,business:conversion>=0.02"]
)
VARIABLES = {"$__rate_interval": "5s", "$__range": "20s", "$model": "fraud", "$version": ".*", "$feature": "amount"}


def queries() -> list[tuple[str, str]]:
    """Where a query stands, and the query with its variables filled in, from the JSON that Grafana reads."""
    found = []
    for name, board in boards("fraud", BOTH, CHOICES).items():
        for panel in json.loads(grafana_json(board, "fraud"))["panels"]:
            for target in panel.get("targets", ()):
                expr = target["expr"]
                for variable, value in VARIABLES.items():
                    expr = expr.replace(variable, value)
                found.append((f"{name}: {panel['title']}", expr))
    return found


async def test_every_panel_and_every_recording_has_data(binaries: Binaries, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(rule_file(BOTH, "drill", choices=CHOICES))
    asked = queries()
    assert len(asked) > 40
    with watched_in_all_ways(tmp_path, BOTH) as running:
        jobs = [ScrapeJob("monitor", (running.monitor,)), ScrapeJob("model", (running.model,))]
        prometheus = await start_prometheus(
            binaries.prometheus.path, jobs=jobs, rule_files=[rules], scrape_interval_s=0.5, evaluation_interval_s=0.5
        )
        try:
            async with PrometheusApi(prometheus.url) as api:
                groups = await api.rules()
                asked += [(r.name, r.name) for group in groups for r in group.rules if r.type == "recording"]
                empty = await without_data(api, asked, running)
                assert empty == []
                unhealthy = [r.name for group in await api.rules() for r in group.rules if r.health != "ok"]
                assert unhealthy == []
        finally:
            await prometheus.stop()


async def without_data(api: PrometheusApi, asked: list[tuple[str, str]], running: Watched) -> list[tuple[str, str]]:
    """The queries without an answer in numbers, once there are none, or when time is up; traffic flows meanwhile."""
    deadline, round_ = time.monotonic() + WITHIN_S, 0
    left = asked
    while left and time.monotonic() < deadline:
        await asyncio.to_thread(running.ask, REQUESTS, round_)
        running.tell(range(100 + round_ * REQUESTS, 100 + (round_ + 1) * REQUESTS))
        round_ += 1
        left = [one for one in left if not any(math.isfinite(value) for _, value in await api.instant(one[1]))]
    return left


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_is_used(variable: str) -> None:
    texts = [grafana_json(board, "fraud") for board in boards("fraud", BOTH, CHOICES).values()]
    assert any(variable in text for text in texts)
