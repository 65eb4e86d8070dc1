import pytest
from drill import BASELINE, T0_S, Drill, expect, nulls_phase

from alertdrill.core import journal as records
from alertdrill.core.attribution import is_expected, is_prohibited
from alertdrill.core.plan import SegmentKind
from alertdrill.core.recording import label_key

TAIL_MS = 9000


def owners(drill: Drill) -> list[str | None]:
    return [one.phase for one in drill.attribution().owned]


@pytest.mark.parametrize(("after_start_ms", "owned"), [(-1, 0), (0, 0), (1, 1)])
def test_an_episode_belongs_to_a_fault_only_if_it_became_pending_after_its_start(
    after_start_ms: int, owned: int
) -> None:
    drill = Drill()
    at = drill.start_ms() + after_start_ms
    drill.fire(at, at + 2000, at + 4000)
    assert len(drill.attribution().owned) == owned


@pytest.mark.parametrize(("after_tail_ms", "owned"), [(0, 1), (1, 0)])
def test_a_fault_owns_episodes_up_to_one_tail_after_its_last_effect(after_tail_ms: int, owned: int) -> None:
    drill = Drill()
    at = drill.last_ms() + TAIL_MS + after_tail_ms
    drill.fire(at, at + 2000, at + 4000)
    assert len(drill.attribution().owned) == owned
    assert len(drill.attribution().unexplained) == 1 - owned


def test_a_fault_owns_episodes_up_to_one_tail_after_its_last_exchange_was_over() -> None:
    drill = Drill()
    (injection,) = drill.plan.injections
    over_ms = drill.last_ms() + 6000
    drained = records.SegmentDrained(
        at=over_ms / 1000, k=injection.segment, last_ended=over_ms / 1000, answered=0, failed=9
    )
    at = over_ms + TAIL_MS
    drill.add(drained).fire(at, at + 2000, at + 4000)
    assert owners(drill) == ["nulls"]


def test_where_tails_overlap_the_latest_phase_wins() -> None:
    drill = Drill(nulls_phase("one"), nulls_phase("two"), gate_s=1.3)
    at = drill.evaluation(drill.start_ms("two"))
    assert at < drill.last_ms("one") + TAIL_MS
    drill.fire(at, at + 2000, at + 4000)
    assert owners(drill) == ["two"]


def test_a_fault_that_touched_nothing_owns_nothing() -> None:
    drill = Drill().detect()
    assert owners(drill) == ["nulls"]
    drill.drop(records.Touched)
    assert owners(drill) == []


def test_an_episode_beside_a_fault_that_lost_its_account_is_nobody_s_false_alarm() -> None:
    drill = Drill().detect().drop(records.Touched)
    assert drill.attribution().unexplained == ()
    assert [one.alert for one in drill.attribution().background] == ["NullsHigh"]


def test_what_fires_after_the_load_has_ended_is_nobody_s_false_alarm() -> None:
    drill = Drill()
    drill.add(records.Trouble(at=(drill.last_ms() - 1000) / 1000, kind="child_died", what="load ended"))
    at = drill.evaluation(drill.last_ms() + TAIL_MS + 1000)
    drill.fire(at, at + 2000, at + 4000)
    assert drill.attribution().unexplained == ()


def test_what_was_pending_before_the_steady_state_counts_is_background() -> None:
    at = round(T0_S * 1000) + 1400
    found = Drill().fire(at, at + 2000, at + 6000).attribution()
    assert (len(found.background), found.unexplained) == (1, ())


def test_what_the_steady_state_found_active_is_background() -> None:
    drill = Drill()
    at = round(T0_S * 1000) + 2400
    drill.fire(at, at + 1000, at + 60_000)
    assert len(drill.attribution().unexplained) == 1
    labels = drill.attribution().unexplained[0].label_map
    drill.change(records.SteadyState, active=(label_key(labels),))
    assert (len(drill.attribution().background), drill.attribution().unexplained) == (1, ())


def test_before_a_steady_state_nothing_counts() -> None:
    drill = Drill().detect().drop(records.SteadyState)
    assert len(drill.attribution().background) == 1


def test_alerts_out_of_scope_are_background_unless_a_fault_explains_them() -> None:
    drill = Drill()
    baseline = drill.evaluation(drill.segment_ms(SegmentKind.PHASE, "baseline") + 2000)
    fault = drill.evaluation(drill.start_ms() + 2000)
    drill.fire(baseline, baseline + 2000, baseline + 4000, alert="Slow", job="monitor")
    drill.fire(fault, fault + 2000, fault + 4000, alert="Slow", job="monitor")
    found = drill.attribution()
    assert [one.pending_at for one in found.background] == [baseline]
    assert [one.episode.pending_at for one in found.owned] == [fault]


def test_an_expectation_wins_over_a_prohibition() -> None:
    drill = Drill(BASELINE, nulls_phase(), must_not_fire=[{"labels": {"severity": "P1"}}]).detect()
    drill.detect("nulls", feature="hour")
    case, phase = drill.case(), drill.plan.scenario.phases[1]
    by_feature = {one.episode.label_map["feature"]: one.episode for one in drill.attribution().owned}
    assert is_expected(phase, by_feature["amount"])
    assert not is_prohibited(case, phase, by_feature["amount"])
    assert not is_expected(phase, by_feature["hour"])
    assert is_prohibited(case, phase, by_feature["hour"])


def test_an_expectation_without_labels_takes_every_label_set() -> None:
    drill = Drill(nulls_phase(expect=[expect(labels={})])).detect(feature="hour")
    assert is_expected(drill.plan.scenario.phases[0], drill.attribution().owned[0].episode)
