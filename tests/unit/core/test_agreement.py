"""What replicas of a Prometheus come to together: the earliest wins, a miss takes all, disagreement is never a pass."""

from typing import Any

import pytest
from drill import INTERVAL_MS, RULES, Drill, group, nulls_phase, outcome, rule
from pairs import NAMES, Pair, Together, later, pair

from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.promtool_test import promtool_test
from alertdrill.core.replicas import seen_by_decisive
from alertdrill.core.result import Code, DrillVerdict, ExpectationResult, ProhibitionVerdict, Verdict

A, B = NAMES
DISAGREE = ("inconclusive", "replicas_disagree")


def disagreement(one: ExpectationResult) -> str:
    assert one.replicas is not None
    return one.replicas.disagreement or ""


def changed(**update: Any) -> dict[str, Any]:
    """The rules with NullsHigh changed."""
    rules = [rule(one.name, one.query, one.for_s, one.type, **one.labels) for one in RULES.rules]
    rules[1] = rule(
        "NullsHigh",
        update.get("query", rules[1].query),
        update.get("for_s", 2.0),
        severity=update.get("severity", "P1"),
    )
    return {"rules": group(*rules)}


def both_fire(by_ms: int = 600, **changes: Any) -> Pair:
    both = pair(**changes)
    both.a.detect()
    later(both.b, by_ms)
    return both


def test_the_replica_that_fires_first_gives_the_instants() -> None:
    for earlier, by_ms in ((A, 600), (B, -300)):
        one = both_fire(by_ms).expectation()
        assert one.replicas is not None
        assert (outcome(one), one.replicas.decisive) == (("detected", None), earlier)
        assert one.ttd_s == min(said.ttd_s or 99.0 for said in one.replicas.said)
        assert one.replicas.disagreement is None, "no more apart than their intervals"
        assert [said.replica for said in one.replicas.said] == [A, B]


def test_each_replica_counts_from_the_first_effect_on_its_own_clock() -> None:
    both = both_fire(600)
    both.b.change(records.Clock, offset_s=-0.9)
    one = both.expectation()
    assert one.replicas is not None
    first, second = one.replicas.said
    assert round((second.ttd_s or 0) - (first.ttd_s or 0), 3) == 1.5, "0.6 s later by a clock that is 0.9 s behind"
    assert one.replicas.decisive == A


@pytest.mark.parametrize("which", ["a", "b"])
def test_a_replica_that_is_silent_though_healthy_beside_one_that_fired_is_a_disagreement(which: str) -> None:
    both = pair()
    getattr(both, which).detect()
    result = both.judge()
    one = result.expectations[0]
    fired, silent = (A, B) if which == "a" else (B, A)
    assert (outcome(one), result.verdict) == (DISAGREE, DrillVerdict.INCONCLUSIVE)
    assert one.reason is not None
    assert f"{fired} says detected after " in one.reason.text
    assert f"{silent} says missed (never pending" in one.reason.text
    assert f"of {silent} with those of {fired}" in one.reason.decide_it_by
    assert (one.firing_at is not None, disagreement(one) != "") == (True, True)


@pytest.mark.parametrize(
    ("update", "differs"),
    [
        ({"for_s": 3600.0}, f"their rules differ in for: 2 s on {A}, 3600 s on {B}"),
        ({"query": "nulls:ratio5s > 0.99"}, "their rules differ in expression: nulls:ratio5s > 0.05 on"),
        ({"severity": "P0"}, "their rules differ in labels: "),
    ],
)
def test_rules_that_differ_are_named(update: dict[str, Any], differs: str) -> None:
    both = pair(b=changed(**update))
    both.a.detect()
    one = both.expectation()
    assert outcome(one) == DISAGREE
    assert one.reason is not None
    assert differs in one.reason.text
    assert differs in disagreement(one)


def test_rules_that_differ_are_named_also_where_both_fire_in_time() -> None:
    both = pair(b=changed(for_s=3.0))
    both.a.detect()
    later(both.b, 0)
    one = both.expectation()
    assert outcome(one) == ("detected", None)
    assert disagreement(one) == f"their rules differ in for: 2 s on {A}, 3 s on {B}"


def test_a_replica_without_the_rule_disagrees() -> None:
    both = pair(b={"rules": group(*(one for one in RULES.rules if one.name != "NullsHigh"))})
    both.a.detect()
    one = both.expectation()
    assert outcome(one) == DISAGREE
    assert one.reason is not None
    assert f"{B} has no such rule" in one.reason.text


def test_a_replica_whose_rule_fails_disagrees() -> None:
    rules = RULES.rules
    broken = group(*(rule(r.name, r.query, r.for_s, r.type, **r.labels) for r in rules))
    failing = type(broken)(
        broken.file, broken.name, broken.interval_s, None,
        tuple(type(r)(**{**r.__dict__, "health": "err", "last_error": "boom"}) for r in broken.rules),
    )  # fmt: skip
    both = pair(b={"rules": failing})
    both.a.detect()
    assert outcome(both.expectation()) == DISAGREE


