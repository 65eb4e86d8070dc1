import pytest
from drill import BASELINE, expect, group, make_plan, nulls_phase, read, rule
from planned import KNOWN, look
from sample import sample

from alertdrill.core.observations import RuleGroup
from alertdrill.core.plan import SegmentKind
from alertdrill.core.prospect import assumed_starts, prospects
from alertdrill.core.scope import RuleBook
from alertdrill.core.touch import Touch
from alertdrill.core.traffic import PlannedTraffic


def test_a_known_rule_has_floor_expected_and_worst() -> None:
    (one,) = look(read(BASELINE, nulls_phase()))
    assert one.id == "nulls/NullsHigh"
    assert one.fill is not None
    assert one.start_s == 0.025
    floor_s, expected_s, worst_s = one.bounds.floor_s, one.bounds.expected_s, one.bounds.worst_s
    assert floor_s is not None
    assert expected_s is not None
    assert worst_s is not None
    assert floor_s == pytest.approx(one.fill.low_s + 2, abs=0.001)
    assert 2 < floor_s < expected_s < worst_s <= one.fill.high_s + 2 + 2


def test_a_longer_for_moves_the_floor_by_whole_intervals_alone() -> None:
    longer = group(KNOWN.rules[0], rule("NullsHigh", "nulls:ratio5s > 0.05", 4.5, severity="P1"))
    (one,), (other,) = look(read(BASELINE, nulls_phase())), look(read(BASELINE, nulls_phase()), longer)
    assert one.bounds.floor_s is not None
    assert other.bounds.floor_s == pytest.approx(one.bounds.floor_s + 3)


def test_a_rule_of_unknown_shape_has_no_bounds() -> None:
    (one,) = look(read(BASELINE, nulls_phase(expect=[expect("Odd")])))
    assert one.rule is not None
    assert (one.fill, one.bounds.floor_s) == (None, None)


def test_a_rule_that_is_not_loaded_and_a_share_of_0_have_none_either() -> None:
    (absent,) = look(read(BASELINE, nulls_phase()), RuleGroup("r", "g", 1.0, None, ()))
    control = nulls_phase(faults=[{"kind": "nulls", "features": ["amount"], "share": 0}])
    (untouched,) = look(read(BASELINE, control))
    assert (absent.rule, absent.fill) == (None, None)
    assert (untouched.start_s, untouched.fill, untouched.odds) == (None, None, None)


def test_an_expectation_without_a_feature_takes_the_features_of_its_fault() -> None:
    (one,) = look(read(BASELINE, nulls_phase(expect=[expect(labels={})])))
    (named,) = look(read(BASELINE, nulls_phase()))
    assert one.fill == named.fill


def test_an_expectation_without_a_feature_of_a_fault_without_features_takes_the_first_that_fires() -> None:
    renamed = [{"kind": "renamed_field", "field": "hour", "to": "h", "share": "50%"}]
    (one,) = look(read(BASELINE, nulls_phase(faults=renamed, expect=[expect(labels={})])))
    (named,) = look(read(BASELINE, nulls_phase(faults=renamed, expect=[expect(labels={"feature": "hour"})])))
    assert one.fill is not None
    assert one.fill == named.fill


def test_drift_is_derived_from_the_detector() -> None:
    shift = [{"kind": "mean_shift", "features": ["amount"], "by": "2sd", "share": 1}]
    (one,) = look(read(BASELINE, nulls_phase(faults=shift, expect=[expect("Drift")])))
    assert one.fill is not None
    assert 0 < one.fill.low_s < one.fill.high_s < 5


def test_phases_without_a_start_have_no_prospect() -> None:
    plan = make_plan(read(nulls_phase("one"), nulls_phase("two")), KNOWN)
    book = RuleBook.of([KNOWN])
    found = prospects(
        plan, PlannedTraffic(plan, sample(), Touch(plan)), book, 1.0, {0: 0.0, 1: 5.0, 2: 9.0}, {0: 100, 1: 80}
    )
    assert [one.phase.name for one in found] == ["one"]


def test_before_a_run_gates_last_a_tail_and_phases_their_duration() -> None:
    plan = make_plan(read(BASELINE, nulls_phase()))
    starts, counts = assumed_starts(plan, Touch(plan), 9.0)
    assert starts == {0: 0.0, 1: 9.0, 2: 19.0, 3: 28.0, 4: 48.0}
    assert [counts[one.k] for one in plan.segments if one.kind is SegmentKind.PHASE] == [200, 400]
    assert counts[2] == 180


def test_errors_that_a_fault_itself_answers_have_a_floor() -> None:
    errors = {"kind": "http_error", "share": 0.4, "place": "model"}
    (one,) = look(read(nulls_phase(faults=[errors], expect=[{"alert": "ErrorsHigh", "within": "9s"}])))
    assert one.fill is not None
    assert 2.0 < (one.bounds.floor_s or 0) < (one.bounds.worst_s or 0) < 8.0
