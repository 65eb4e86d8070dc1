from typing import Any

import numpy as np
import pytest

from alertdrill.core.history.comparison import compare, verdict_of
from alertdrill.core.history.inputs import fewest, inputs, is_written, reach_ms
from alertdrill.core.history.judging import Seen, Times, ids_of, judged
from alertdrill.core.history.phases import phase_of
from alertdrill.core.history.result import RuleHistory
from alertdrill.core.observations import RawSeries, RuleGroup, RuleInfo
from alertdrill.core.promql import Selector, selectors
from alertdrill.core.replay.dependencies import Place, Rules
from alertdrill.core.replay.grid import phase_ms
from alertdrill.core.replay.rule_changes import Written
from alertdrill.core.result import Code, Reason, Verdict
from alertdrill.core.stats import poisson_upper

MINUTE = 60_000
DAY = 86_400_000
ONSET = 40 * DAY
TIMES = Times(ONSET - 30 * DAY, ONSET - 10 * MINUTE, ONSET, ONSET + 60 * MINUTE)
EVALUATIONS = np.arange(TIMES.history_ms, TIMES.to_ms + 1, MINUTE, dtype=np.int64)
NOTHING = Seen()
WRITTEN = Written("rules.yml", {"alert": 3})


def rule(name: str, query: str = "x > 1", kind: Any = "alerting", for_s: float = 0.0, **labels: str) -> RuleInfo:
    return RuleInfo(name, kind, query, for_s, 0.0, labels, {}, "ok", "")


def rules(*found: RuleInfo, file: str = "rules.yml", at: float | None = None) -> Rules:
    return Rules((RuleGroup(file, "g", 60.0, at, found),))


def alerts(*stretches: tuple[str, int, int], instance: str = "a") -> list[RawSeries]:
    """Samples of ALERTS: state, and minutes from the onset of its first and its last."""
    found = []
    for state, first, last in stretches:
        times = ONSET + MINUTE * np.arange(first, last + 1, dtype=np.int64)
        labels = {"__name__": "ALERTS", "alertname": "A", "alertstate": state, "instance": instance}
        found.append(RawSeries(labels, times, np.ones(len(times))))
    return found


def judge(*series: RawSeries, seen: Seen = NOTHING, times: Times = TIMES) -> RuleHistory:
    return judged(rules(rule("A")), Place(0, 0), WRITTEN, series, EVALUATIONS, times, seen)


def test_an_alert_that_fires_after_the_onset_detected_it() -> None:
    found = judge(*alerts(("pending", 2, 6), ("firing", 7, 20)))
    assert (found.verdict, found.ttd_s, found.reason) == (Verdict.DETECTED, 420.0, None)
    assert (found.pending_at, found.resolved_at) == (ONSET / 1000 + 120, ONSET / 1000 + 21 * 60)
    assert (found.file, found.line) == ("rules.yml", 3)


@pytest.mark.parametrize(
    ("stretches", "says"),
    [
        ([("firing", -5, 20)], "firing at the onset, active for 5m then"),
        ([("pending", -2, 3), ("firing", 4, 20)], "pending at the onset, active for 2m then"),
        ([("firing", -30 * 24 * 60, 60)], "firing at the onset, active all the time that was looked at"),
    ],
)
def test_an_alert_that_was_active_at_the_onset_did_not_detect_it(
    stretches: list[tuple[str, int, int]], says: str
) -> None:
    found = judge(*alerts(*stretches))
    assert found.reason is not None
    assert (found.verdict, found.reason.code, found.reason.text) == (Verdict.INCONCLUSIVE, Code.ALREADY_FIRING, says)
    assert found.firing_at is None


@pytest.mark.parametrize("last", [3, 60])
def test_an_alert_that_was_pending_at_the_onset_and_never_fired_missed_it(last: int) -> None:
    found = judge(*alerts(("pending", -2, last)))
    assert found.reason is not None
    assert (found.verdict, found.reason.code) == (Verdict.MISSED, Code.NEVER_FIRING)


