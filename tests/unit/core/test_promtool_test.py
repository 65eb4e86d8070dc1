from typing import Any

import pytest
from tests.unit.core.drill import BASELINE, RULES, Drill, expect, group, nulls_phase, rule

from alertdrill.core import journal as records
from alertdrill.core.promtool_test import NotExported, PromtoolTest, promtool_test
from alertdrill.core.recording import STALE


def written(drill: Drill) -> PromtoolTest:
    return promtool_test(drill.case(), drill.judge(), "r.yml")


def only(found: PromtoolTest) -> Any:
    (test,) = found.tests["tests"]
    return test


def test_what_was_detected_must_fire_again_amid_its_firing_and_not_before_the_fault() -> None:
    drill = Drill().detect()
    found = written(drill)
    before, amid = only(found)["promql_expr_test"]
    wanted = 'ALERTS{alertname="NullsHigh",alertstate="firing",feature="amount",severity="P1"}'
    assert (before["expr"], before["exp_samples"]) == (wanted, [])
    assert amid["exp_samples"] == [{"labels": wanted, "value": 1}]
    result = drill.judge().expectations[0]
    assert result.fault_start is not None
    assert result.firing_at is not None
    assert result.resolved_at is not None
    starts_s = drill.from_ms / 1000
    assert int(before["eval_time"][:-1]) < result.fault_start - starts_s
    assert result.firing_at < starts_s + int(amid["eval_time"][:-1]) < result.resolved_at
    assert (found.expectations, found.left_out) == (("nulls/NullsHigh",), {})


def test_only_what_was_scraped_is_put_in_and_all_rules_of_the_group() -> None:
    found = written(Drill().detect())
    names = [one["series"] for one in only(found)["input_series"]]
    assert 'values_total{cell="null",feature="amount",instance="m:1",job="monitor"}' in names
    assert not any(name.startswith(("nulls:ratio5s", "ALERTS")) for name in names)
    (written_group,) = found.rules["groups"]
    assert [one.get("alert") or one["record"] for one in written_group["rules"]] == [
        "nulls:ratio5s", "NullsHigh", "Slow", "Down",
    ]  # fmt: skip
    assert written_group["rules"][1]["for"] == "2s"


def test_samples_stand_on_the_grid_whatever_their_jitter_and_holes_and_markers_are_kept() -> None:
    drill = Drill().detect()
    labels = {"__name__": "p95", "job": "monitor", "instance": "m:1"}
    times = [drill.from_ms + at for at in (450, 1550, 2440, 5460, 6450)]
    drill.record(labels, times, [1.0, 1.0, 1.0, 0.25, STALE])
    series = next(one for one in only(written(drill))["input_series"] if one["series"].startswith("p95"))
    assert series["values"].startswith("_ 1+0x2 _x2 0.25 stale _x")


def test_an_alert_that_was_missed_or_fired_too_briefly_is_left_out_and_named() -> None:
    phases = (BASELINE, nulls_phase(), nulls_phase("again"))
    drill = Drill(*phases).detect()
    assert dict(written(drill).left_out) == {"again/NullsHigh": "it was not detected"}
    brief = Drill(*phases).detect()
    pending = brief.evaluation(brief.start_ms("again") + 1200)
    brief.fire(pending, pending + 2000, pending + 4000)
    assert "again/NullsHigh" in written(brief).left_out


def test_an_alert_that_fired_for_less_than_four_evaluations_is_left_out() -> None:
    phase = nulls_phase(duration="6s", expect=[expect(within="5s")])
    for evaluations, left_out in ((3, {"nulls/NullsHigh": "it fired too briefly"}), (4, {})):
        drill = Drill(BASELINE, phase, nulls_phase("again")).detect("again")
        pending = drill.evaluation(drill.start_ms() + 1200)
        drill.fire(pending, pending + 2000, pending + 2000 + evaluations * 1000)
        assert drill.expectation().verdict == "detected"
        assert dict(written(drill).left_out) == left_out


def test_nothing_to_test_and_several_intervals_are_refused() -> None:
    with pytest.raises(NotExported, match="nothing to test"):
        written(Drill())


def test_rules_that_record_in_another_group_come_first() -> None:
    recordings = group(RULES.rules[0], name="recordings")
    own = group(rule("up:min", "min(up)", kind="recording"), *RULES.rules[1:])
    drill = Drill(rules=own).detect().change(records.Rules, groups=(own, recordings))
    drill.record({"__name__": "up:min"}, range(drill.from_ms + 400, drill.to_ms, 1000))
    assert [one["name"] for one in written(drill).rules["groups"]] == ["recordings", "drill"]