def test_a_replica_that_fired_with_other_labels_alone_disagrees() -> None:
    both = pair()
    both.a.detect()
    both.b.detect(feature="hour")
    assert outcome(both.expectation()) == DISAGREE


def test_a_replica_that_died_leaves_the_detection_of_the_other_and_is_reported() -> None:
    both = pair().lose(B, 1000)
    both.a.detect()
    result = both.judge()
    one = result.expectations[0]
    assert (outcome(one), result.verdict) == (("detected", None), DrillVerdict.PASSED)
    assert f"{B} says inconclusive ({B} has given no answer" in disagreement(one)
    assert result.troubles == (f"engine_gone: {B} has given no answer that can be used for 3 s: refused",)
    assert [(state.name, state.lost is None) for state in result.replicas] == [(A, True), (B, False)]


def test_when_the_first_replica_dies_the_other_s_detection_counts_as_well() -> None:
    both = pair().lose(A, 1000)
    both.b.detect()
    result = both.judge()
    assert (outcome(result.expectations[0]), result.verdict) == (("detected", None), DrillVerdict.PASSED)


@pytest.mark.parametrize("hole", ["up", "nulls:ratio5s"])
def test_a_replica_with_a_gap_leaves_the_detection_of_the_other_and_is_reported(hole: str) -> None:
    both = pair()
    both.a.detect()
    both.b.hole(both.b.start_ms() + 1000, both.b.start_ms() + 7000, hole)
    one = both.expectation()
    assert outcome(one) == ("detected", None)
    assert f"{B} says inconclusive (" in disagreement(one)


def test_a_miss_takes_the_silence_of_every_replica() -> None:
    assert outcome(pair().expectation()) == ("missed", "never_pending")
    one = pair().lose(B, 1000).expectation()
    assert outcome(one) == ("inconclusive", "query_failed")
    assert one.reason is not None
    assert one.reason.text.startswith(f"{B}: ")


def test_a_miss_says_what_each_replica_saw_where_that_differs() -> None:
    both = pair()
    both.b.detect(feature="hour")
    one = both.expectation()
    assert outcome(one) == ("missed", "never_pending")
    assert f"{B} says wrong_labels" in disagreement(one)


def test_an_alert_that_was_active_before_on_one_replica_is_no_detection() -> None:
    both = pair()
    both.a.detect()
    before = both.b.evaluation(both.b.start_ms() - 3000)
    both.b.fire(before, before + 2000, both.b.last_ms())
    assert outcome(both.expectation()) == ("inconclusive", "already_firing")


def test_what_crossed_before_anything_was_served_on_one_replica_is_no_detection() -> None:
    both = pair()
    later(both.a, 5000)
    both.b.detect()
    late = lambda one: tuple(None if at is None else at + 4 for at in one.served_at)  # noqa: E731
    both.a.change(records.Served, served_at=late)
    one = both.expectation()
    assert one.replicas is not None
    assert [said.verdict for said in one.replicas.said] == ["detected", "inconclusive"]
    assert outcome(one) == ("inconclusive", "crossed_before_served")


def test_late_on_one_replica_within_what_intervals_explain_counts_from_the_earliest() -> None:
    within = both_fire(1000).expectation().ttd_s or 0.0
    one = both_fire(1000, within=f"{within + 0.1:.3f}s").expectation()
    assert one.replicas is not None
    assert outcome(one) == ("detected", None)
    assert one.replicas.said[1].verdict is Verdict.LATE
    assert f"{B} says late" in disagreement(one)


def test_late_on_one_replica_beyond_what_intervals_explain_is_a_disagreement() -> None:
    within = both_fire(1000).expectation().ttd_s or 0.0
    one = both_fire(4000, within=f"{within + 0.1:.3f}s").expectation()
    assert outcome(one) == DISAGREE


def test_instants_that_intervals_do_not_explain_are_reported() -> None:
    one = both_fire(4000).expectation()
    assert outcome(one) == ("detected", None)
    assert disagreement(one) == f"{B} fired 4.000 s after {A}, more than their intervals explain"


def test_an_alert_that_goes_on_firing_on_one_replica_is_not_resolved() -> None:
    both = pair(resolves_within="8s")
    both.a.detect()
    later(both.b, 0, until_ms=both.b.last_ms() + 15_000)
    one = both.expectation()
    assert outcome(one) == ("not_resolved", "still_firing")
    assert f"{A}: resolved, {B}: not_resolved" in disagreement(one)


