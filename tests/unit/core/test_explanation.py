"""Every verdict and every reason in words; the drills behind the reasons are those that can be built by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from drill import RULES, Drill, expect, nulls_phase, process
from managed import fires, grafanas
from pairs import Pair, pair
from told import MANAGED, OTHER, OWN, Told
from viewed import latency, silent

from alertdrill.core import journal as records
from alertdrill.core.explanation import Explanation, Unknown, explain
from alertdrill.core.meanings import DRILLS, PROHIBITIONS, REASONS, VERDICTS
from alertdrill.core.result import Code, DrillVerdict, ProhibitionVerdict, Result, Verdict


def plain(**changes: Any) -> Drill:
    return Drill(nulls_phase(expect=[expect(**changes)]))


def control() -> Drill:
    return Drill(nulls_phase(faults=[{"kind": "nulls", "features": ["amount"], "share": 0}]))


def of_rules(at_s: float, drill: Drill, **changes: Any) -> Drill:
    rules = tuple(replace(one, **changes) if one.name == "NullsHigh" else one for one in RULES.rules)
    return drill.add(records.Rules(at=drill.start_ms() / 1000 + at_s, groups=(replace(RULES, rules=rules),)))


def already() -> Drill:
    drill = plain()
    at = drill.evaluation(drill.start_ms() - 5000)
    return drill.fire(at, at + 2000, drill.to_ms)


def pending() -> Drill:
    drill = plain()
    at = drill.evaluation(drill.start_ms() + 1200)
    return drill.fire(at, None, at + 1000)


def left_over() -> Drill:
    drill = Drill(nulls_phase("one", expect=[]), nulls_phase("two")).detect("two")
    signal = next(one for one in drill.series if one.labels["__name__"] == "nulls:ratio5s")
    signal.values[signal.times_ms > drill.start_ms("one")] = 0.04
    return drill


def early() -> Drill:
    drill = plain(resolves_within="12s")
    at = drill.evaluation(drill.start_ms() + 1200)
    return drill.fire(at, at + 2000, at + 6000)


def no_scrapes() -> Drill:
    drill = plain()
    drill.series = [one for one in drill.series if "job" not in one.labels]
    return drill


def before_served() -> Drill:
    drill = plain().detect()
    late = lambda one: tuple(None if at is None else at + 9 for at in one.served_at)  # noqa: E731
    return drill.change(records.Served, served_at=late)


def trouble(kind: str) -> Drill:
    drill = plain()
    return drill.add(records.Trouble(at=drill.start_ms() / 1000 + 1, kind=kind, what="Prometheus died"))  # type: ignore[arg-type]


def disagreeing() -> Pair:
    both = pair()
    both.a.detect()
    return both


DRILLS_BY_CODE: dict[Code, Callable[[], Drill | Pair]] = {
    Code.RULE_NOT_LOADED: lambda: plain(alert="NullHigh"),
    Code.RULE_UNHEALTHY: lambda: of_rules(2, plain(), query="1 > 2"),
    Code.RULE_ERROR: lambda: of_rules(2, plain(), health="err", last_error="boom"),
    Code.RULE_NO_DATA: lambda: fires(grafanas(), grafana="nodata"),
    Code.ALREADY_FIRING: already,
    Code.CARRY_OVER: left_over,
    Code.NOTHING_TOUCHED: control,
    Code.FAULT_NOT_DELIVERED: lambda: plain().drop(records.Touched),
    Code.LOAD_UNDER_RATE: lambda: plain().change(records.SegmentClosed, within_100ms=1),
    Code.SCRAPE_GAP: lambda: (one := plain()).hole(one.start_ms(), one.start_ms() + 4000, "up"),
    Code.EVALUATION_GAP: lambda: (one := plain()).hole(one.start_ms() + 1000, one.start_ms() + 6000, "nulls:ratio5s"),
    Code.QUERY_FAILED: lambda: trouble("engine_gone"),
    Code.ENGINE_RESTARTED: lambda: (one := plain()).restart(one.start_ms() + 2000, 1500),
    Code.RELOAD_FAILED: lambda: plain().add(process(reloaded=False)),
    Code.CLOCK_DOUBT: lambda: plain().drop(records.Clock),
    Code.INSTANT_DOUBT: lambda: fires(grafanas(10.0)),
    Code.SETTLE_TIMEOUT: lambda: plain().change(records.Gate, open=False, why="NullsHigh stayed active"),
    Code.CROSSED_BEFORE_SERVED: before_served,
    Code.SERIES_NOT_RECORDED: no_scrapes,
    Code.NEVER_PENDING: plain,
    Code.NEVER_FIRING: pending,
    Code.OUT_OF_VIEW: lambda: silent("ServerSlow", latency("model")),
    Code.LABELS_DIFFER: lambda: plain().detect(feature="hour"),
    Code.TOO_LATE: lambda: plain(within="3s").detect(),
    Code.RESOLVED_EARLY: early,
    Code.NOT_POSTED: lambda: plain(notifies={"within": "6s"}).detect(),
    Code.NOT_ACCEPTED: lambda: Told(MANAGED).posted().drill,
    Code.NOT_DELIVERED: lambda: Told(MANAGED).posted().accepted().drill,
    Code.SUPPRESSED: lambda: Told(OWN).accepted(state="suppressed", inhibited_by=(OTHER,)).drill,
    Code.WRONG_RECEIVER: lambda: Told(MANAGED, receiver="mail").accepted().delivered(40).drill,
    Code.STILL_FIRING: lambda: plain(resolves_within="3s").detect(),
    Code.REPLICAS_DISAGREE: disagreeing,
    Code.INTERRUPTED: lambda: plain().drop(records.SteadyState),
}
"""A drill for every code that evidence built by hand can lead to."""


def text(found: Explanation) -> str:
    return "\n".join(f"{line.about}: {line.text}" for line in found.lines)


def first(drill: Drill | Pair) -> Explanation:
    return explain(drill.judge())[0]


@pytest.mark.parametrize("code", Code)
def test_every_reason_has_words_of_its_own(code: Code) -> None:
    words = REASONS[code]
    assert len(words.meaning) > 20
    assert len(words.change) > 10
    assert [other for other in REASONS.values() if other == words] == [words]


def test_every_verdict_has_words() -> None:
    assert set(VERDICTS) == set(Verdict)
    assert set(PROHIBITIONS) == set(ProhibitionVerdict)
    assert set(DRILLS) == set(DrillVerdict)
    assert set(REASONS) == set(Code)


def test_every_reason_that_evidence_leads_to_has_a_drill_here() -> None:
    assert set(DRILLS_BY_CODE) == set(Code)


@pytest.mark.parametrize("code", DRILLS_BY_CODE)
def test_a_reason_is_explained_with_its_evidence_its_meaning_and_what_would_change_it(code: Code) -> None:
    drill = DRILLS_BY_CODE[code]()
    result = drill.judge()
    one = result.expectations[0]
    assert one.reason is not None
    assert one.reason.code is code
    said = text(first(drill))
    assert f"because: {one.reason.text} [{code}]" in said
    assert f"because: {REASONS[code].meaning}" in said
    assert f"verdict: {VERDICTS[one.verdict]}" in said
    assert "to change it: " in said
    if code is not Code.NOTHING_TOUCHED:
        assert one.reason.decide_it_by in said
        assert REASONS[code].change in said


@pytest.mark.parametrize("verdict", Verdict)
def test_every_headline_is_explained(verdict: Verdict) -> None:
    result = plain().detect().judge()
    one = result.expectations[0].model_copy(update={"verdict": verdict})
    assert VERDICTS[verdict] in text(explain(result.model_copy(update={"expectations": (one,)}), one.id)[0])


def test_a_detection_shows_instants_windows_thresholds_and_what_it_had_to_spare() -> None:
    drill = plain().detect()
    one = drill.judge().expectations[0]
    said = text(first(drill))
    assert 'asked: NullsHigh{feature="amount"} fires within 10 s of the first effect' in said
    assert "rule: nulls:ratio5s > 0.05 for 2 s (group drill of rules.yml)" in said
    assert "looks back 5 s; evaluated each 1 s, its inputs scraped each 1 s" in said
    assert f"firing {one.ttd_s:+.3f} s" in said
    assert "deadline +10.000 s, resolved +" in said
    assert "signal: peaked at 0.01" in said
    assert "the rule needs > 0.05" in said
    assert f"= {one.ttd_s:.3f} s" in said
    assert "which for: 2s moves" in said
    assert one.ttd_s is not None
    assert f"it had {10 - one.ttd_s:.3f} s to spare" in said
    assert "parts: detection detected, resolution resolved" in said


def test_of_an_alert_that_told_nobody_it_is_explained_how_far_it_came_and_what_held_it_back() -> None:
    told = Told(OWN).posted().silence(ours=False).accepted(state="suppressed", silenced_by=("s1",))
    one, said = told.one, text(first(told.drill))
    assert one.verdict is Verdict.NOT_NOTIFIED
    assert "asked: NullsHigh" in said
    assert "pager is told within 8 s of it" in said
    assert f"told: can be seen as far as `accepted`: posted {one.ttd_s + 0.004:+.3f} s, accepted" in said
    assert "told: the Alertmanager routes it to pager, which waits 2 s for others of a group" in said
    assert "told: held back: the silence s1 of alice" in said
    assert "parts: detection detected, resolution resolved, notification suppressed" in said


def test_who_got_a_delivery_is_explained_and_what_there_was_to_spare() -> None:
    told = Told(MANAGED, receiver=None).posted().accepted().delivered(40).delivered(50)
    told.delivered(60, "mail", integration="email", to=("team@example.com",))
    said = text(first(told.drill))
    assert "somebody is told within 8 s of it" in said
    assert said.count("told: delivered to pager (webhook)") == 1
    assert "told: delivered to mail (email to team@example.com)" in said
    assert f"to notify there were {8 - told.one.ttn_s:.3f} s more" in said


def test_where_nobody_listens_that_is_said() -> None:
    def said(**changes: Any) -> str:
        own = {"prometheus": {"url": "http://127.0.0.1:9090"}}
        return text(first(Drill(nulls_phase(expect=[expect(**changes)]), monitoring=own).detect()))

    assert "told: cannot be seen in this set-up: nothing was" in said(notifies={"within": "8s"})
    assert "told" not in said()


def test_the_posts_of_the_engine_are_named_as_a_witness() -> None:
    told = Told(MANAGED).posted()
    assert "witness: 1 of 1 instants are the same in the engine's own posts" in text(explain(told.drill.judge())[-1])
    told.drill.change(records.Post, starts_at_ms=lambda post: post.starts_at_ms + 5)
    said = text(explain(told.drill.judge())[-1])
    assert "witness: 0 of 1 instants" in said
    assert "fired +0.005 s from its samples" in said


def test_wrong_labels_are_shown_one_by_one() -> None:
    assert "labels: feature: got hour, expected amount" in text(first(plain().detect(feature="hour")))


def test_a_miss_says_for_how_long_silence_is_certain() -> None:
    assert "certain not to have fired for 10 s" in text(first(plain()))


def test_a_passing_control_needs_no_change() -> None:
    assert "this is how a control passes" in text(first(control()))


def watching(**changes: Any) -> Drill:
    return Drill(nulls_phase(must_not_fire=[{"alert": "Slow", "except": ["Down"]} | changes]))


@pytest.mark.parametrize("verdict", ProhibitionVerdict)
def test_every_prohibition_is_explained(verdict: ProhibitionVerdict) -> None:
    drill = watching(alert="Nothing") if verdict is ProhibitionVerdict.INCONCLUSIVE else watching()
    if verdict is ProhibitionVerdict.FALSE_ALARM:
        at = drill.evaluation(drill.start_ms() + 2000)
        drill.fire(at, at + 2000, at + 4000, alert="Slow", job="monitor")
    one = explain(drill.detect().judge())[1]
    assert one.verdict is verdict
    assert PROHIBITIONS[verdict] in text(one)
    assert "does not fire in nulls and one tail after it, Down apart" in text(one)
    assert ("fired: Slow{" in text(one)) is (verdict is ProhibitionVerdict.FALSE_ALARM)


def test_the_verdict_of_the_drill_names_what_it_follows_from() -> None:
    drill = Drill(
        nulls_phase(expect=[expect(), expect("Slow", labels={})], must_not_fire=[{"alert": "Down"}]),
        monitoring={"scope": {"alerts": ["Down"]}},
    ).drop(records.Clock)
    drill.add(records.Trouble(at=drill.to_ms / 1000, kind="query_failed", what="no answer"))
    last = explain(drill.judge())[-1]
    assert (last.name, last.verdict) == ("drill", DrillVerdict.INCONCLUSIVE)
    assert "open: nulls/NullsHigh is inconclusive" in text(last)
    assert "trouble: query_failed: no answer" in text(last)
    assert "proven: nulls/NullsHigh is missed" in text(explain(plain().judge())[-1])


def test_one_expectation_can_be_asked_for_and_a_wrong_name_gets_the_nearest() -> None:
    result: Result = plain().judge()
    assert [one.name for one in explain(result, "nulls/NullsHigh")] == ["nulls/NullsHigh"]
    with pytest.raises(Unknown) as caught:
        explain(result, "nulls/NullHigh")
    assert (caught.value.near, caught.value.known) == ("nulls/NullsHigh", ("nulls/NullsHigh",))


def test_what_each_replica_says_and_in_what_they_differ_is_explained() -> None:
    said = text(first(disagreeing()))
    assert "replica: http://a:9090 alone says detected after " in said
    assert "replica: http://b:9090 alone says missed: never pending" in said
    assert "replicas: instants are those of http://a:9090" in said
    assert "replicas: they disagree: http://a:9090 says detected" in said
    assert "replica" not in text(first(plain().detect()))
