"""When a phase with `end_when: decided` ends."""

from typing import Any

from tests.unit.run.world import BASELINE, T0, World, alerting, fault_phase, group, scenario

from alertdrill.core import journal as records

TICK_S = 0.25
FULL_S = 20.0


def one_fault(*expected: str, **more: Any) -> World:
    return World(scenario([BASELINE, fault_phase("broken", *expected, end_when="decided", **more)]))


def lasted_s(world: World) -> float:
    return world.start_of("settle", "settle") - world.start_of("phase", "broken")


def ended_s(world: World) -> float:
    """When the phase was ended, after its start."""
    return world.said_of("settle", "settle") - world.start_of("phase", "broken")


async def test_it_ends_two_evaluations_after_the_alert_fired_and_was_notified() -> None:
    world = one_fault("A")
    world.fires("A", "broken", after_s=4.0, lasts_s=60.0)
    await world.run()
    seen_firing = world.source.episodes[0].begins - T0 - world.start_of("phase", "broken")
    assert seen_firing + 2.0 <= ended_s(world) <= seen_firing + 2.0 + 1.0 + 2 * TICK_S


async def test_it_waits_for_every_expected_alert() -> None:
    world = one_fault("A", "B")
    world.fires("A", "broken", after_s=2.0, lasts_s=60.0)
    world.fires("B", "broken", after_s=9.0, lasts_s=60.0)
    await world.run()
    assert ended_s(world) >= 11.0


async def test_an_alert_that_is_only_pending_decides_nothing() -> None:
    world = one_fault("A")
    world.fires("A", "broken", after_s=3.0, lasts_s=60.0)
    world.on_phase("broken", lambda start: setattr(world.source.episodes[0], "fires", start + 12.0))
    await world.run()
    assert ended_s(world) >= 14.0


async def test_it_waits_for_the_notification_where_one_is_expected() -> None:
    expect = [{"alert": "A", "within": "10s", "notifies": {"within": "15s"}}]
    world = one_fault(expect=expect)
    world.fires("A", "broken", after_s=3.0, lasts_s=60.0, notified=False)
    world.on_phase("broken", lambda start: world.clock.at(start + 10.0, lambda: world.post("A")))
    await world.run()
    assert 12.0 <= ended_s(world) <= 13.0


def told(world: World, after_s: float, receiver: str) -> None:
    """Have a receiver of a managed Alertmanager get the alert A, so many seconds after the phase starts."""

    def deliver() -> None:
        what = {"receiver": receiver, "integration": "webhook", "labels": {"alertname": "A"}}
        world.journal.write(records.Delivered(at=world.clock.now(), status="firing", starts_at_ms=0, **what))

    world.on_phase("broken", lambda start: world.clock.at(start + after_s, deliver))


async def test_where_an_alertmanager_delivers_it_waits_for_the_receiver_that_is_expected() -> None:
    expect = [{"alert": "A", "within": "10s", "notifies": {"within": "15s", "receiver": "pager"}}]
    monitoring = {"scope": {"alerts": ["A"]}, "alertmanager": "managed"}
    world = World(scenario([BASELINE, fault_phase("broken", end_when="decided", expect=expect)], monitoring=monitoring))
    world.fires("A", "broken", after_s=3.0, lasts_s=60.0)
    told(world, 5.0, "mail")
    told(world, 10.0, "pager")
    await world.run()
    assert 12.0 <= ended_s(world) <= 13.0


async def test_what_is_added_to_a_post_on_its_way_does_not_count_against_matchers() -> None:
    expect = [
        {"alert": "A", "matchers": ['environment!="drill"'], "within": "10s", "notifies": {"within": "15s"}},
    ]
    world = one_fault(expect=expect)
    world.fires("A", "broken", after_s=3.0, lasts_s=60.0, notified=False)
    world.on_phase("broken", lambda start: world.clock.at(start + 8.0, lambda: world.post("A", environment="drill")))
    await world.run()
    assert 10.0 <= ended_s(world) <= 11.0


async def test_a_post_of_another_label_set_notifies_of_nothing() -> None:
    expect = [{"alert": "A", "within": "10s", "notifies": {"within": "15s"}}]
    world = one_fault(expect=expect)
    world.fires("A", "broken", after_s=3.0, lasts_s=60.0, notified=False, feature="hour")
    world.on_phase("broken", lambda start: world.clock.at(start + 8.0, lambda: world.post("A", feature="amount")))
    await world.run()
    assert abs(lasted_s(world) - FULL_S) < TICK_S


async def test_a_post_from_before_the_phase_notifies_of_nothing() -> None:
    expect = [{"alert": "A", "within": "10s", "notifies": {"within": "15s"}}]
    world = one_fault(expect=expect)
    world.clock.at(T0 + 6.0, lambda: world.post("A"))
    world.fires("A", "broken", after_s=3.0, lasts_s=60.0, notified=False)
    await world.run()
    assert abs(lasted_s(world) - FULL_S) < TICK_S


async def test_a_notification_without_labels_that_are_expected_does_not_count() -> None:
    expect = [{"alert": "A", "labels": {"feature": "amount"}, "within": "10s"}]
    world = one_fault(expect=expect)
    world.fires("A", "broken", after_s=3.0, lasts_s=60.0, feature="hour")
    await world.run()
    assert abs(lasted_s(world) - FULL_S) < TICK_S


async def test_an_alert_that_never_fires_is_awaited_for_the_whole_phase() -> None:
    world = await one_fault("A").run()
    assert abs(lasted_s(world) - FULL_S) < TICK_S


async def test_an_alert_whose_rule_is_not_loaded_is_not_waited_for() -> None:
    drill = scenario([BASELINE, fault_phase("broken", "A", "B", end_when="decided")])
    world = World(drill, [group(alerting("A"))])
    world.fires("A", "broken", after_s=3.0, lasts_s=60.0)
    await world.run()
    assert 5.0 <= ended_s(world) <= 7.0


async def test_an_alert_that_was_active_before_the_drill_is_not_waited_for() -> None:
    world = one_fault("A", "B")
    world.active("A", 0.0, 1000.0)
    world.fires("B", "broken", after_s=3.0, lasts_s=60.0)
    await world.run()
    assert 5.0 <= ended_s(world) <= 7.0


async def test_a_phase_that_expects_nothing_lasts_in_full() -> None:
    world = await one_fault(must_not_fire=[{"alert": "A"}]).run()
    assert abs(lasted_s(world) - FULL_S) < TICK_S


async def test_without_end_when_a_decided_phase_lasts_in_full() -> None:
    world = World(scenario([BASELINE, fault_phase("broken", "A")]))
    world.fires("A", "broken", after_s=3.0, lasts_s=60.0)
    await world.run()
    assert abs(lasted_s(world) - FULL_S) < TICK_S


async def test_an_alert_that_fired_before_the_phase_started_decides_nothing() -> None:
    world = one_fault("A")
    world.fires("A", "broken", after_s=-5.0, lasts_s=60.0)  # from the announcement on
    await world.run()
    assert abs(lasted_s(world) - FULL_S) < TICK_S
