"""The order of a drill: what the director announces, when, and what it does not inject."""

from itertools import pairwise

import pytest
from tests.unit.run.world import (
    BASELINE,
    FULL_TAIL_S,
    T0,
    UP_AFTER_S,
    WINDOW_S,
    World,
    alerting,
    fault_phase,
    group,
    scenario,
)

from alertdrill.core import journal as records
from alertdrill.core.draws import uniform
from alertdrill.run.director import LEAD_S

TICK_S = 0.25


def two_faults(**more: object) -> World:
    first = fault_phase("first", "A", end_when="decided")
    return World(scenario([BASELINE, first, fault_phase("second", "B", end_when="decided")], **more))


async def test_segments_come_in_the_order_of_the_plan_each_fault_phase_behind_its_gate() -> None:
    world = await two_faults().run()
    expected = ["steady", "phase baseline", "gate first", "phase first", "gate second", "phase second", "settle"]
    assert [kind if kind in ("steady", "settle") else f"{kind} {name}" for kind, name in world.segments()] == expected


async def test_each_segment_is_announced_ahead_of_its_start() -> None:
    world = await two_faults().run()
    ahead = [one.at - one.said for one in world.load.announced]
    assert all(LEAD_S - 1e-6 < seconds < LEAD_S + 1.0 + 1e-6 for seconds in ahead)
    assert [one.start_at for one in world.of(records.SegmentStarted)] == [one.at for one in world.load.announced]


async def test_a_segment_starts_no_sooner_than_the_one_before() -> None:
    world = await two_faults().run()
    starts = [one.at for one in world.load.announced]
    assert starts == sorted(starts)


async def test_only_fault_phases_are_dithered_and_the_seed_says_by_how_much() -> None:
    world = await two_faults().run()
    for (kind, name), one in zip(world.segments(), world.load.announced, strict=True):
        fault = kind == "phase" and name != "baseline"
        dither_s = uniform(world.plan.seed, "start", one.k, 0) if fault else 0.0
        assert one.at - one.said == pytest.approx(0.3 + dither_s, abs=1e-6)


async def test_the_dither_follows_the_slower_of_scrapes_and_evaluations() -> None:
    world = two_faults()
    world.director._evaluation_s = 4.0
    segment = world.plan.phase_segment("first")
    assert world.director._dither_s(segment) == 4.0 * uniform(world.plan.seed, "start", segment.k, 0)


async def test_the_baseline_runs_while_the_steady_state_is_awaited() -> None:
    world = await two_faults().run()
    (steady,) = world.of(records.SteadyState)
    assert UP_AFTER_S <= world.start_of("phase", "baseline") < UP_AFTER_S + TICK_S + LEAD_S + 0.01
    assert world.start_of("phase", "baseline") < steady.at - T0 < world.start_of("gate", "first")


async def test_a_phase_without_end_lasts_its_whole_duration() -> None:
    world = await two_faults().run()
    lasted_s = world.start_of("gate", "first") - world.start_of("phase", "baseline")
    assert lasted_s == pytest.approx(10.0, abs=0.01)


async def test_nothing_is_broken_before_the_steady_state_held() -> None:
    world = World(scenario([fault_phase("first", "A")]))
    await world.run()
    (steady,) = world.of(records.SteadyState)
    assert steady.held
    assert steady.at - T0 >= UP_AFTER_S + WINDOW_S
    assert world.said_of("phase", "first") >= steady.at - T0


async def test_targets_that_never_come_up_end_the_drill() -> None:
    world = two_faults()
    world.source.up_at = float("inf")
    await world.run()
    assert world.troubles() == ["unsteady"]
    assert world.segments() == [("steady", "steady_state")]


async def test_a_gate_waits_one_full_tail_after_the_last_confirmed_effect() -> None:
    world = await two_faults().run()
    last = world.start_of("gate", "second")  # the phase before sends until then
    opened = next(one.at for one in world.of(records.Gate) if one.phase == "second") - T0
    assert last + FULL_TAIL_S <= opened < last + FULL_TAIL_S + 2 * TICK_S


async def test_a_gate_waits_for_alerts_in_scope_to_be_inactive() -> None:
    world = two_faults()
    world.fires("A", "first", after_s=3.0, lasts_s=17.0)
    await world.run()
    resolved = world.source.episodes[0].ends - T0
    assert next(one.at for one in world.of(records.Gate) if one.phase == "second") - T0 >= resolved


