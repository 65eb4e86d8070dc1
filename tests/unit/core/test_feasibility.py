from drill import BASELINE, SCHEMA, expect, nulls_phase, read
from planned import look

from alertdrill.core.feasibility import hopeless, unknown_features
from alertdrill.core.scenario.finding import Finding

ALERTS = ("NullsHigh", "SlowAnswers")


def paths(findings: list[Finding]) -> list[tuple[object, ...]]:
    return [tuple(one.path) for one in findings]


def test_a_feature_that_the_target_lacks_is_found_and_the_nearest_suggested() -> None:
    faults = [{"kind": "nulls", "features": ["amount", "amuont"], "share": 1}]
    (one,) = unknown_features(read(nulls_phase(faults=faults)), SCHEMA)
    assert one.path == ("nulls", "faults", 0, "features", 1)
    assert "amount" in one.fix


def test_a_category_cannot_be_shifted() -> None:
    faults = [{"kind": "mean_shift", "features": ["country"], "by": "1sd", "share": 1}]
    (one,) = unknown_features(read(nulls_phase(faults=faults)), SCHEMA)
    assert one.fix == "write one of: amount, hour"


def test_features_of_the_target_are_no_finding() -> None:
    assert list(unknown_features(read(nulls_phase()), SCHEMA)) == []


def test_a_deadline_below_the_floor_cannot_be_met() -> None:
    found = list(hopeless(look(read(BASELINE, nulls_phase(expect=[expect(within="1s")]))), ALERTS))
    assert paths(found) == [("nulls", "expect", 0, "within")]
    assert "always passes" in found[0].fix


def test_a_phase_shorter_than_for_cannot_fire() -> None:
    found = list(hopeless(look(read(BASELINE, nulls_phase(duration="1500ms"))), ALERTS))
    assert ("nulls", "duration") in paths(found)


def test_what_can_be_met_is_no_finding() -> None:
    assert list(hopeless(look(read(BASELINE, nulls_phase())), ALERTS)) == []


def test_an_expected_feature_that_the_target_lacks_is_found() -> None:
    labels = {"feature": "amonut"}
    (one,) = unknown_features(read(nulls_phase(expect=[expect(labels=labels)])), SCHEMA)
    assert (one.path, one.fix) == (("nulls", "expect", 0, "labels", "feature"), "did you mean amount?")


def test_an_alert_that_is_not_loaded_cannot_fire() -> None:
    (one,) = hopeless(look(read(BASELINE, nulls_phase(expect=[expect("NullHigh")]))), ALERTS)
    assert (one.path, one.fix) == (("nulls", "expect", 0, "alert"), "did you mean NullsHigh?")


def test_a_dose_that_never_suffices_is_found() -> None:
    faults = [{"kind": "nulls", "features": ["amount"], "share": "1%"}]
    (one,) = hopeless(look(read(BASELINE, nulls_phase(faults=faults))), ALERTS)
    assert one.path == ("nulls", "expect", 0, "alert")
    assert "share" in one.fix
