"""Recorded contracts of servers that cannot be run here: Grafana, Thanos and Mimir, by their documentation and source.

None of them answers here. A real Prometheus holds the samples; a real proxy or HTTP server in front of it answers, or
changes what the Prometheus answers, as they are documented to.
"""

import asyncio
import json
import time
from typing import Any

import pytest
from tests.integration.gate import demands, gate
from tests.integration.grafana_server import NEVER, TOKEN, grafana, recording

from alertdrill.adapters.access import Access
from alertdrill.adapters.alert_source import PrometheusSource
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.compose.evaluator import Evaluator, Ways, evaluator_of
from alertdrill.core.observations import ClockReading
from alertdrill.core.scenario import UserPrometheus
from alertdrill.core.scope import RuleBook
from alertdrill.run.collector import Collector
from alertdrill.run.ports import SourceFailed

STATES = (
    recording("Nulls High", "vector(1)", "alerting")
    + recording("Slow", "vector(1)", "pending", "pending")
    + recording("Blind", "vector(1)", "nodata")
    + recording("Broken", "vector(1)", "error")
    + recording("Ending", "vector(1)", "recovering")
)


@pytest.fixture
async def prometheus(binaries, rules):
    file = rules(STATES + "      - {alert: Own, expr: vector(1)}\n")
    managed = await start_prometheus(binaries.prometheus.path, rule_files=[file], evaluation_interval_s=0.2)
    async with PrometheusApi(managed.url) as api, asyncio.timeout(20):
        while not await api.instant("ALERTS"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    yield managed.url
    await managed.stop()


def way(folder: Any, monkeypatch: Any, url: str) -> Access:
    (folder / "s.yaml").write_text("monitoring: {prometheus: {url: x}}\n")
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    written = {"url": "http://x", "grafana": {"url": url, "bearer_token": {"env": "GRAFANA_TOKEN"}}}
    prometheus = UserPrometheus.model_validate(written)
    assert prometheus.grafana is not None
    return Access.of(prometheus.grafana, ("monitoring", "prometheus", "grafana"), folder / "s.yaml")


async def test_recorded_contract_of_grafana_its_rules_and_alerts_stand_beside_those_of_the_prometheus(
    prometheus, tmp_path, monkeypatch
):
    with grafana(prometheus) as server:
        server.rules = {
            "Nulls High": {"duration": 120, "query": "rate(values_total[5m])", "keepFiringFor": 60},
            "Slow": {},
            "Blind": {"health": "nodata"},
            "Broken": {"health": "error", "lastError": "dial tcp: refused"},
            "Paused": {"isPaused": True, "lastEvaluation": NEVER},
        }
        async with (
            PrometheusApi(prometheus) as api,
            PrometheusApi(way(tmp_path, monkeypatch, server.url)) as its,
        ):
            found = await evaluator_of(api, Ways(grafana=its))
            source = found.source(PrometheusSource(api, lambda: True), api)
            again, active = await source.rules(), await source.active()
    book = RuleBook.of(found.groups)
    assert [(rule.name, rule.group.engine, rule.rule.health) for rule in book.alerts] == [
        ("Own", "prometheus", "ok"),
        ("Nulls High", "grafana", "ok"),
        ("Slow", "grafana", "ok"),
        ("Blind", "grafana", "nodata"),
        ("Broken", "grafana", "err"),
    ], "what is paused is not evaluated"
    assert [group.engine for group in again] == ["prometheus", "grafana"]
    (high,) = book.named("Nulls High")
    assert (high.for_ms, high.rule.keep_firing_for_s, high.group.file) == (120_000, 60.0, "models")
    assert book.lookback_ms(high) == 300_000
    assert found.name.endswith(" with Grafana")
    assert source.precision() == {"prometheus": 0.0, "grafana": 10.0}
    states = {one.labels["alertname"]: one.state for one in active}
    assert states == {"Own": "firing", "Nulls High": "firing", "Slow": "pending", "Ending": "firing"}
    assert all("grafana_alertstate" not in one.labels for one in active)


async def test_recorded_contract_of_grafana_a_token_that_it_does_not_take_is_named(prometheus, tmp_path, monkeypatch):
    with grafana(prometheus) as server:
        access = way(tmp_path, monkeypatch, server.url)
        monkeypatch.setenv("GRAFANA_TOKEN", "another-one")
        async with PrometheusApi(prometheus) as api, PrometheusApi(access) as its:
            with pytest.raises(QueryFailed) as error:
                await evaluator_of(api, Ways(grafana=its))
    assert error.value.kind == "unauthorized"
    assert "monitoring.prometheus.grafana" in error.value.what + error.value.fix
    assert "another-one" not in str(error.value)


async def test_recorded_contract_of_grafana_its_samples_are_collected_with_the_others(
    prometheus, tmp_path, monkeypatch
):
    with grafana(prometheus) as server:
        server.rules = {"Nulls High": {}}
        async with (
            PrometheusApi(prometheus) as api,
            PrometheusApi(way(tmp_path, monkeypatch, server.url)) as its,
        ):
            found = await evaluator_of(api, Ways(grafana=its))
            collected = await samples_of(found, api)
    assert {"ALERTS", "GRAFANA_ALERTS"} <= {one.labels["__name__"] for one in collected.samples}


class Now:
    def now(self) -> float:
        return time.time()

    async def sleep_until(self, at: float) -> None:
        raise AssertionError


async def samples_of(found: Evaluator, api: PrometheusApi) -> Collector:
    book = RuleBook.of(found.groups)
    source = found.source(PrometheusSource(api, lambda: True), api)
    collector = Collector(source, Now(), book, book.alerts, 30.0)
    failed = await collector.try_collect()
    if failed:
        raise SourceFailed(failed)
    return collector


def saying(**more: Any) -> Any:
    """Adds to every answer in JSON, beside its data."""
    return lambda path, body: json.dumps({**json.loads(body), **more}).encode() if path.startswith("/api/") else body


LOST = "No StoreAPIs matched for this query: receive store-2.example: rpc error: code = Unavailable"


async def test_recorded_contract_of_thanos_a_partial_response_is_no_answer(prometheus):
    """A querier that lost a store answers 200 and `success`, and says so in `warnings` alone."""
    with gate(prometheus, demands("THANOS-TENANT", "fraud"), "/thanos") as door:
        access = Access(door.url, headers={"THANOS-TENANT": "fraud"})
        async with PrometheusApi(access) as api:
            found = await evaluator_of(api, Ways())
            whole = await samples_of(found, api)
            assert whole.samples
            door.changed = saying(warnings=[LOST])
            for ask in (api.rules, lambda: api.instant("up"), lambda: api.raw("up[5s]"), api.targets, api.clock):
                with pytest.raises(QueryFailed) as error:
                    await ask()
                assert error.value.kind == "partial"
                assert LOST in error.value.what
            with pytest.raises(SourceFailed, match="may not be whole: No StoreAPIs"):
                await samples_of(found, api)
            door.changed = saying(warnings=[])
            assert await api.instant("vector(1)")


async def test_recorded_contract_of_newer_engines_what_promql_says_of_the_question_is_no_missing_part(prometheus):
    about = {
        "infos": ['PromQL info: metric might not be a counter, name does not end in _total: "up" (1:6)'],
        "warnings": ["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"],
    }
    with gate(prometheus, lambda _: None, changed=saying(**about)) as door:
        async with PrometheusApi(door.url) as api:
            assert await api.instant("vector(1)") == [({}, 1.0)]
            assert await api.rules()


def as_mimir(path: str, body: bytes) -> bytes:
    if path.startswith("/api/v1/status/buildinfo"):
        data = {"application": "Grafana Mimir", "version": "2.14.0", "features": {"ruler_config_api": "true"}}
        return json.dumps({"status": "success", "data": data}).encode()
    return body


async def test_recorded_contract_of_mimir_a_tenant_below_its_prefix_is_read(prometheus):
    unknown = ("/api/v1/targets", "/api/v1/status/config", "/api/v1/alertmanagers")
    tenant = demands("X-Scope-OrgID", "fraud-team", says="no org id")
    with gate(prometheus, tenant, "/prometheus", unknown=unknown, changed=as_mimir) as door:
        async with PrometheusApi(Access(door.url, headers={"X-Scope-OrgID": "fraud-team"})) as api:
            found = await evaluator_of(api, Ways())
            assert (found.version, found.name) == ("2.14.0", "2.14.0")
            assert [rule.name for rule in RuleBook.of(found.groups).alerts] == ["Own"]
            assert isinstance(await api.clock(2), ClockReading)
            collected = await samples_of(found, api)
            assert "ALERTS" in {one.labels["__name__"] for one in collected.samples}
        async with PrometheusApi(Access(door.url)) as api:
            with pytest.raises(QueryFailed) as error:
                await evaluator_of(api, Ways())
    assert "monitoring.prometheus.tenant: NAME" in error.value.fix


async def test_recorded_contract_of_mimir_an_answer_that_hit_a_limit_of_the_tenant_is_none(prometheus):
    """Its queriers answer 422 with `execution`, not a part of the samples."""
    with gate(prometheus, lambda _: None, "/prometheus") as door:
        too_much = {"status": "error", "errorType": "execution", "error": "the query exceeded the maximum of series"}
        door.judge = lambda _: (422, {"Content-Type": "application/json"}, json.dumps(too_much))
        async with PrometheusApi(door.url) as api:
            with pytest.raises(QueryFailed, match="exceeded the maximum of series") as error:
                await api.raw("up[5s]")
    assert error.value.kind == "refused"
