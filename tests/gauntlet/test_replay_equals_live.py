"""A replay of what a Prometheus saw gives what that Prometheus wrote: alerts, their states, recorded metrics."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.process import start_replay_prometheus
from alertdrill.core.case import Case
from alertdrill.core.replay.dependencies import Rules
from alertdrill.core.replay.evidence import active_before, scraped_series
from alertdrill.core.replay.grid import Grid, confirmed_packing, groups_of, recorded_grid
from alertdrill.core.replay.visibility import scrapes_by_target
from alertdrill.run.replay import Replayed, replay
from tests.gauntlet.replay_live_world import Pace, watched
from tests.gauntlet.replay_transitions import Difference, differing, samples

FAST = Pace(interval_s=0.25, slow_s=0.09, lasts_s=40.0)
USUAL = Pace(interval_s=1.0, slow_s=0.35, lasts_s=268.0)
WARM_UP_INTERVALS = 6


async def replayed(case: Case, prometheus: Path, interval_s: float) -> tuple[Rules, list[Grid], Replayed]:
    """Replay every rule of what was watched."""
    rules = Rules(groups_of(case))
    engine = case.engine
    assert engine is not None
    packing = confirmed_packing(case, engine.version)
    grids = [grid for group in rules.groups if (grid := recorded_grid(case, group, packing)) is not None]
    scraped = scraped_series(case)
    alerts = [place for place in rules.places if rules[place].type == "alerting"]
    active = {place: active_before(case, rules[place].name, grids[place.group]) for place in alerts}
    server = await start_replay_prometheus(
        prometheus, evaluation_interval_s=interval_s, lookback_s=300.0, external_labels={}
    )
    asked = HttpEngine(server.url, no_templates)
    try:
        found = await asyncio.to_thread(
            replay, asked, rules, grids, rules.places, scraped, scrapes_by_target(scraped), active
        )
    finally:
        asked.close()
        await server.stop()
    return rules, grids, found


def no_templates(*_: Any) -> list[dict[str, str]]:
    raise AssertionError("no rule here has a template")


async def compared(pace: Pace, folder: Path) -> tuple[int, list[Difference], set[int], Replayed]:
    """How many samples live wrote, those that differ, and instants that live may have gone either way."""
    prometheus = ensure_prometheus().prometheus.path
    case = await watched(prometheus, folder, pace)
    rules, grids, found = await replayed(case, prometheus, pace.interval_s)
    recorded = {rules[place].name for place in rules.places if rules[place].type == "recording"}
    names = frozenset({"ALERTS", "ALERTS_FOR_STATE", *recorded})
    after_ms = min(int(grid.times_ms[0]) for grid in grids) + round(WARM_UP_INTERVALS * pace.interval_s * 1000)
    live = samples(case.recording.series, names, after_ms)
    again = samples(found.written, names, after_ms)
    uncertain = {int(at) for times in found.uncertain.values() for at in times}
    return len(live), differing(live, again), uncertain, found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("pace", [FAST, USUAL], ids=["fast", "usual"])
async def test_a_replay_writes_what_a_prometheus_wrote_live(
    pace: Pace, tmp_path: Path, keep: Callable[[Any], None]
) -> None:
    """Slow, hanging and vanishing targets, counters that reset, chains, absence, `for`, `keep_firing_for`, failures.

    Where an evaluation began within 5 ms of the end of a scrape, live may have gone either way: what differs must begin
    at such an instant.
    """
    count, differ, uncertain, found = await compared(pace, tmp_path)
    begun = {one: at for one, at, *_ in reversed(differ)}
    unexplained = [(dict(one), at) for one, at in begun.items() if at not in uncertain]
    keep(
        {
            "samples": count,
            "differing_samples": len(differ),
            "label_sets_that_differ": len(begun),
            "of_them_unexplained": unexplained,
            "instants_that_could_go_either_way": len(uncertain),
            "questions": found.questions,
        }
    )
    assert count > 10_000
    assert unexplained == []
    assert {what for what, _ in found.failures.values()} >= {"vector cannot contain metrics with the same labelset"}