def test_another_label_set_that_becomes_active_after_the_onset_did() -> None:
    found = judge(*alerts(("firing", -5, 20)), *alerts(("firing", 3, 4), instance="b"))
    assert found.labels is not None
    assert (found.verdict, found.ttd_s, found.labels["instance"]) == (Verdict.DETECTED, 180.0, "b")


def test_silence_is_a_miss_only_where_it_could_have_been_broken() -> None:
    never = judge()
    assert never.reason is not None
    assert (never.verdict, never.reason.code) == (Verdict.MISSED, Code.NEVER_PENDING)
    pending = judge(*alerts(("pending", 3, 4)))
    assert pending.reason is not None
    assert pending.reason.code == Code.NEVER_FIRING
    gap = Reason(code=Code.SCRAPE_GAP, text="", decide_it_by="")
    assert judge(seen=Seen(why_not_silent=gap)).verdict is Verdict.INCONCLUSIVE
    assert judge(*alerts(("firing", 3, 4)), seen=Seen(why_not_silent=gap)).verdict is Verdict.DETECTED
    refused = judge(*alerts(("firing", 3, 4)), seen=Seen(why_not=gap))
    assert (refused.verdict, refused.false_alarms) == (Verdict.INCONCLUSIVE, None)


def test_label_sets_that_fire_together_are_one_false_alarm_and_the_bound_is_garwoods() -> None:
    found = judge(
        *alerts(("firing", -900, -800), ("firing", -700, -650), ("firing", 3, 4)),
        *alerts(("firing", -850, -750), ("pending", -300, -200), instance="b"),
    ).false_alarms
    assert found is not None
    assert (found.count, found.episodes, found.judged_s) == (2, 3, 30 * 86_400.0)
    assert found.at_most_per_30_d == pytest.approx(6.295794)
    assert found.error_s == 60.0


def test_what_could_not_be_seen_is_not_counted_as_quiet() -> None:
    found = judge(seen=Seen(blind=((0, TIMES.history_ms + 15 * DAY), (ONSET - 1000, ONSET + 1000)))).false_alarms
    assert found is not None
    assert found.judged_s == 15 * 86_400 - 1
    assert found.at_most_per_30_d == poisson_upper(0, found.judged_s / (30 * 86_400))
    nothing = judge(seen=Seen(blind=((0, ONSET),))).false_alarms
    assert nothing is not None
    assert nothing.at_most_per_30_d is None
    assert judge(times=Times(ONSET, TIMES.from_ms, ONSET, TIMES.to_ms)).false_alarms is None


def test_what_fired_in_the_range_before_the_onset_is_listed() -> None:
    found = judge(*alerts(("firing", -20, -15), ("firing", -8, -5), ("firing", 3, 4), ("firing", 9, 10)))
    assert [one.firing_at for one in found.before_onset] == [ONSET / 1000 - 480]
    assert [one.firing_at for one in found.after_onset] == [ONSET / 1000 + 180, ONSET / 1000 + 540]


def test_rules_of_one_name_are_told_apart_by_their_labels() -> None:
    found = ids_of(rules(rule("A", severity="P1"), rule("A", severity="P2"), rule("A", severity="P2"), rule("B")))
    assert list(found.values()) == ['A{severity="P1"}', 'A{severity="P2"}', 'A{severity="P2"} #2', "B"]


def test_what_the_rules_write_is_worked_out_anew_and_not_read() -> None:
    found = rules(
        rule("r", "rate(x[5m])", "recording"),
        rule("A", 'r > 1 and other:recorded > 2 and ALERTS{alertname="B"}', for_s=60.0),
        rule("B", 'ALERTS{alertname="Theirs"} and up{job="x"} == 0'),
    )
    assert [one.text() for one in inputs(found, Place(0, 1))] == [
        "x", "other:recorded", 'ALERTS{alertname="Theirs"}', 'up{job="x"}',
    ]  # fmt: skip
    assert is_written(found, {"__name__": "ALERTS", "alertname": "A", "instance": "a"})
    assert not is_written(found, {"__name__": "ALERTS", "alertname": "Theirs"})
    assert reach_ms(found, Place(0, 1), 300_000) >= 300_000 + 60_000 + 300_000


