"""Replicas of a team's own Prometheus, two real ones: how they are reached, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from alertdrill.adapters.alert_source import PrometheusSource
from alertdrill.adapters.drill_processes import SystemClock
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.compose.engine import Engine, open_own_engine
from alertdrill.core import journal as records
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import Scenario
from alertdrill.run.replica import Replica

SCENARIO = """
version: 1
name: pair
target: {{bundled: fraud}}
load: {{rate: 50/s}}
monitoring: {{prometheus: {{url: "{url}"{more}}}}}
phases:
  - name: nulls
    duration: 60s
    faults: [{{kind: nulls, features: [amount], share: 20%}}]
    expect: [{{alert: Always, within: 50s}}]
"""


class Journal:
    """A journal in memory."""

    def __init__(self) -> None:
        self.records: list[records.Record] = []
        self.notices: list[records.Notice] = []

    def write(self, record: records.Record) -> None:
        self.records.append(record)


@pytest.fixture
async def two(binaries, rules):
    """Two that run: the second has a rule less."""
    files = [
        rules("      - {alert: Always, expr: vector(1)}\n      - {alert: Never, expr: vector(1) > 2}\n", "a.yml"),
        rules("      - {alert: Always, expr: vector(1)}\n", "b.yml"),
    ]
    found = [await start_prometheus(binaries.prometheus.path, rule_files=[file]) for file in files]
    yield found
    for one in found:
        await one.stop()


@asynccontextmanager
async def opened(folder: Path, url: str, more: str = "") -> AsyncIterator[tuple[Engine, Scenario]]:
    """What a scenario says of its Prometheus, reached."""
    path = folder / "s.yaml"
    path.write_text(SCENARIO.format(url=url, more=more))
    scenario = load_scenario(path)
    async with AsyncExitStack() as stack:
        yield await open_own_engine(scenario, path, stack), scenario


async def test_each_replica_is_asked_under_its_name_until_it_is_gone(two, tmp_path):
    first, second = two
    journal, clock = Journal(), SystemClock()
    async with opened(tmp_path, first.url, f", replicas: ['{second.url}']") as (engine, scenario):
        assert engine.names == (first.url, second.url)
        assert [len(one.groups[0].rules) for one in engine.each] == [2, 1]
        replica = Replica(second.url, PrometheusSource(engine.others[0].api, second.alive), engine.groups, scenario)
        async with asyncio.timeout(10):
            while not await replica.look(clock, journal) or [len(active) for active in replica.active] != [1]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        (rules,) = journal.records
        assert (rules.record, rules.replica, len(rules.groups[0].rules)) == ("rules", second.url, 1)
        await second.stop()
        assert not await replica.look(clock, journal)
        assert replica.silent is not None
        replica.lose(clock.now(), journal)
        lost = journal.records[-1]
        assert (lost.kind, lost.replica) == ("engine_gone", second.url)


async def test_a_replica_that_does_not_answer_is_refused_with_its_address(two, tmp_path):
    with pytest.raises(BadInput) as error:
        async with opened(tmp_path, two[0].url, ", replicas: ['http://127.0.0.1:1', 'http://127.0.0.1:2']"):
            pass
    assert [one.file for one in error.value.mistakes] == ["http://127.0.0.1:1", "http://127.0.0.1:2"], "all at once"


async def test_one_address_must_hold_the_series_of_several_replicas(two, tmp_path):
    with pytest.raises(BadInput) as error:
        async with opened(tmp_path, two[0].url, ", replica_label: prometheus_replica"):
            pass
    (mistake,) = error.value.mistakes
    assert mistake.where == "monitoring.prometheus.replica_label"
    assert mistake.got == "series of 0 replicas"
    assert "external_labels of each replica" in mistake.fix
