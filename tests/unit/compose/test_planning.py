from pathlib import Path

import pytest
from drill import SCHEMA, group, rule
from planned import KNOWN
from sample import sample

from alertdrill.adapters.target import PreparedTarget
from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.compose.background import Background
from alertdrill.compose.planning import Planner
from alertdrill.core.errors import BadInput
from alertdrill.core.observations import RuleGroup

TARGET = PreparedTarget("target", "1", SCHEMA, Path("sample.csv"), sample(), "00")

SCENARIO = """\
version: 1
name: drill
target: {{bundled: fraud}}
monitoring: {{prometheus: {{url: "http://127.0.0.1:9"}}}}
load: {{rate: {rate}, arrivals: constant}}
limits: {{max_duration: {limit}}}
phases:
  - {{name: baseline, duration: 5s}}
  - name: one
    duration: {duration}
    faults: [{faults}]
    expect: [{{alert: {alert}, labels: {{feature: amount}}, within: {within}}}]
"""
NULLS = "{kind: nulls, features: [amount], share: 50%}"


def planner(
    folder: Path,
    rules: RuleGroup = KNOWN,
    background: Background = Background(),  # noqa: B008
    **changes: str,
) -> Planner:
    file = folder / "drill.yaml"
    values = {"rate": "20/s", "limit": "15m", "duration": "20s", "alert": "NullsHigh", "within": "10s", "faults": NULLS}
    file.write_text(SCENARIO.format(**values | changes))
    return Planner(load_scenario(file), file, TARGET, [rules], 1.0, background)


def refused(one: Planner) -> str:
    with pytest.raises(BadInput) as error:
        one.plan("planned")
    return str(error.value)


def test_rules_that_look_back_for_hours_do_not_make_a_drill_of_hours(tmp_path: Path) -> None:
    slow = group(rule("NullsHigh", "rate(x[3h]) > 1"))
    assert "limits.max_duration" in refused(planner(tmp_path, slow))


def test_a_plan_has_numbers_where_the_scenario_says_auto(tmp_path: Path) -> None:
    one = planner(tmp_path, duration="auto", within="auto")
    plan = one.plan("planned")
    phase = plan.scenario.phases[1]
    assert plan.phase_segment("one").duration_s == phase.duration < 20
    assert 2 < phase.expect[0].within < 6
    assert type(plan).model_validate_json(plan.model_dump_json()) == plan


def test_what_was_auto_is_said(tmp_path: Path) -> None:
    one = planner(tmp_path, duration="auto", within="auto")
    found = one.prospectus(one.plan("planned"))
    assert found.mistakes == ()
    assert found.outlook.expectations[0].within_is_auto
    assert found.outlook.notes[0].startswith("one: duration: auto is ")


def test_an_auto_that_cannot_be_worked_out_is_a_mistake_at_its_line(tmp_path: Path) -> None:
    text = refused(planner(tmp_path, within="auto", alert="Odd"))
    assert "drill.yaml:12:" in text
    assert "phases[1].expect[0].within" in text
    assert "nobody can tell how long Odd takes" in text


def test_the_limit_holds_for_durations_that_were_auto(tmp_path: Path) -> None:
    late = "{kind: nulls, features: [amount], share: 50%, profile: {kind: step, at: 30s}}"
    assert planner(tmp_path, duration="auto", within="auto", faults=late, limit="2m").plan("planned")
    assert "limits.max_duration" in refused(planner(tmp_path, duration="auto", within="auto", faults=late, limit="55s"))


def test_no_fault_takes_the_load_above_its_limit(tmp_path: Path) -> None:
    surge = "{kind: surge, factor: 40}"
    assert "limits.max_rate" in refused(planner(tmp_path, faults=surge, alert="Odd"))


def test_mistakes_have_their_lines_in_order(tmp_path: Path) -> None:
    one = planner(tmp_path, within="1s", faults="{kind: nulls, features: [amount], share: 50%, where: {country: XX}}")
    found = one.prospectus(one.plan("planned"))
    assert [mistake.line for mistake in found.mistakes] == [11]
    both = planner(tmp_path, within="1s", duration="1500ms")
    assert [mistake.line for mistake in both.prospectus(both.plan("planned")).mistakes] == [10, 12]


def test_a_fault_that_another_one_hides_behind_is_noted(tmp_path: Path) -> None:
    for share, notes in (
        ("2%", ["one/NullsHigh: its fault alone never raises the alert, the others of the phase do"]),
        ("50%", []),
    ):
        faults = f"{{kind: nulls, id: own, features: [amount], share: {share}}}, {NULLS}"
        one = planner(tmp_path, faults=faults, alert="NullsHigh, fault: own")
        assert list(one.prospectus(one.plan("planned")).outlook.notes) == notes


def test_the_traffic_of_others_makes_a_rule_slower(tmp_path: Path) -> None:
    alone = planner(tmp_path)
    among = planner(tmp_path, background=Background(60.0, "others send 60/s"))
    first, second = (one.prospectus(one.plan("planned")).outlook for one in (alone, among))
    floors = [one.expectations[0].floor_s for one in (first, second)]
    assert floors[0] is not None
    assert floors[1] is not None
    assert floors[0] + 0.5 < floors[1]
    assert first.notes == ()
    assert second.notes[0] == "others send 60/s"
    assert second.injections[0].share_seen == pytest.approx(0.125, abs=0.02)


def test_auto_waits_for_a_rule_that_the_traffic_of_others_makes_slower(tmp_path: Path) -> None:
    alone = planner(tmp_path, within="auto")
    among = planner(tmp_path, within="auto", background=Background(60.0))
    times = [one.plan("planned").scenario.phases[1].expect[0].within for one in (alone, among)]
    assert times[0] < times[1]


def test_what_is_started_is_named_in_the_order_of_the_wire(tmp_path: Path) -> None:
    slow = "{kind: latency, delay: 400ms, share: 30%, place: edge}"
    one = planner(tmp_path, faults=slow, alert="SlowAnswers")
    radius = one.prospectus(one.plan("planned")).outlook.blast_radius
    assert radius.starts == ("load", "fault proxy (edge)", "monitor")
