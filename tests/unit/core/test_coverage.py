import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from tests.unit.core.drill import BASELINE, INTERVAL_MS, RATIO, RULES, Drill, expect, group, nulls_phase, rule

from alertdrill.core.alerts import Episode
from alertdrill.core.coverage import Drilled, Loaded, coverage
from alertdrill.core.coverage_result import CoverageResult, Ignored, RuleCoverage, Status, difference
from alertdrill.core.matchers import Matcher, parse_matcher
from alertdrill.core.observations import RuleInfo
from alertdrill.core.scope import RuleBook

TODAY = date(2026, 11, 23)
FAULT = "drill/nulls/nulls"


def drilled(drill: Drill, name: str = "drill/1") -> Drilled:
    return Drilled(name, drill.case(), drill.judge())


def cover(
    *drills: Drill,
    rules: Sequence[RuleInfo] | None = None,
    scope: Sequence[Matcher] = (),
    ignored: Sequence[Ignored] = (),
) -> CoverageResult:
    book = RuleBook.of([group(*rules)]) if rules is not None else None
    wanted = None if book is None else [Loaded.of(book, one, 7) for one in book.alerts]
    return coverage([drilled(one) for one in drills], wanted, scope, ignored, TODAY)


def one(found: CoverageResult, alert: str = "NullsHigh") -> RuleCoverage:
    return next(rule for rule in found.rules if rule.alert == alert)


def with_rule(name: str, query: str, for_s: float = 0.0, **labels: str) -> Any:
    return group(*RULES.rules, rule(name, query, for_s, **labels))


def test_a_rule_is_covered_when_a_drill_expected_and_detected_it() -> None:
    found = cover(Drill().detect())
    assert (one(found).status, one(found).faults) == (Status.COVERED, {FAULT: "detected"})
    assert (found.covered, found.total) == (1, 3)
    assert found.share == pytest.approx(1 / 3)
    assert [(gap.label, gap.value, gap.covered, gap.total) for gap in found.gaps] == [
        ("pillar", "", 1, 3),
        ("severity", "P0", 0, 1),
        ("severity", "P1", 1, 2),
    ]


def test_a_rule_that_missed_is_not_covered_and_one_that_fired_unexpectedly_is_told_apart() -> None:
    drill = Drill()
    pending = drill.evaluation(drill.start_ms() + 1200)
    found = cover(drill.fire(pending, pending + 2000, pending + 9000, "Slow"))
    assert (one(found).status, one(found).faults) == (Status.NOT_DETECTED, {FAULT: "missed"})
    assert (one(found, "Slow").status, one(found, "Slow").faults) == (Status.UNEXPECTED, {FAULT: "fired"})
    assert found.unseen == ()


def test_detected_once_counts_although_another_drill_missed() -> None:
    assert one(cover(Drill().detect(), Drill())).status is Status.NOT_DETECTED  # the same fault, drilled again: newer
    other = Drill(BASELINE, nulls_phase("more"))
    assert one(cover(Drill().detect(), other)).status is Status.COVERED


def test_a_drill_that_could_not_tell_covers_nothing_and_accuses_nobody() -> None:
    from alertdrill.core import journal as records

    drill = Drill().detect().change(records.SegmentClosed, within_100ms=1)
    found = cover(drill)
    assert one(found).status is Status.INCONCLUSIVE


def test_a_rule_that_fires_only_when_nothing_is_broken_is_accidental() -> None:
    drill = Drill(must_not_fire=[{"alert": "Down"}]).detect()
    quiet = drill.evaluation(drill.start_ms() - 8000)
    found = one(cover(drill.fire(quiet, quiet, quiet + 1000, "Down", instance="m:1")), "Down")
    assert (found.status, found.false_alarms) == (Status.ACCIDENTAL, 1)


def test_a_rule_in_scope_whose_series_never_existed_is_dead_and_others_are_not_accused() -> None:
    scope: dict[str, Any] = {"monitoring": {"scope": {"alerts": ["Slow", "Down"]}}}
    found = cover(Drill(**scope).detect())
    assert one(found, "Slow").status is Status.DEAD
    assert 'no drill saw a series of p95{job="monitor"}' in one(found, "Slow").why
    assert one(found, "Down").status is Status.NEVER_FIRED
    assert one(cover(Drill().detect()), "Slow").status is Status.NEVER_FIRED, "nobody recorded what it reads"


def test_a_series_that_existed_in_one_drill_makes_no_rule_dead() -> None:
    scope: dict[str, Any] = {"monitoring": {"scope": {"alerts": ["Slow"]}}}
    other = Drill(BASELINE, nulls_phase("more"), **scope)
    other.record({"__name__": "p95", "job": "monitor"}, range(other.from_ms, other.to_ms, INTERVAL_MS), 0.1)
    assert one(cover(Drill(**scope).detect(), other), "Slow").status is Status.NEVER_FIRED


def test_rules_that_were_changed_since_are_not_covered_by_what_was() -> None:
    drill = Drill().detect()
    recorded = RULES.rules[0]
    same = rule("NullsHigh", "nulls:ratio5s  >  0.05", 2.0, severity="P1")
    assert one(cover(drill, rules=[recorded, same])).status is Status.COVERED
    for changed in (
        rule("NullsHigh", "nulls:ratio5s > 0.5", 2.0, severity="P1"),
        rule("NullsHigh", "nulls:ratio5s > 0.05", 60.0, severity="P1"),
    ):
        assert one(cover(drill, rules=[recorded, changed])).status is Status.CHANGED
    other_record = rule("nulls:ratio5s", RATIO.replace("5s", "5m"), kind="recording")
    assert one(cover(drill, rules=[other_record, same])).status is Status.CHANGED
    new = one(cover(drill, rules=[recorded, rule("Fresh", "up == 0")]), "Fresh")
    assert (new.status, new.line) == (Status.NEW, 7)


