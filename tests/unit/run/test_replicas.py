"""A drill whose Prometheus has replicas: both are asked, both must agree to end early, one may be lost."""

import math

from tests.unit.run.world import BASELINE, T0, Episode, World, alerting, fault_phase, group, scenario

from alertdrill.core import journal as records

A, B = "http://a:9090", "http://b:9090"
APART = records.Replicas(at=T0, names=(A, B), label="replica", apart=True)
TOGETHER = records.Replicas(at=T0, names=("a", "b"), label="replica", apart=False)


def drill(replicas: records.Replicas = APART, **more: object) -> World:
    phase = fault_phase("broken", "A", end_when="decided", **more)
    return World(scenario([BASELINE, phase]), replicas=replicas)


def fire(world: World, after_s: float, *where: str, **labels: str) -> None:
    """Have A fire so long after the phase starts, on one or both replicas."""

    def plan_it(start: float) -> None:
        for name, source in (("a", world.source), ("b", world.other)):
            if name in where:
                at = start + after_s
                source.episodes.append(Episode({"alertname": "A", **labels}, at, at, at + 6.0))

    world.on_phase("broken", plan_it)


def lasted_s(world: World) -> float:
    """How long the fault phase was."""
    kinds = world.segments()
    at = kinds.index(("phase", "broken"))
    return world.load.announced[at + 1].at - world.load.announced[at].at


async def test_what_each_replica_says_is_journaled_with_its_name() -> None:
    world = await drill().run()
    for kind in (records.Clock, records.Evaluated):
        assert {one.replica for one in world.of(kind)} == {A, B}
    assert set(world.director.collectors) == {A, B}
    assert all(one.samples for one in world.director.collectors.values())
    assert world.troubles() == []


async def test_a_phase_is_decided_once_every_replica_has_fired() -> None:
    world = drill()
    fire(world, 3.0, "a")
    fire(world, 7.0, "b")
    await world.run()
    assert 9.0 <= lasted_s(world) <= 11.0
    alone = drill()
    fire(alone, 3.0, "a")
    await alone.run()
    assert lasted_s(alone) >= 19.0, "b gets all the time that there is"


async def test_an_alert_of_either_replica_keeps_a_gate_shut() -> None:
    world = drill()
    world.other.episodes.append(Episode({"alertname": "A"}, T0 + 15.0, T0 + 15.0, math.inf))
    await world.run()
    (gate,) = world.of(records.Gate)
    assert not gate.open


async def test_a_replica_that_is_silent_is_lost_and_the_drill_goes_on_with_the_other() -> None:
    world = drill()
    fire(world, 6.0, "a")
    world.on_phase("broken", lambda start: world.other.silent.append((start + 1.0, math.inf)))
    await world.run()
    (trouble,) = world.of(records.Trouble)
    assert (trouble.kind, trouble.replica) == ("engine_gone", B)
    assert "has given no answer that can be used for 3 s" in trouble.what
    assert lasted_s(world) <= 10.0, "one that is lost has no say in when a phase is decided"
    asked = [at for at in world.other.asked_at if at > trouble.at]
    assert asked == []


async def test_a_replica_that_was_silent_for_a_moment_is_not_lost() -> None:
    world = drill()
    world.on_phase("broken", lambda start: world.other.silent.append((start + 1.0, start + 3.0)))
    await world.run()
    assert world.troubles() == []


async def test_when_both_are_silent_the_drill_ends() -> None:
    world = drill()
    for source in (world.source, world.other):
        world.on_phase("broken", lambda start, one=source: one.silent.append((start + 1.0, math.inf)))
    await world.run()
    assert next((one.kind, one.replica) for one in world.of(records.Trouble)) == ("engine_gone", None)


async def test_when_the_first_is_lost_conditions_are_asked_of_the_other() -> None:
    world = World(
        scenario(
            [BASELINE, fault_phase("broken", "A")],
            stop_conditions=[{"query": "q", "is": "== 0", "no_data": "ignore", "for": "2s"}],
        ),
        replicas=APART,
    )
    world.source.answers["q"] = lambda now: [({}, 1.0)]
    world.other.answers["q"] = lambda now: [({}, 0.0)]
    world.on_phase("broken", lambda start: world.source.silent.append((start + 1.0, math.inf)))
    await world.run()
    assert world.troubles()[:2] == ["engine_gone", "stop_condition"]


async def test_alerts_of_one_store_are_told_apart_by_the_label() -> None:
    world = drill(TOGETHER)
    fire(world, 3.0, "a", replica="a")
    fire(world, 7.0, "a", replica="b")
    await world.run()
    assert 9.0 <= lasted_s(world) <= 11.0
    assert {one.replica for one in world.of(records.Evaluated)} == {None}


async def test_an_alert_without_the_label_is_one_of_all_replicas() -> None:
    world = drill(TOGETHER)
    fire(world, 3.0, "a")
    await world.run()
    assert lasted_s(world) <= 7.0


async def test_evaluations_of_groups_that_bear_the_label_are_those_of_their_replica() -> None:
    groups = [group(alerting("A", replica=name)) for name in ("a", "b")]
    world = await World(scenario([BASELINE, fault_phase("broken", "A")]), groups, replicas=TOGETHER).run()
    assert {one.replica for one in world.of(records.Evaluated)} == {"a", "b"}


async def test_alerts_of_replicas_that_bear_a_label_of_theirs_are_the_same() -> None:
    world = drill()
    world.on_phase("broken", lambda start: world.source.episodes.append(labelled(start + 3.0, "a")))
    world.on_phase("broken", lambda start: world.other.episodes.append(labelled(start + 4.0, "b")))
    await world.run()
    assert lasted_s(world) <= 8.0


def labelled(at: float, name: str) -> Episode:
    return Episode({"alertname": "A", "replica": name}, at, at, at + 6.0)