def test_a_selector_that_another_reads_as_well_is_not_asked_for() -> None:
    wanted = [one for text in ('x{a="1"}', "x[5m]", 'y{a="1"}', 'y{a="2"}') for one in selectors(text)]
    bare = [Selector(one.name, one.matchers, 0.0, 0.0) for one in wanted]
    assert [one.text() for one in fewest(bare)] == ["x", 'y{a="1"}', 'y{a="2"}']


def test_a_group_is_evaluated_as_its_namesake_is() -> None:
    mine = rules(rule("A"), file="mine/rules.yml").groups[0]
    loaded = rules(rule("A"), file="/etc/rules.yml", at=1_790_000_123.456).groups[0]
    hashed = phase_ms("/etc/rules.yml", "g", MINUTE, "separated")
    began = (1_790_000_000_000 // MINUTE * MINUTE + hashed + 7) / 1000
    exact = rules(rule("A"), file="/etc/rules.yml", at=began).groups[0]
    assert (phase_of(mine, [exact], "2.42.0").phase_ms, phase_of(mine, [exact], "2.42.0").source) == (
        hashed,
        "recorded",
    )
    other = rules(rule("A"), file="/etc/rules.yml", at=began + 20).groups[0]
    assert phase_of(mine, [other], "2.42.0").phase_ms == round((began + 20) * 1000) % MINUTE
    unseen = rules(rule("A"), file="/etc/rules.yml").groups[0]
    assert (phase_of(mine, [unseen], "2.42.0").phase_ms, phase_of(mine, [unseen], "2.42.0").source) == (
        hashed,
        "predicted",
    )
    assert phase_of(mine, [], "2.42.0").source == "assumed"
    elsewhere = rules(rule("A"), file="base/rules.yml").groups[0]
    assert phase_of(mine, [], "2.42.0") == phase_of(elsewhere, [], "2.42.0")
    assert loaded.last_evaluation is not None


def test_two_sets_of_rules_are_compared_in_the_words_of_replays() -> None:
    quick, late = judge(*alerts(("firing", 3, 9))), judge(*alerts(("firing", 5, 9)))
    silent, alarmed = judge(), judge(*alerts(("firing", -900, -800), ("firing", 3, 9)))

    def outcomes(before: RuleHistory | None, after: RuleHistory | None) -> list[str]:
        found = compare([before] if before else [], [after] if after else [], lambda alert: ())
        return [one.outcome.value for one in found]

    assert outcomes(quick, late) == ["slower"]
    assert outcomes(quick, silent) == ["lost"]
    assert outcomes(quick, None) == ["lost"]
    assert outcomes(None, quick) == ["gained"]
    assert outcomes(silent, None) == outcomes(None, silent) == ["kept"]
    assert outcomes(judge(*alerts(("firing", -5, 20))), None) == ["undecided", "false_alarm_gone"]
    assert outcomes(alarmed, None) == ["lost", "false_alarm_gone"]
    assert outcomes(quick, alarmed) == ["kept", "new_false_alarm"]
    assert outcomes(alarmed, quick) == ["kept", "false_alarm_gone"]
    lost = compare([quick], [silent], lambda alert: ())
    assert (verdict_of([silent], lost, ["lost"]), verdict_of([silent], lost, [])) == ("failed", "passed")
    undecided = judge(*alerts(("firing", -5, 20)))
    assert verdict_of([undecided], None, ["lost"]) == "inconclusive"
    assert verdict_of([silent], None, ["lost"]) == "passed"