async def test_a_gate_does_not_wait_for_an_alert_outside_the_scope() -> None:
    world = two_faults()
    world.active("Unrelated", 0.0, 1000.0)
    await world.run()
    assert all(gate.open for gate in world.of(records.Gate))
    assert world.of(records.SteadyState)[0].active == ()


async def test_a_gate_does_not_open_on_what_the_engine_said_before_it_fell_silent() -> None:
    world = two_faults()
    world.fires("B", "first", after_s=19.0, lasts_s=60.0)  # fires while the engine is silent, 5 s after the phase
    quiet = []

    def fall_silent(start: float) -> None:
        world.source.silent.append((start + 18.0, start + 20.5))
        quiet.append(start)

    world.on_phase("first", fall_silent)
    world.load.touches = False
    await world.run()
    assert not any(quiet[0] + 18.0 <= one.at < quiet[0] + 20.5 and one.open for one in world.of(records.Gate)[1:])


async def test_a_gate_that_does_not_open_skips_its_phase_and_the_next_is_still_tried() -> None:
    world = two_faults()
    world.active("A", 14.0, 45.0)  # from the baseline on, through the whole first gate
    await world.run()
    gates = {one.phase: one for one in world.of(records.Gate)}
    assert not gates["first"].open
    assert "A" in gates["first"].why
    assert gates["second"].open
    assert ("phase", "first") not in world.segments()
    assert ("phase", "second") in world.segments()
    assert world.troubles() == []


async def test_a_short_settle_timeout_still_leaves_room_for_the_tail_of_the_last_effect() -> None:
    world = await two_faults(settle={"timeout": "1s"}).run()
    assert [gate.open for gate in world.of(records.Gate)] == [True, True]


async def test_an_alert_active_before_the_drill_is_excused_and_blocks_nobody() -> None:
    world = two_faults()
    world.active("A", 0.0, 1000.0)
    await world.run()
    (steady,) = world.of(records.SteadyState)
    assert steady.held
    assert steady.active == ((("alertname", "A"),),)
    assert [gate.open for gate in world.of(records.Gate)] == [True, True]


async def test_an_excused_alert_blocks_nobody_though_the_settle_timeout_is_short() -> None:
    world = two_faults(settle={"timeout": "1s"})
    world.active("A", 0.0, 1000.0)
    await world.run()
    assert [gate.open for gate in world.of(records.Gate)] == [True, True]


async def test_another_label_set_of_an_excused_alert_still_blocks() -> None:
    world = World(scenario([{**BASELINE, "duration": "20s"}, fault_phase("first", "A")]))
    world.active("A", 0.0, 1000.0, feature="amount")
    world.active("A", 20.0, 60.0, feature="hour")
    await world.run()
    assert [gate.open for gate in world.of(records.Gate)] == [False]


async def test_the_drill_settles_until_the_last_alert_is_inactive() -> None:
    world = two_faults()
    world.fires("B", "second", after_s=3.0, lasts_s=16.0)
    await world.run()
    assert world.load.closed_at is not None
    assert world.load.closed_at >= world.source.episodes[0].ends


async def test_a_settle_that_never_becomes_quiet_ends_before_the_load_runs_out() -> None:
    world = two_faults()
    world.fires("B", "second", after_s=3.0, lasts_s=1000.0)
    await world.run()
    settle = world.plan.segments[-1]
    assert world.load.closed_at is not None
    assert world.load.closed_at - T0 < world.start_of("settle", "settle") + settle.duration_s


async def test_no_segment_lasts_longer_than_the_arrivals_that_were_planned_for_it() -> None:
    world = two_faults()
    world.active("A", 14.0, 45.0)
    await world.run()
    ends = [one.at for one in world.load.announced[1:]]
    for one, end in zip(world.load.announced, ends, strict=False):
        assert end - one.at <= world.plan.segments[one.k].duration_s + 0.05


async def test_the_first_gate_is_planned_to_last_until_the_steady_state_is_decided() -> None:
    world = World(scenario([fault_phase("first", "A")]))
    gate = next(segment for segment in world.plan.segments if segment.kind == "gate")
    assert world.director._patience_s() + 1.0 + 2 * LEAD_S < gate.duration_s


