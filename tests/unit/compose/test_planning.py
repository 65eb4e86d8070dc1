import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from drill import SCHEMA, group, rule
from planned import KNOWN
from sample import sample

from alertdrill.adapters.target import PreparedTarget
from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.compose.background import Background
from alertdrill.compose.material import recorded_traffic
from alertdrill.compose.planning import Planner
from alertdrill.core.errors import BadInput
from alertdrill.core.label_sets import with_label_sets
from alertdrill.core.observations import RuleGroup
from alertdrill.core.payloads import spreads
from alertdrill.protocols.rows import parse_csv

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
    text = refused(planner(tmp_path, slow))
    assert "limits.max_duration" in text
    assert "(NullsHigh: window 3h, for 0s, evaluated every 1s)" in text


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


def test_a_mistake_of_one_label_set_of_all_stands_where_it_is_written(tmp_path: Path) -> None:
    faults = "{kind: nulls, features: [amount, hour], share: 50%}"
    one = planner(tmp_path, faults=faults, within="1s}, {alert: NullsHigh, match: all, within: 1s")
    one = replace(one, scenario=with_label_sets(one.scenario, SCHEMA))
    assert [e.labels["feature"] for e in one.scenario.phases[1].expect] == ["amount", "amount", "hour"]
    found = one.prospectus(one.plan("planned"))
    assert [mistake.where for mistake in found.mistakes] == [
        "phases[1].expect[0].within", "phases[1].expect[1].within",
    ]  # fmt: skip


def test_a_fault_that_another_one_hides_behind_is_noted(tmp_path: Path) -> None:
    for share, notes in (
        ("2%", ["one/NullsHigh: its fault alone never raises the alert, the others of the phase do"]),
        ("50%", []),
    ):
        faults = f"{{kind: nulls, id: own, features: [amount], share: {share}}}, {NULLS}"
        one = planner(tmp_path, faults=faults, alert="NullsHigh, fault: own")
        assert list(one.prospectus(one.plan("planned")).outlook.notes) == notes


def test_a_probability_names_the_repeats_that_it_takes(tmp_path: Path) -> None:
    one = planner(tmp_path, within="10s, probability: 95%")
    notes = one.prospectus(one.plan("planned")).outlook.notes
    assert notes == ("one/NullsHigh: probability 95% takes --repeat 59, if every drill detects",)


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


# Recorded traffic

RECORDED = "{{arrivals: recorded, log: {{file: traffic.jsonl, send: {send}}}{speed}}}"


def recorded(folder: Path, send: str = "requests", per_s: float = 20.0, speed: str = "", **changes: str) -> Planner:
    """A planner whose load plays 40 s of a log of the sample's rows."""
    rows = sample()
    lines = []
    for i in range(round(40 * per_s)):
        hour = rows.columns["hour"]
        line = {
            "time": 1_790_000_000 + i / per_s,
            "amount": rows.columns["amount"].values[i % 400],
            "hour": None if hour.cells[i % 400] else int(hour.values[i % 400]),
            "country": rows.columns["country"].values[i % 400],
        }
        lines.append(json.dumps(line))
    (folder / "traffic.jsonl").write_text("\n".join(lines))
    one = planner(folder, **changes)
    text = one.path.read_text().replace("{rate: 20/s, arrivals: constant}", RECORDED.format(send=send, speed=speed))
    one.path.write_text(text)
    scenario = load_scenario(one.path)
    return replace(one, scenario=scenario, log=recorded_traffic(scenario, one.path, TARGET))


def test_a_plan_carries_the_times_of_a_log_and_the_hash_of_its_rows(tmp_path: Path) -> None:
    one = recorded(tmp_path)
    plan = one.plan("planned")
    assert plan.phase_segment("one").arrivals.recorded is not None
    assert plan.phase_segment("one").count == 400
    assert one.material.csv is not None
    assert plan.target.sample_sha256 == hashlib.sha256(one.material.csv).hexdigest()
    assert len(parse_csv(one.material.csv.decode(), SCHEMA)) == 800
    assert plan.target.spreads == spreads(TARGET.sample)
    assert type(plan).model_validate_json(plan.model_dump_json()) == plan


def test_of_times_alone_the_rows_stay_those_of_the_sample(tmp_path: Path) -> None:
    one = recorded(tmp_path, send="times")
    plan = one.plan("planned")
    assert (plan.target.sample_sha256, plan.target.spreads, one.material.csv) == ("00", None, None)


def test_what_is_worth_knowing_of_a_log_is_noted(tmp_path: Path) -> None:
    one = recorded(tmp_path)
    notes = one.prospectus(one.plan("planned")).outlook.notes
    assert notes[0].startswith("traffic.jsonl: 800 requests over 39s950ms from 2026-09-21T14:13:20+00:00")
    assert notes[1].startswith("steady state, gates and settle play the 40s of the log over and over")
    times = recorded(tmp_path, send="times")
    assert len(times.prospectus(times.plan("planned")).outlook.notes) == 1


def test_a_log_that_is_too_short_is_refused_at_the_phases(tmp_path: Path) -> None:
    text = refused(recorded(tmp_path, duration="36s"))
    assert "drill.yaml:7:1: phases" in text
    assert "got phases that play 41s of the log together, expected at most 40s, as long as the log lasts" in text


def test_a_log_that_is_too_dense_is_refused_at_its_file(tmp_path: Path) -> None:
    text = refused(recorded(tmp_path, per_s=600))
    assert "load.log.file" in text
    assert "limits.max_rate" in text


def test_auto_is_worked_out_on_a_log(tmp_path: Path) -> None:
    plan = recorded(tmp_path, duration="auto", within="auto").plan("planned")
    assert 2 < plan.scenario.phases[1].expect[0].within < 6


def test_a_speed_is_a_mistake_that_plan_shows_and_run_warns_of(tmp_path: Path) -> None:
    one = recorded(tmp_path, speed=", speed: 1.5", duration="15s")
    (mistake,) = one.prospectus(one.plan("planned")).mistakes
    assert (mistake.where, mistake.line, mistake.got) == ("load.speed", 5, "1.5")
    assert "leave speed at 1: NullsHigh would" in mistake.fix
