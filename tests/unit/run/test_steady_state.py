"""What must hold before anything is broken, and what its absence does to the drill."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.unit.run.world import BASELINE, FULL_TAIL_S, T0, UP_AFTER_S, WINDOW_S, World, fault_phase, scenario

from alertdrill.core import journal as records
from alertdrill.core.observations import Labels
from alertdrill.run.ports import SourceFailed

TICK_S = 0.25
SINCE_S = UP_AFTER_S + WINDOW_S
QUERY = "sum(rate(errors_total[3s]))"


def guarded(no_data: Any = "fail", value: float | None = 0.0, until_s: float = float("inf"), **more: Any) -> World:
    """A drill whose steady state asks a query that is 0 for 2 s; it answers `value` until `until_s`, then 0."""
    condition = {"query": QUERY, "is": "== 0", "no_data": no_data, "for": "2s"}
    world = World(
        scenario([BASELINE, fault_phase("broken", "A", end_when="decided")], steady_state=[condition], **more)
    )

    def answer(now: float) -> list[tuple[dict[str, str], float]]:
        current = value if now - T0 < until_s else 0.0
        return [] if current is None else [({}, current)]

    world.source.answers[QUERY] = answer
    return world


async def test_nothing_counts_before_the_targets_are_up_and_one_full_window_has_passed() -> None:
    world = await guarded().run()
    (steady,) = world.of(records.SteadyState)
    assert steady.held
    assert steady.since - T0 == pytest.approx(SINCE_S, abs=TICK_S)
    assert steady.at >= steady.since + 2.0


async def test_quiet_alerts_count_from_the_first_full_window_on() -> None:
    world = World(scenario([BASELINE, fault_phase("broken", "A")]))
    world.active("A", 0.0, SINCE_S)
    await world.run()
    (steady,) = world.of(records.SteadyState)
    assert steady.active == ()
    assert steady.at - T0 >= SINCE_S + 2.0


async def test_without_conditions_one_full_window_is_enough() -> None:
    world = await World(scenario([BASELINE, fault_phase("broken", "A")], steady_state=[])).run()
    (steady,) = world.of(records.SteadyState)
    assert steady.at - T0 == pytest.approx(SINCE_S, abs=TICK_S)


async def test_a_query_that_never_holds_ends_the_drill_before_anything_is_broken() -> None:
    world = await guarded(value=3.0).run()
    (steady,) = world.of(records.SteadyState)
    assert not steady.held
    assert "got 3" in steady.why
    assert world.troubles() == ["unsteady"]
    assert ("phase", "broken") not in world.segments()


async def test_a_query_that_never_holds_ends_the_drill_whatever_the_alerts_do() -> None:
    world = guarded(value=3.0)
    world.active("A", 0.0, 1000.0)
    await world.run()
    assert world.troubles() == ["unsteady"]


async def test_a_query_that_holds_late_holds_up_the_first_fault_and_no_more() -> None:
    world = await guarded(value=3.0, until_s=20.0).run()
    (steady,) = world.of(records.SteadyState)
    assert steady.held
    assert steady.at - T0 >= 22.0
    assert world.said_of("phase", "broken") >= 22.0
    assert world.troubles() == []


async def test_a_query_that_never_holds_ends_a_drill_without_a_baseline_too() -> None:
    world = guarded(value=3.0)
    world = World(world.plan.scenario.model_copy(update={"phases": world.plan.scenario.phases[1:]}))
    world.source.answers[QUERY] = lambda now: [({}, 3.0)]
    await world.run()
    assert world.troubles() == ["unsteady"]
    assert world.of(records.Gate) == []


@pytest.mark.parametrize(("no_data", "held"), [("fail", False), ("ignore", True), (0, True), (1, False)])
async def test_an_empty_answer_counts_as_no_data_says(no_data: Any, held: bool) -> None:
    world = await guarded(no_data=no_data, value=None).run()
    (steady,) = world.of(records.SteadyState)
    assert steady.held is held
    assert held or "no data" in steady.why


async def test_a_short_settle_timeout_does_not_cut_the_steady_state_short() -> None:
    world = guarded(settle={"timeout": "1s"})
    world.active("A", 0.0, 1000.0)
    await world.run()
    (steady,) = world.of(records.SteadyState)
    assert steady.held
    assert steady.at - steady.since <= FULL_TAIL_S + 2.0 + TICK_S


async def test_an_alert_that_flaps_is_excused_like_one_that_stays() -> None:
    world = World(scenario([BASELINE, fault_phase("broken", "A")]))
    for second in range(0, 1000, 2):
        world.active("A", second, second + 1)
    await world.run()
    (steady,) = world.of(records.SteadyState)
    assert steady.active == ((("alertname", "A"),),)
    assert world.of(records.Gate)[0].open


@pytest.mark.parametrize("conditions", [{}, {"steady_state": [{"alerts": "inactive", "for": "2s"}]}])
async def test_a_condition_that_the_engine_does_not_answer_for_does_not_hold(conditions: dict[str, Any]) -> None:
    world = World(scenario([BASELINE], **conditions)) if conditions else guarded()
    world.source.silent.append((T0 + SINCE_S + 1.0, T0 + SINCE_S + 2.5))
    await world.run()
    (steady,) = world.of(records.SteadyState)
    assert steady.held
    assert steady.at - T0 >= SINCE_S + 2.5 + 2.0


async def test_a_query_that_fails_where_others_do_not_holds_nothing_meanwhile() -> None:
    world = guarded()
    fine = world.source.answers[QUERY]

    def answer(now: float) -> Sequence[tuple[Labels, float]]:
        if SINCE_S + 1.0 <= now - T0 < SINCE_S + 2.5:
            raise SourceFailed("too many samples")
        return fine(now)

    world.source.answers[QUERY] = answer
    await world.run()
    (steady,) = world.of(records.SteadyState)
    assert steady.at - T0 >= SINCE_S + 2.5 + 2.0
