import json

import pytest
from tests.unit.core.drill import Drill, expect, nulls_phase

from alertdrill.core.replay.comparison import Outcome, RecordingReplay, compare, conclude
from alertdrill.core.result import Code, EpisodeResult, ProhibitionVerdict, Reason, Result, Verdict

RESULT = Drill(nulls_phase(expect=[expect()], must_not_fire=[{"alert": "Slow"}])).detect().judge()
WHY = Reason(code=Code.SERIES_NOT_RECORDED, text="x is not recorded", decide_it_by="record it")


def of(verdict: Verdict, ttd_s: float | None = 4.0, reason: Reason | None = None) -> Result:
    one = RESULT.expectations[0].model_copy(update={"verdict": verdict, "ttd_s": ttd_s, "reason": reason})
    return RESULT.model_copy(update={"expectations": (one,)})


def alarmed(*labels: str) -> Result:
    episodes = tuple(
        EpisodeResult(
            alert="Slow",
            labels={"job": one},
            phase="nulls",
            pending_at=1.0,
            firing_at=2.0,
            resolved_at=None,
            in_baseline=None,
            host_stalls=(),
        )
        for one in labels
    )
    return RESULT.model_copy(update={"false_alarms": episodes})


def changed(before: Result, after: Result) -> list[tuple[Outcome, str]]:
    return [(one.outcome, one.id) for one in compare(before, after, lambda alert: (f"cause of {alert}",))]


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (of(Verdict.DETECTED), of(Verdict.MISSED, None), Outcome.LOST),
        (of(Verdict.DETECTED), of(Verdict.LATE, 14.0), Outcome.LOST),
        (of(Verdict.DETECTED), of(Verdict.DETECTED, 4.001), Outcome.SLOWER),
        (of(Verdict.DETECTED), of(Verdict.DETECTED, 4.0), Outcome.KEPT),
        (of(Verdict.DETECTED), of(Verdict.DETECTED, 3.0), Outcome.KEPT),
        (of(Verdict.MISSED, None), of(Verdict.DETECTED), Outcome.GAINED),
        (of(Verdict.INCONCLUSIVE, None, WHY), of(Verdict.DETECTED), Outcome.GAINED),
        (of(Verdict.MISSED, None), of(Verdict.MISSED, None), Outcome.KEPT),
        (of(Verdict.LATE, 14.0), of(Verdict.MISSED, None), Outcome.LOST),
        (of(Verdict.NOT_RESOLVED), of(Verdict.MISSED, None), Outcome.LOST),
        (of(Verdict.LATE, 14.0), of(Verdict.LATE, 19.0), Outcome.SLOWER),
        (of(Verdict.LATE, 14.0), of(Verdict.LATE, 12.0), Outcome.KEPT),
        (of(Verdict.MISSED, None), of(Verdict.LATE, 14.0), Outcome.KEPT),
        (of(Verdict.DETECTED), of(Verdict.INCONCLUSIVE, None, WHY), Outcome.UNDECIDED),
        (of(Verdict.INCONCLUSIVE, None, WHY), of(Verdict.MISSED, None), Outcome.UNDECIDED),
        (of(Verdict.INCONCLUSIVE, None, WHY), of(Verdict.INCONCLUSIVE, None, WHY), Outcome.KEPT),
    ],
)
def test_what_became_of_an_expectation(before: Result, after: Result, outcome: Outcome) -> None:
    assert changed(before, after) == [(outcome, "nulls/NullsHigh")]


def test_a_false_alarm_is_new_or_gone_by_alert_and_labels() -> None:
    found = changed(alarmed("a", "b"), alarmed("b", "c"))
    assert found[1:] == [
        (Outcome.NEW_FALSE_ALARM, 'Slow{job="c"}'),
        (Outcome.FALSE_ALARM_GONE, 'Slow{job="a"}'),
    ]


def test_whether_a_false_alarm_of_a_rule_that_could_not_be_evaluated_is_gone_is_undecided() -> None:
    (_, found) = compare(alarmed("a"), alarmed(), lambda alert: (), {"Slow": WHY})
    assert (found.outcome, found.id, found.after, found.reason) == (
        Outcome.UNDECIDED, 'Slow{job="a"}', "inconclusive", WHY,
    )  # fmt: skip


def test_a_prohibition_that_cannot_be_told_any_more_is_undecided() -> None:
    one = RESULT.prohibitions[0].model_copy(update={"verdict": ProhibitionVerdict.INCONCLUSIVE, "reason": WHY})
    after = RESULT.model_copy(update={"prohibitions": (one,)})
    assert changed(RESULT, after)[1:] == [(Outcome.UNDECIDED, "nulls/must_not_fire Slow")]


def recording(before: Result, after: Result) -> RecordingReplay:
    return RecordingReplay(
        folder="f",
        before="live",
        verdict_before=before.verdict.value,
        result=after,
        changes=compare(before, after, lambda alert: ()),
        notes=(),
        questions=1,
        seconds=0.1,
    )


@pytest.mark.parametrize(
    ("after", "fail_on", "verdict"),
    [
        (of(Verdict.MISSED, None), ["lost"], "failed"),
        (of(Verdict.MISSED, None), ["slower", "false-alarm"], "passed"),
        (of(Verdict.DETECTED, 5.0), ["slower"], "failed"),
        (of(Verdict.INCONCLUSIVE, None, WHY), ["lost", "slower", "false-alarm"], "inconclusive"),
        (of(Verdict.DETECTED, 4.0), ["lost", "slower", "false-alarm"], "passed"),
    ],
)
def test_all_together_fail_by_what_was_named(after: Result, fail_on: list[str], verdict: str) -> None:
    found = conclude(["r.yml"], None, fail_on, [recording(of(Verdict.DETECTED), after)])
    assert found.verdict == verdict
    assert json.loads(found.to_json())["schema"] == "alertdrill/replay/v1"