async def test_leases_are_renewed_at_least_every_second() -> None:
    world = two_faults()
    world.load.needs_s = 8.0
    await world.run()
    gaps = [b - a for a, b in pairwise(world.processes.renewed)]
    assert max(gaps) <= 1.0 + 1e-6
    assert world.processes.renewed[-1] >= world.clock.now() - 1.0 - 1e-6


async def test_a_load_that_does_not_hand_over_its_journal_is_a_trouble() -> None:
    world = two_faults()
    world.load.needs_s = 1000.0
    await world.run()
    assert world.troubles() == ["child_died"]


async def test_evidence_is_gathered_at_the_end() -> None:
    world = await two_faults().run()
    assert world.processes.confirmed
    assert world.of(records.Evaluated)
    assert len(world.of(records.Clock)) >= 4
    assert world.director.collectors[None].reached == world.clock.now()


async def test_every_evaluation_is_journaled_and_none_again_in_the_next_stretch_but_the_last() -> None:
    world = await two_faults().run()
    stretches = [one.evaluated_at for one in world.of(records.Evaluated)]
    assert all(before[-1] <= after[0] for before, after in pairwise(stretches))
    seen = [at for stretch in stretches for at in stretch]
    assert sorted(set(seen)) == [float(second) for second in range(int(T0), int(world.clock.now()) + 1)]


async def test_rules_are_journaled_when_they_change_and_not_otherwise() -> None:
    world = two_faults()
    world.clock.at(T0 + 20.0, lambda: setattr(world.source, "groups", (group(alerting("A")),)))
    await world.run()
    (changed,) = world.of(records.Rules)
    assert [rule.name for one in changed.groups for rule in one.rules] == ["A"]


async def test_the_same_world_gives_the_same_journal() -> None:
    first, second = await two_faults().run(), await two_faults().run()
    assert first.journal.records == second.journal.records


async def test_a_load_that_fails_while_it_hands_over_its_last_is_a_trouble() -> None:
    world = two_faults()
    close = world.load.close

    def fail(at: float) -> None:
        close(at)
        world.processes.died = "load ended with exit code 1"

    world.load.close = fail  # type: ignore[method-assign]
    await world.run()
    (trouble,) = world.of(records.Trouble)
    assert (trouble.kind, trouble.what) == ("child_died", "load ended with exit code 1")


async def test_what_the_engine_says_of_its_process_is_journaled_when_it_changes() -> None:
    world = two_faults()
    world.on_phase("second", lambda at: setattr(world.source, "started_at", at))
    await world.run()
    first, again = world.of(records.Process)
    assert (first.started_at, first.reloaded) == (T0 - 60, True)
    assert again.started_at is not None
    assert again.started_at > T0


async def test_an_engine_that_says_nothing_of_itself_is_drilled_all_the_same() -> None:
    world = two_faults()
    world.source.reserved = True
    await world.run()
    assert (world.of(records.Process), world.troubles()) == ([], [])


@pytest.mark.parametrize("ahead_s", [10.0, -10.0])
async def test_samples_are_asked_for_by_the_engine_s_clock(ahead_s: float) -> None:
    world = two_faults()
    world.source.ahead_s = ahead_s
    await world.run()
    asked = [(begin, end) for name, begin, end in world.source.raw_asked if name == "ALERTS"]
    assert asked[0][0] < T0 + ahead_s
    assert asked[-1][1] == world.clock.now() + ahead_s


async def test_faults_on_processes_are_announced_with_every_segment_and_let_go_before_the_load_is_closed() -> None:
    world = await two_faults().run()
    assert world.processes.announced == [(one.k, one.at) for one in world.load.announced]
    assert world.processes.let_go_at == world.load.closed_at


async def test_a_gate_waits_for_a_target_that_was_killed_to_answer_again() -> None:
    world = two_faults()
    usual = (await two_faults().run()).of(records.Gate)[0].at
    world.processes.whole_from = usual + 3.0
    await world.run()
    opened = world.of(records.Gate)[0]
    assert opened.open
    assert usual + 3.0 <= opened.at < usual + 4.0


async def test_a_gate_says_that_the_target_does_not_answer() -> None:
    world = two_faults()
    world.processes.whole_from = T0 + 10_000.0
    await world.run()
    assert [one.open for one in world.of(records.Gate)] == [False, False]
    assert "the target does not answer again after" in next(one.why for one in world.of(records.Gate))
