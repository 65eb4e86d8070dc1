from typing import cast

import numpy as np
import pytest
from worded import alert, group, record, series

from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.observations import RawSeries, RuleGroup
from alertdrill.core.plan import Plan
from alertdrill.core.recording import Recording
from alertdrill.core.replay.grid import confirmed_packing, packing_of, phase_ms, recorded_grid

GROUP = group(record("a:b", "x"), alert("A", "a:b > 1"))


def case(*kept: RawSeries, stated: tuple[float, ...] = (), version: str = "2.42.0", loaded: RuleGroup = GROUP) -> Case:
    journal: list[records.Record] = [
        records.Engine(at=0.0, version=version, scrape_interval_s=1.0, evaluation_interval_s=1.0),
        records.Rules(at=0.0, groups=(loaded,)),
        records.Evaluated(at=0.0, file=loaded.file, group=loaded.name, evaluated_at=stated),
    ]
    return Case(cast(Plan, None), journal, Recording(0, 10_000, kept))


@pytest.mark.parametrize(
    ("packing", "file", "name", "interval_ms", "phase"),
    [
        # Read off engines with a rule file at this path: 2.42.0 and 2.53.3 agree, 3.5.3 differs.
        ("separated", "/tmp/alertdrill/rules.yml", "model-drill", 1000, 623),
        ("prefixed", "/tmp/alertdrill/rules.yml", "model-drill", 1000, 286),
    ],
)
def test_the_phase_of_a_group_is_the_engine_s(packing: str, file: str, name: str, interval_ms: int, phase: int) -> None:
    assert phase_ms(file, name, interval_ms, packing) == phase  # type: ignore[arg-type]


def test_the_layout_follows_the_version_unless_the_recording_shows_the_other() -> None:
    assert (packing_of("2.53.3+ds1"), packing_of("3.5.3")) == ("separated", "prefixed")
    shown = phase_ms(GROUP.file, GROUP.name, 1000, "prefixed")
    assert confirmed_packing(case(), "2.42.0") == "separated"
    assert confirmed_packing(case(series("a:b", [1000 + shown])), "2.42.0") == "prefixed"


def test_evaluations_lie_where_samples_were_written_and_began_when_the_engine_says() -> None:
    grid = recorded_grid(case(series("a:b", [1250, 2250]), stated=(1.251, 2.263, 3.2505)), GROUP, "separated")
    assert grid is not None
    assert grid.times_ms.tolist() == [1250, 2250, 3250]
    assert grid.began_ms.tolist() == [1251, 2263, 3250]
    assert grid.took_ms.tolist() == [0.0, 0.0, 0.0]
    assert grid.source == "recorded"


def test_the_rules_of_a_group_begin_one_after_the_other() -> None:
    found = case(series("a:b", [1250, 2250]))
    (stated,) = found.all(records.Evaluated)
    found = Case(
        found.plan,
        [
            *found.all(records.Engine),
            *found.all(records.Rules),
            stated.model_copy(update={"evaluated_at": (1.251, 2.25), "took_s": (0.02, 0.01)}),
        ],
        found.recording,
    )
    grid = recorded_grid(found, GROUP, "separated")
    assert grid is not None
    assert grid.began(0, 2).tolist() == [1251, 2250]
    assert grid.began(1, 2).tolist() == [1261, 2255]


def test_an_instant_that_the_engine_left_out_is_left_out() -> None:
    """It stated none in the interval after it; what it wrote proves others."""
    grid = recorded_grid(case(series("a:b", [1250, 5250]), stated=(1.251, 2.251, 4.251)), GROUP, "separated")
    assert grid is not None
    assert grid.times_ms.tolist() == [1250, 2250, 4250, 5250]


def test_without_anything_written_the_hash_says_the_phase() -> None:
    phase = phase_ms(GROUP.file, GROUP.name, 1000, "separated")
    stated = (4000 + phase + 1) / 1000
    grid = recorded_grid(case(stated=(stated,)), GROUP, "separated")
    assert grid is not None
    assert grid.times_ms.tolist() == [4000 + phase]


def test_a_group_of_which_nothing_is_known_has_no_grid() -> None:
    assert recorded_grid(case(), GROUP, "separated") is None


def test_what_others_write_under_the_same_name_at_other_instants_does_not_count() -> None:
    kept = [series("a:b", [1250, 2250, 3250]), series("a:b", [1777], instance="other")]
    grid = recorded_grid(case(*kept), GROUP, "separated")
    assert grid is not None
    assert np.array_equal(grid.times_ms, [1250, 2250, 3250])
