"""The raw samples of a drill, fetched in stretches."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.run.world import T0, FakePort, FakeSource, SteppedClock, alerting, group

from alertdrill.core.recording import ALWAYS, merge
from alertdrill.core.scope import RuleBook
from alertdrill.run.collector import STARTED_S, Collector
from alertdrill.run.ports import SourceFailed

OVERLAP_S = 2.0


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def source(clock: SteppedClock) -> FakeSource:
    return FakeSource(clock, (group(alerting("A"), alerting("B")),))


@pytest.fixture
def collector(clock: SteppedClock, source: FakeSource) -> Collector:
    book = RuleBook.of(source.groups)
    return Collector(FakePort(source), clock, book, book.alerts, OVERLAP_S)


async def test_it_asks_for_what_the_rules_read_and_for_what_proves_that_it_was_read(
    collector: Collector, source: FakeSource
) -> None:
    await collector.collect()
    assert sorted(selector for selector, _, _ in source.raw_asked) == sorted([*ALWAYS, "model_requests_total"])


async def test_stretches_overlap_so_that_a_sample_that_was_written_late_is_not_lost(
    collector: Collector, source: FakeSource, clock: SteppedClock
) -> None:
    clock.pass_s(10.0)
    await collector.collect()
    clock.pass_s(10.0)
    await collector.collect()
    stretches = sorted({(begin - T0, end - T0) for _, begin, end in source.raw_asked})
    assert stretches == [(collector.since - T0, 10.0), (10.0 - OVERLAP_S, 20.0)]


async def test_the_first_stretch_begins_as_long_before_the_drill_as_rules_look_back(
    clock: SteppedClock, source: FakeSource
) -> None:
    rule = replace(alerting("A"), query="rate(x[5m] offset 1m) > 1", for_s=120.0, keep_firing_for_s=30.0)
    book = RuleBook.of((group(rule),))
    collector = Collector(FakePort(source), clock, book, book.alerts, OVERLAP_S)
    await collector.collect()
    assert {begin - T0 for _, begin, _ in source.raw_asked} == {-(360.0 + 120.0 + 30.0 + STARTED_S + OVERLAP_S)}
    assert collector.since == source.raw_asked[0][1]


async def test_merged_stretches_hold_every_sample_once(collector: Collector, clock: SteppedClock) -> None:
    for _ in range(3):
        clock.pass_s(7.0)
        await collector.collect()
    for series in merge(collector.samples):
        assert np.array_equal(np.diff(series.times_ms), np.full(len(series.times_ms) - 1, 1000))


async def test_a_failed_fetch_keeps_what_came_before_and_is_made_up_for_by_the_next(
    collector: Collector, source: FakeSource, clock: SteppedClock
) -> None:
    clock.pass_s(5.0)
    await collector.collect()
    before = list(collector.samples)
    clock.pass_s(5.0)
    source.silent.append((clock.now(), clock.now() + 1.0))
    with pytest.raises(SourceFailed):
        await collector.collect()
    assert collector.samples == before
    assert collector.reached == T0 + 5.0
    clock.pass_s(5.0)
    await collector.collect()
    assert source.raw_asked[-1][1:] == (T0 + 5.0 - OVERLAP_S, T0 + 15.0)


async def test_trying_says_why_it_failed(collector: Collector, source: FakeSource) -> None:
    source.dead = True
    assert await collector.try_collect() == "no answer"
    source.dead = False
    assert await collector.try_collect() is None
