import pytest
from drill import SCHEMA, Drill, expect, nulls_phase, outcome, read

from alertdrill.core.label_sets import unnamed, with_label_sets, written_position
from alertdrill.core.result import DrillVerdict
from alertdrill.core.scenario import Scenario
from alertdrill.core.scenario.finding import path_text
from alertdrill.core.scenario.reading import read_scenario

TWO = [{"kind": "nulls", "features": ["*o*"], "share": "50%"}]
SLOW = [{"kind": "latency", "delay": "400ms", "share": "50%", "place": "model"}]


def every(**changes: object) -> dict[str, object]:
    return {"alert": "NullsHigh", "within": "10s", "match": "all"} | changes


def labels(scenario: Scenario) -> list[dict[str, str]]:
    return [one.labels for one in with_label_sets(scenario, SCHEMA).phases[-1].expect]


def test_all_stands_for_each_feature_that_the_fault_edits() -> None:
    scenario = read(nulls_phase(faults=TWO, expect=[every(labels={"severity": "P1"})]))
    assert labels(scenario) == [
        {"severity": "P1", "feature": "amount"},
        {"severity": "P1", "feature": "hour"},
        {"severity": "P1", "feature": "country"},
    ]


def test_matchers_pick_some_of_the_features() -> None:
    scenario = read(nulls_phase(faults=TWO, expect=[every(matchers=['feature!~"h.*"'])]))
    assert labels(scenario) == [{"feature": "amount"}, {"feature": "country"}]


def test_values_that_a_matcher_lists_come_before_the_features() -> None:
    listed = every(matchers=['country=~"RS|CZ"', 'zone=~"a|b"', 'zone!="b"'])
    scenario = read(nulls_phase(faults=SLOW, expect=[listed]))
    assert labels(scenario) == [{"country": "RS", "zone": "a"}, {"country": "CZ", "zone": "a"}]


def test_any_stays_one_expectation() -> None:
    scenario = read(nulls_phase(faults=TWO, expect=[expect()]))
    assert with_label_sets(scenario, SCHEMA) == scenario


@pytest.mark.parametrize("expectation", [every(), every(matchers=['feature=~"a.+"'])])
def test_all_needs_label_sets_that_can_be_named_before_the_drill(expectation: dict[str, object]) -> None:
    values = read(nulls_phase()).model_dump(mode="json", exclude_unset=True)
    values |= {"phases": [nulls_phase(faults=SLOW, expect=[expectation])]}
    (one,) = read_scenario(values).findings
    assert path_text(one.path) == "phases[0].expect[0].match"
    assert "match: any" in one.fix


@pytest.mark.parametrize(
    ("matchers", "many"),
    [(['feature=~"x.+"'], "none"), ([f'a=~"{"|".join(map(str, range(20)))}"', f'b=~"{"|".join("abcdef")}"'], "more")],
)
def test_no_label_set_or_too_many_are_refused(matchers: list[str], many: str) -> None:
    (one,) = unnamed(read(nulls_phase(faults=TWO, expect=[every(matchers=matchers)])), SCHEMA)
    assert one.path == ("nulls", "expect", 0, "match")
    assert f"not {many}" in one.expected


def test_a_written_out_expectation_is_found_in_its_file() -> None:
    scenario = read(nulls_phase(faults=TWO, expect=[expect(labels={"zone": "a"}), every(), expect("Slow")]))
    phase = scenario.phases[0]
    assert [written_position(phase, SCHEMA, at) for at in range(5)] == [0, 1, 1, 1, 2]
    with pytest.raises(ValueError, match="no such"):
        written_position(phase, SCHEMA, 5)


def test_an_alert_that_stays_silent_for_one_feature_of_all_is_missed_there() -> None:
    written = with_label_sets(read(nulls_phase(faults=TWO, expect=[every(matchers=['feature!="hour"'])])), SCHEMA)
    phase = written.phases[0].model_dump(mode="json")
    drill = Drill(phase).detect(feature="amount")
    assert [outcome(one) for one in drill.judge().expectations] == [("detected", None), ("missed", "never_pending")]
    assert [one.id for one in drill.judge().expectations] == ["nulls/NullsHigh/1", "nulls/NullsHigh/2"]
    assert drill.judge().verdict is DrillVerdict.FAILED
    drill = Drill(phase).detect(feature="amount").detect(feature="country")
    assert drill.judge().verdict is DrillVerdict.PASSED
