"""A replay of what a Prometheus saw gives what that Prometheus wrote: alerts, their states, recorded metrics."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.process import start_replay_prometheus
from alertdrill.core.case import Case
from alertdrill.core.recording import LabelKey
from alertdrill.core.replay.dependencies import Rules
from alertdrill.core.replay.evidence import active_before, scraped_series
from alertdrill.core.replay.grid import Grid, confirmed_packing, groups_of, recorded_grid
from alertdrill.core.replay.visibility import scrapes_by_target
from alertdrill.run.replay import Replayed, replay
from tests.gauntlet.debian_suites import programs_of
from tests.gauntlet.replay_live_world import Pace, watched
from tests.gauntlet.replay_transitions import Difference, differing, samples

FAST = Pace(interval_s=0.25, slow_s=0.09, lasts_s=40.0)
USUAL = Pace(interval_s=1.0, slow_s=0.35, lasts_s=268.0)
WARM_UP_INTERVALS = 6
NONE = np.empty(0, dtype=np.int64)


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


@dataclass(frozen=True)
class Compared:
    """What came of a replay beside what was written live.

    Attributes:
        count: samples that live wrote.
        differ: those that differ.
        unexplained: of them those that nothing which could go either way explains.
        uncertain: instants at which live could go either way.
        given_up: rules that failed so often that they were not asked on.
        found: the replay.
    """

    count: int
    differ: list[Difference]
    unexplained: list[tuple[dict[str, str], int]]
    uncertain: int
    given_up: list[str]
    found: Replayed


async def compared(prometheus: Path, pace: Pace, folder: Path) -> Compared:
    """Watch live, replay, and compare what was written."""
    case = await watched(prometheus, folder, pace)
    rules, grids, found = await replayed(case, prometheus, pace.interval_s)
    recorded = {rules[place].name for place in rules.places if rules[place].type == "recording"}
    names = frozenset({"ALERTS", "ALERTS_FOR_STATE", *recorded})
    after_ms = min(int(grid.times_ms[0]) for grid in grids) + round(WARM_UP_INTERVALS * pace.interval_s * 1000)
    live = samples(case.recording.series, names, after_ms)
    differ = differing(live, samples(found.written, names, after_ms))
    uncertain = {int(at) for times in found.uncertain.values() for at in times}
    left = unexplained(differ, rules, grids, found)
    given_up = sorted(rules[place].name for place in found.given_up)
    return Compared(len(live), differ, left, len(uncertain), given_up, found)


def unexplained(
    differ: Sequence[Difference], rules: Rules, grids: Sequence[Grid], found: Replayed
) -> list[tuple[dict[str, str], int]]:
    """Where samples begin to differ, and neither the rule nor what it reads could go either way within its reach.

    A rule that failed so often that it was not asked on is none: a verdict on it is `inconclusive`.
    """
    by_name = {rules[place].name: place for place in rules.places}
    ended: dict[LabelKey, int] = {}
    left = []
    for key, at, *_ in differ:
        labels = dict(key)
        place = by_name[labels.get("alertname", labels["__name__"])]
        behind = rules.behind([place])
        if behind & found.given_up:
            continue
        begins = at - ended.get(key, -(10**15)) > grids[place.group].interval_ms
        ended[key] = at
        reach = sum(
            grids[one.group].interval_ms + round(1000 * (rules[one].for_s + rules[one].keep_firing_for_s))
            for one in behind
        )
        causes = np.concatenate([found.uncertain.get(one, NONE) for one in behind])
        if begins and not ((causes <= at) & (causes >= at - reach)).any():
            left.append((labels, at))
    return left


@pytest.mark.timeout(900)
@pytest.mark.parametrize("suite", ["here", "sid"])
@pytest.mark.parametrize("pace", [FAST, USUAL], ids=["fast", "usual"])
async def test_a_replay_writes_what_a_prometheus_wrote_live(
    pace: Pace, suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Callable[[Any], None]
) -> None:
    """Slow, hanging and vanishing targets, counters that reset, chains, absence, `for`, `keep_firing_for`, failures.

    Where an evaluation began within 5 ms of the end of a scrape (of a busy engine: within as long as it was late), live
    may have gone either way: what differs must begin there, or as long after as the rules on the way hold an alert.
    """
    programs = programs_of(suite, tmp_path, monkeypatch)
    done = await compared(programs.prometheus, pace, tmp_path)
    keep(
        {
            "prometheus": programs.version,
            "samples": done.count,
            "differing_samples": len(done.differ),
            "of_them_unexplained": done.unexplained,
            "instants_that_could_go_either_way": done.uncertain,
            "rules_given_up": done.given_up,
            "questions": done.found.questions,
        }
    )
    assert done.count > 10_000
    assert done.unexplained == []
    assert set(done.given_up) <= {"Labelled", "Twins"}
    assert {what for what, _ in done.found.failures.values()} >= {
        "vector cannot contain metrics with the same labelset"
    }
