"""A hundred rules over a generated day: a replay writes what promtool's engine writes, sample by sample."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.expansion import Expander
from alertdrill.adapters.replay_engine.process import start_replay_prometheus
from alertdrill.core.observations import RawSeries, RuleGroup
from alertdrill.core.recording import LabelKey
from alertdrill.core.replay.dependencies import Place, Rules
from alertdrill.core.replay.grid import Grid
from alertdrill.core.replay.refusals import refusal
from alertdrill.core.replay.visibility import scrapes_by_target
from alertdrill.run.replay import Replayed, replay
from tests.gauntlet.debian_suites import programs_of
from tests.gauntlet.promtool_oracle import written
from tests.gauntlet.replay_generated_day import BEGIN_MS, STEP_S, STEPS, groups, refused, series
from tests.gauntlet.replay_transitions import Values, differing, samples

NAMES = "ALERTS|ALERTS_FOR_STATE|r:.+"
SEED = 8
BEGAN_AFTER_MS = 10
"""Each evaluation begins when what was scraped at its instant can be seen, as in promtool."""


async def replayed(prometheus: Path, rules: Rules, scraped: Sequence[RawSeries], places: Sequence[Place]) -> Replayed:
    """Replay some rules, with what they read, over a day of immediate scrapes."""
    times = BEGIN_MS + np.arange(STEPS, dtype=np.int64) * round(STEP_S * 1000)
    grid = Grid(times, times + BEGAN_AFTER_MS, np.zeros(STEPS), round(STEP_S * 1000), "recorded")
    server = await start_replay_prometheus(
        prometheus, evaluation_interval_s=STEP_S, lookback_s=300.0, external_labels={}
    )
    expander = Expander(prometheus, {}, asyncio.get_running_loop())
    engine = HttpEngine(server.url, expander.expand)
    try:
        return await asyncio.to_thread(
            replay, engine, rules, [grid] * len(rules.groups), places, scraped, scrapes_by_target(scraped), {}
        )
    finally:
        engine.close()
        await expander.close()
        await server.stop()


def alone(found: Values, alert: str) -> Values:
    """The samples of one alert."""
    return {one: value for one, value in found.items() if dict(one[0]).get("alertname") == alert}


def since_zero(values: Values) -> Values:
    """Times in values, as ALERTS_FOR_STATE has them, counted from the begin of the day, as promtool does."""
    return {
        (key, at): value - BEGIN_MS / 1000 if dict(key)["__name__"] == "ALERTS_FOR_STATE" else value
        for (key, at), value in values.items()
    }


def transitions(values: Values) -> int:
    """How often an alert label set begins or ends to be pending or firing."""
    step = round(STEP_S * 1000)
    alerts = {one for one in values if dict(one[0])["__name__"] == "ALERTS"}
    return sum(((key, at - step) not in alerts) + ((key, at + step) not in alerts) for key, at in alerts)


def stricter(all_groups: Sequence[RuleGroup], alert: str, old: str, new: str) -> tuple[Rules, Place]:
    """The rules with another threshold in one, and where it stands."""
    changed = tuple(
        replace(
            group,
            rules=tuple(
                replace(rule, query=rule.query.replace(old, new)) if rule.name == alert else rule
                for rule in group.rules
            ),
        )
        for group in all_groups
    )
    rules = Rules(changed)
    return rules, next(place for place in rules.places if rules[place].name == alert)


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("suite", ["here", "sid"])
async def test_a_replay_writes_what_promtool_writes(
    suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Callable[[Any], None]
) -> None:
    """Thresholds, rates, windows to a day, absence, `for` to 6 h, `keep_firing_for`, chains, alerts on alerts.

    Every sample of ALERTS, ALERTS_FOR_STATE and of recorded metrics at every instant of the day. Three more rules have
    no exact replay, and are refused by name.
    """
    programs = programs_of(suite, tmp_path, monkeypatch)
    scraped, all_groups = series(SEED), groups()
    rules = Rules(all_groups)
    began = time.monotonic()
    found = await replayed(programs.prometheus, rules, scraped, rules.places)
    replay_s = time.monotonic() - began
    theirs = written(programs.promtool, tmp_path, all_groups, scraped, NAMES, BEGIN_MS, STEPS, STEP_S)
    promtool_s = time.monotonic() - began - replay_s
    names = frozenset({"ALERTS", "ALERTS_FOR_STATE", *(rules[one].name for one in rules.places)})
    ours = since_zero(samples(found.written, names, 0))
    differ = differing(theirs, ours)
    silent = {rules[one].name for one in rules.places} - {_by(key) for key, _ in theirs}
    keep(
        {
            "prometheus": programs.version,
            "rules": len(rules.places),
            "refused": {one.name: refusal(one) for one in refused()},
            "samples": len(theirs),
            "transitions": transitions(theirs),
            "differing_samples": len(differ),
            "that_differ": sorted({_by(key) for key, *_ in differ}),
            "rules_that_wrote_nothing": sorted(silent),
            "replay_s": round(replay_s, 1),
            "promtool_s": round(promtool_s, 1),
        }
    )
    assert [one[:2] for one in differ[:5]] == []
    assert len(rules.places) >= 100
    assert silent == {"Never"}
    assert found.failures == {}
    assert all(refusal(one) for one in refused())
    assert not any(refusal(rules[place]) for place in rules.places)
    changed, place = stricter(all_groups, "Wave2", "0.4", "0.401")
    again = since_zero(samples((await replayed(programs.prometheus, changed, scraped, [place])).written, names, 0))
    assert differing(alone(theirs, "Wave2"), alone(again, "Wave2")), "another threshold is seen"


def _by(key: LabelKey) -> str:
    """Which rule wrote a series."""
    labels: Mapping[str, str] = dict(key)
    return labels.get("alertname", labels["__name__"])