def test_an_alert_that_flapped_on_one_replica_alone_is_a_disagreement() -> None:
    both = pair()
    both.a.detect()
    later(both.b, 0, until_ms=both.b.start_ms() + 9000)
    assert outcome(both.expectation()) == DISAGREE


def test_a_false_alarm_of_one_replica_fails_and_the_other_is_named() -> None:
    both = Pair(nulls_phase(must_not_fire=[{"alert": "Slow"}]))
    both.a.detect()
    both.b.detect()
    at = both.b.evaluation(both.b.start_ms() + 3000)
    both.b.fire(at, at + 2000, at + 5000, alert="Slow", job="monitor")
    result = both.judge()
    (one,) = result.prohibitions
    assert (one.verdict, result.verdict) == (ProhibitionVerdict.FALSE_ALARM, DrillVerdict.FAILED)
    assert one.disagreement == f"{A} says quiet; {B} says false_alarm"
    assert [episode.replica for episode in one.episodes] == [B]


@pytest.mark.parametrize("recorded_to_ms", [1000, -2000])
def test_quiet_takes_every_replica(recorded_to_ms: int) -> None:
    both = Pair(nulls_phase(must_not_fire=[{"alert": "Slow"}])).lose(B, 1000)
    both.b.cut(both.a.start_ms() + recorded_to_ms)
    both.a.detect()
    result = both.judge()
    assert (result.prohibitions[0].verdict, result.verdict) == (
        ProhibitionVerdict.INCONCLUSIVE,
        DrillVerdict.INCONCLUSIVE,
    )


def test_what_fires_on_both_replicas_is_one_episode_of_the_first_to_see_it() -> None:
    both = both_fire()
    for drill, by_ms in ((both.a, 500), (both.b, 0)):
        at = drill.evaluation(drill.start_ms() + 3000) + by_ms
        drill.fire(at, at + 2000, at + 5000, alert="Slow", job="monitor")
    (one,) = both.judge().also_fired
    assert (one.alert, one.replica) == ("Slow", B)


def test_nothing_touched_says_so_of_the_drill_not_of_the_replicas() -> None:
    both = pair(phase={"faults": [{"kind": "nulls", "features": ["amount"], "share": 0}]})
    one = both.expectation()
    assert outcome(one) == ("inconclusive", "nothing_touched")
    assert one.passes_as_control
    assert disagreement(one) == ""
    assert one.reason is not None
    assert one.reason.text.startswith("0/400 requests touched"), "no replica's name before what is of the drill"


@pytest.mark.parametrize(("by_ms", "decisive"), [(600, A), (-300, B)])
def test_what_is_made_of_a_drill_later_is_made_of_what_the_decisive_replica_saw(by_ms: int, decisive: str) -> None:
    both = both_fire(by_ms)
    result = both.judge()
    seen = seen_by_decisive(both.journal(), both.recording(), result.expectations)
    case = Case(both.a.plan, seen.journal, seen.recording)
    assert seen.replica == decisive
    assert case.episodes[0].firing_at == round((result.expectations[0].firing_at or 0) * 1000)
    assert promtool_test(case, result, "rules.yml").expectations == ("nulls/NullsHigh",)
    alone = Drill().detect()
    assert seen_by_decisive(alone.journal, alone.recording(), alone.judge().expectations).replica is None


@pytest.mark.parametrize("by_ms", [600, -300])
def test_replicas_in_one_store_are_told_apart_by_their_label(by_ms: int) -> None:
    one = Together(both_fire(by_ms)).judge().expectations[0]
    assert one.replicas is not None
    assert (outcome(one), one.replicas.decisive) == (("detected", None), "a" if by_ms > 0 else "b")
    assert "prometheus_replica" not in one.evidence["alert_labels"]
    assert one.ttd_s == both_fire(by_ms).expectation().ttd_s


def test_a_disagreement_in_one_store_is_found_too() -> None:
    both = pair()
    both.a.detect()
    one = Together(both).judge().expectations[0]
    assert outcome(one) == DISAGREE
    assert one.reason is not None
    assert "b says missed (never pending" in one.reason.text


def test_an_alert_over_the_series_of_all_replicas_is_one_that_all_agree_on() -> None:
    both = pair()
    both.a.detect()
    both.b.series = [one for one in both.b.series if one.labels["__name__"] != "ALERTS"]
    one = Together(both, "ALERTS").judge().expectations[0]
    assert (outcome(one), disagreement(one)) == (("detected", None), "")


def test_one_prometheus_is_judged_as_before_and_its_result_says_nothing_of_replicas() -> None:
    text = Drill().detect().judge().to_json()
    assert b"replica" not in text.replace(b"replicas_disagree", b"")
    assert INTERVAL_MS == 1000


def test_the_code_of_disagreement_is_published() -> None:
    assert Code.REPLICAS_DISAGREE.value == "replicas_disagree"