def test_a_rule_that_was_only_renamed_is_matched_by_its_expression() -> None:
    renamed = rule("NullShareHigh", "nulls:ratio5s > 0.05", 2.0, severity="P2")
    found = one(cover(Drill().detect(), rules=[RULES.rules[0], renamed]), "NullShareHigh")
    assert (found.status, found.was) == (Status.COVERED, "NullsHigh")


def test_faults_that_no_alert_saw_are_named() -> None:
    found = cover(Drill())
    assert found.unseen == (FAULT,)
    assert found.faults[0].expected == ("NullsHigh",)
    assert cover(Drill().detect()).unseen == ()


def test_scope_leaves_rules_out_by_the_labels_that_they_give() -> None:
    found = cover(Drill().detect(), scope=[parse_matcher('severity="P1"'), parse_matcher('alertname!="Slow"')])
    assert [rule.alert for rule in found.rules] == ["NullsHigh"]
    assert found.share == 1.0


def test_ignored_rules_do_not_count_until_their_entry_ends() -> None:
    ignored = [
        Ignored(alert="Slow", reason="drilled by hand", until=date(2026, 11, 23)),
        Ignored(labels={"severity": "P0"}, reason="is drilled elsewhere", until=date(2026, 11, 22)),
        Ignored(alert="Gone", reason="was removed", until=date(2027, 1, 1)),
    ]
    found = cover(Drill().detect(), ignored=ignored)
    assert (one(found, "Slow").ignored, one(found, "Down").ignored) == ("drilled by hand", None)
    assert (found.covered, found.total) == (1, 2)
    assert found.notes == (
        "severity=P0 is ignored no more since 2026-11-22 (is drilled elsewhere): drill it, or renew the entry",
        "Gone is ignored, and there is no such rule: remove the entry",
    )


def test_a_control_covers_nothing_and_its_fault_is_none() -> None:
    control = nulls_phase(faults=[{"kind": "nulls", "features": ["amount"], "share": 0}])
    found = cover(Drill(BASELINE, control))
    assert (one(found).status, found.faults) == (Status.NEVER_FIRED, ())


def test_rules_of_one_name_are_told_apart_by_the_labels_that_they_give() -> None:
    rules = with_rule("NullsHigh", "nulls:ratio5s > 0.5", severity="P0")
    phase = nulls_phase(expect=[expect(labels={"feature": "amount", "severity": "P1"})])
    found = cover(Drill(BASELINE, phase, rules=rules).detect())
    assert {rule.labels["severity"]: rule.status for rule in found.rules if rule.alert == "NullsHigh"} == {
        "P1": Status.COVERED,
        "P0": Status.NEVER_FIRED,
    }


def test_an_episode_is_that_of_the_rule_whose_labels_it_has() -> None:
    rules = with_rule("Slow", 'p95{job="monitor"} > 9', severity="P0")
    drill = Drill(rules=rules).detect()
    pending = drill.evaluation(drill.start_ms() + 1200)
    labels = {"__name__": "ALERTS", "alertname": "Slow", "alertstate": "firing", "severity": "P0"}
    drill.record(labels, range(pending, pending + 9000, INTERVAL_MS))
    found = cover(drill)
    assert {rule.labels["severity"]: rule.status for rule in found.rules if rule.alert == "Slow"} == {
        "P1": Status.NEVER_FIRED,
        "P0": Status.UNEXPECTED,
    }


def test_a_difference_tells_what_was_lost_and_what_is_new() -> None:
    before = cover(Drill().detect())
    renamed = rule("NullShareHigh", "nulls:ratio5s > 0.05", 2.0, severity="P1")
    after = cover(Drill().detect(), rules=[RULES.rules[0], renamed, rule("Fresh", "up == 0")])
    found = difference(before, after)
    assert (found.lost, found.gained) == ((), ())
    assert found.uncovered == ("Fresh",)
    assert found.gone == ('Slow{severity="P1"}', 'Down{severity="P0"}')
    assert difference(before, cover(Drill())).lost == ('NullsHigh{severity="P1"}',)
    assert difference(cover(Drill()), before).gained == ('NullsHigh{severity="P1"}',)


def test_no_rules_are_no_share() -> None:
    assert cover(Drill().detect(), rules=[]).share is None


def test_a_coverage_is_the_same_after_writing_and_reading() -> None:
    found = cover(Drill().detect())
    text = found.to_json()
    assert json.loads(text)["schema"] == "alertdrill/coverage/v1"
    assert CoverageResult.model_validate_json(text).to_json() == text
    with pytest.raises(ValueError, match="schema"):
        CoverageResult.model_validate_json(text.replace(b"coverage/v1", b"coverage/v9"))


def test_an_episode_that_never_fired_saw_nothing() -> None:
    drill = Drill()
    pending = drill.evaluation(drill.start_ms() + 1200)
    found = cover(drill.fire(pending, None, pending + 1000))
    assert found.unseen == (FAULT,)
    assert isinstance(drill.case().episodes[0], Episode)
