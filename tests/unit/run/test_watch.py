"""What ends a drill before its time, and what does not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.run.world import BASELINE, T0, UP_AFTER_S, WINDOW_S, World, alerting, fault_phase, group, scenario

from alertdrill.core import journal as records

TICK_S = 0.25
STOP = "up_somewhere"


def drill(**more: Any) -> World:
    return World(scenario([BASELINE, fault_phase("broken", "A")], **more))


def in_phase(world: World, after_s: float, what: Callable[[], None]) -> list[float]:
    """Have something happen in the fault phase; the list gets its instant."""
    when: list[float] = []

    def plan_it(start: float) -> None:
        when.append(start + after_s)
        world.clock.at(start + after_s, what)

    world.on_phase("broken", plan_it)
    return when


def stopped_by(
    value: float | None, no_data: Any = "ignore", from_s: float = 0.0, until_s: float = float("inf")
) -> World:
    """A drill that stops when a query is 0 for 3 s; it answers `value` in [from_s, until_s), 1 otherwise."""
    world = drill(stop_conditions=[{"query": STOP, "is": "== 0", "no_data": no_data, "for": "3s"}])

    def answer(now: float) -> list[tuple[dict[str, str], float]]:
        current = value if from_s <= now - T0 < until_s else 1.0
        return [] if current is None else [({}, current)]

    world.source.answers[STOP] = answer
    return world


async def test_a_stop_condition_that_holds_for_its_time_aborts_the_drill() -> None:
    world = await stopped_by(0.0, from_s=20.0).run()
    assert world.troubles() == ["stop_condition"]
    assert world.load.closed_at is not None
    assert 23.0 <= world.load.closed_at - T0 <= 23.0 + 1.0 + 2 * TICK_S


async def test_a_stop_condition_that_holds_for_less_does_not() -> None:
    world = await stopped_by(0.0, from_s=20.0, until_s=22.0).run()
    assert world.troubles() == []


async def test_a_stop_condition_needs_every_series_to_meet_it() -> None:
    world = stopped_by(1.0)
    world.source.answers[STOP] = lambda now: [({"job": "a"}, 0.0), ({"job": "b"}, 1.0)]
    await world.run()
    assert world.troubles() == []


@pytest.mark.parametrize(("no_data", "stops"), [("fail", True), ("ignore", False), (0, True), (1, False)])
async def test_no_data_stops_a_drill_as_the_condition_says(no_data: Any, stops: bool) -> None:
    world = await stopped_by(None, no_data, from_s=20.0).run()
    assert (world.troubles() == ["stop_condition"]) is stops


async def test_no_data_stops_nothing_before_the_first_full_window() -> None:
    world = await stopped_by(None, "fail", until_s=UP_AFTER_S + WINDOW_S).run()
    assert world.troubles() == []


async def test_an_engine_that_is_silent_for_more_than_three_seconds_ends_the_drill() -> None:
    world = drill()
    world.on_phase("broken", lambda start: world.source.silent.append((start + 2.0, float("inf"))))
    await world.run()
    assert world.troubles()[0] == "engine_gone"
    began = world.source.silent[0][0]
    assert world.load.closed_at is not None
    assert began + 3.0 - TICK_S <= world.load.closed_at <= began + 3.0 + 2 * TICK_S


async def test_an_engine_that_is_silent_for_less_does_not() -> None:
    world = drill()
    world.on_phase("broken", lambda start: world.source.silent.append((start + 2.0, start + 4.5)))
    await world.run()
    assert world.troubles() == []


async def test_one_failed_poll_does_not_end_a_drill() -> None:
    world = drill()
    world.on_phase("broken", lambda start: world.source.silent.append((start + 2.0, start + 2.0 + TICK_S)))
    await world.run()
    assert world.troubles() == []
    assert ("settle", "settle") in world.segments()


async def test_a_dead_engine_ends_the_drill_at_once_and_keeps_the_samples_so_far() -> None:
    world = drill()
    when = in_phase(world, 2.0, lambda: setattr(world.source, "dead", True))
    await world.run()
    assert world.troubles() == ["engine_gone", "query_failed"]
    assert world.load.closed_at is not None
    assert world.load.closed_at <= when[0] + TICK_S
    assert world.director.collectors[None].samples


async def test_a_dead_engine_ends_the_wait_of_a_gate() -> None:
    world = drill()
    world.active("A", 14.0, 1000.0)
    world.clock.at(T0 + 20.0, lambda: setattr(world.source, "dead", True))
    await world.run()
    assert world.load.closed_at is not None
    assert world.load.closed_at - T0 <= 20.0 + TICK_S


async def test_a_dead_process_ends_the_drill_with_its_samples_collected() -> None:
    world = drill()
    when = in_phase(world, 2.0, lambda: setattr(world.processes, "died", "monitor ended with exit code -9"))
    await world.run()
    (trouble,) = world.of(records.Trouble)
    assert (trouble.kind, trouble.what) == ("child_died", "monitor ended with exit code -9")
    assert trouble.at <= when[0] + TICK_S
    assert world.processes.confirmed
    assert max(end for _, _, end in world.source.raw_asked) == world.clock.now()
    assert "monitor ended with exit code -9" in world.progress.notes


async def test_a_process_that_died_while_the_controller_stood_still_is_named_before_the_silent_engine() -> None:
    world = drill()

    def stand_still() -> None:
        world.processes.died = "load let go"
        world.source.silent.append((world.clock.now(), float("inf")))

    in_phase(world, 2.0, stand_still)
    await world.run()
    assert world.troubles()[0] == "child_died"


async def test_a_slow_answer_does_not_make_the_next_failed_poll_fatal() -> None:
    world = drill()
    world.source.timeout_s = 2.0
    world.on_phase("broken", lambda start: world.source.silent.append((start + 2.0, start + 2.5)))
    await world.run()
    assert world.troubles() == []


@pytest.mark.parametrize(("interval_s", "fewest", "most"), [(15.0, 15, 15 + 4 + 1 + 1), (2.0, 60, 60 + 15)])
async def test_rules_are_looked_at_four_times_in_an_interval_and_alerts_each_second_at_least(
    interval_s: float, fewest: int, most: int
) -> None:
    stop = {"query": STOP, "is": "== 0", "no_data": "ignore", "for": "3s"}
    drill = scenario(
        [BASELINE, fault_phase("broken", "A")], stop_conditions=[stop], monitoring={"evaluation_interval": "15s"}
    )
    world = World(drill, [replace(group(alerting("A"), alerting("B")), interval_s=interval_s)])
    world.source.answers[STOP] = lambda now: []
    begun: list[float] = []
    world.on_phase("broken", begun.append)
    await world.run()
    asked = [at for at in world.source.asked_at if begun[0] + 1 <= at < begun[0] + 16]
    assert fewest <= len(asked) <= most
