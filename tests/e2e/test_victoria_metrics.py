"""A real VictoriaMetrics and vmalert: verdicts and instants, beside what vmalert itself posts."""

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from alertdrill.adapters.alert_source import PrometheusSource
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.compose.evaluator import Ways, evaluator_of
from tests.e2e.drills import ALERTDRILL, Drill
from tests.victoria_metrics import victoria

pytestmark = pytest.mark.long
of_a_drill = pytest.mark.drill("victoria_metrics")
AGREES_MS = 1.0


def expected(drill: Drill) -> dict[str, Any]:
    return {one["alert"]: one for one in drill.result["expectations"]}


def posts(drill: Drill) -> list[tuple[str, str, str, int, int]]:
    found = json.loads((drill.folder.parents[2] / "posts.json").read_bytes())
    return [(labels["alertname"], labels.get("feature", ""), status, s, e) for labels, status, s, e, _ in found]


@of_a_drill
def test_each_alert_of_a_vmalert_gets_the_verdict_that_it_deserves(drill: Drill) -> None:
    found = {name: (one["verdict"], (one["reason"] or {}).get("code")) for name, one in expected(drill).items()}
    assert found == {
        "NullsHigh": ("detected", None),
        "NullsAtOnce": ("detected", None),
        "NullsOutOfReach": ("missed", "never_pending"),
        "NullsGone": ("missed", "rule_not_loaded"),
        "NullsVanishing": ("inconclusive", "rule_unhealthy"),
    }, drill.output
    assert drill.exit_code == 1
    assert expected(drill)["NullsHigh"]["resolution"] == "resolved"


@of_a_drill
def test_the_instants_are_those_that_vmalert_itself_posts(drill: Drill) -> None:
    for name in ("NullsHigh", "NullsAtOnce"):
        one = expected(drill)[name]
        firing_ms, resolved_ms = one["firing_at"] * 1000, one["resolved_at"] * 1000
        mine = [post for post in posts(drill) if post[:2] == (name, "amount")]
        assert min(abs(begin - firing_ms) for _, _, _, begin, _ in mine) <= AGREES_MS, drill.output
        assert min(abs(end - resolved_ms) for _, _, status, _, end in mine if status == "resolved") <= AGREES_MS


@of_a_drill
def test_the_error_bars_hold_what_is_not_known_and_the_clock_is_read_within_them(drill: Drill) -> None:
    clock = drill.result["clock"]
    assert abs(clock["offset_s"]) <= clock["error_s"] < 0.05, "it is the same clock: the truth is 0"
    one = expected(drill)["NullsHigh"]
    assert clock["error_s"] < one["ttd_error_s"] < 1.0
    assert [hop["hop"] for hop in one["waterfall"]] == ["served", "pending", "firing"]
    assert round(sum(hop["seconds"] for hop in one["waterfall"]), 3) == one["ttd_s"]
    assert (one["floor_s"], one["expected_s"], one["worst_s"]) == (None, None, None)


@of_a_drill
def test_a_drill_with_vmalert_is_judged_again_from_its_folder_to_the_same_result(drill: Drill) -> None:
    before = (drill.folder / "result.json").read_bytes()
    done = subprocess.run([*ALERTDRILL, "check", str(drill.folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert (drill.folder / "result.json").read_bytes() == before


RULES = "groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: vector(1)}]}]"


async def test_samples_that_are_shown_late_by_default_are_known_to_be_and_the_newest_are_read(tmp_path: Path) -> None:
    async with victoria(tmp_path, {}, RULES, latency="30s") as engine, PrometheusApi(engine.samples) as api:
        found = await evaluator_of(api, Ways())
        source = found.source(PrometheusSource(api, lambda: True), api)
        async with asyncio.timeout(20):
            while not await source.active():  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        clock, of_samples = await source.clock(), await api.clock()
        (group,) = await source.rules()
        ((_, shown),) = await source.instant("time()")
        asked_at = time.time()
    assert abs(clock.offset_s) <= clock.error_s < 0.05
    assert found.name == "VictoriaMetrics with vmalert"
    assert abs(of_samples.offset_s) <= of_samples.error_s < 0.05
    assert abs(asked_at - shown) < 5.0, "not those of 30 s ago"
    assert (group.engine, group.lag_s) == ("vmalert", 32.0)


async def test_without_its_vmalert_a_victoria_metrics_is_refused_with_what_to_write(tmp_path: Path) -> None:
    async with (
        victoria(tmp_path, {}, RULES, proxied=False) as engine,
        PrometheusApi(engine.samples) as api,
        PrometheusApi(engine.vmalert) as vmalert,
    ):
        with pytest.raises(QueryFailed, match=r"fix: write monitoring\.prometheus\.vmalert: \{url: …\}"):
            await evaluator_of(api, Ways())
        found = await evaluator_of(api, Ways(vmalert=vmalert))
    assert [rule.name for group in found.groups for rule in group.rules] == ["Always"]
