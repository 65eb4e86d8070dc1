"""What is gathered for the verdicts on a past, with an engine that returns what is stored."""

from typing import Any

import numpy as np
import pytest
from tests.unit.core.replay.worded import alert, group, record, series
from tests.unit.run.test_replay import Engine

from alertdrill.core.history.judging import Times
from alertdrill.core.history.result import RuleHistory
from alertdrill.core.history.spans import Span
from alertdrill.core.observations import RawSeries
from alertdrill.core.replay.dependencies import Rules
from alertdrill.core.replay.rule_changes import Written
from alertdrill.core.result import Code, Verdict
from alertdrill.run.history import PastReplay
from alertdrill.run.past_rules import PastRules, past_rules

TARGET = {"job": "model", "instance": "m:1"}
SCRAPES = list(range(0, 100_000, 1000))
TIMES = Times(10_000, 40_000, 50_000, 90_000)
SPANS = (Span(0, 10_000, 40_000, exact=False), Span(20_000, 40_000, 90_001, exact=True))


class Quiet(Engine):
    """One whose every condition is false."""

    def _answer(self, query: str, times: list[int]) -> list[RawSeries]:
        return []


def prepared(*rules: Any) -> PastRules:
    found = Rules((group(*rules),))
    written = {place: Written("rules.yml", {"alert": 1}) for place in found.places}
    return past_rules(found, written, {}, [], "2.42.0", 5000)


def scraped(times: list[int], holds: tuple[int, int] = (0, 0)) -> list[RawSeries]:
    values = [float(holds[0] <= at < holds[1]) for at in times]
    return [
        series("x", times, values, **TARGET),
        series("up", times, **TARGET),
        series("scrape_duration_seconds", times, [0.01] * len(times), **TARGET),
    ]


def judged(
    past: PastRules,
    found: list[RawSeries],
    outages: tuple[tuple[int, int], ...] = (),
    held_ms: int | None = None,
    failed: dict[Any, str] | None = None,
    engine: type[Engine] = Quiet,
) -> RuleHistory:
    replay = PastReplay(past, outages)
    for span in SPANS:
        parts = [_within(one, span) for one in found]
        replay.replay(engine(), span, [one for one in parts if len(one.times_ms)])
    return replay.judged(TIMES, held_ms, failed or {})[0]


def _within(one: RawSeries, span: Span) -> RawSeries:
    inside = (one.times_ms >= span.warm_ms) & (one.times_ms < span.end_ms)
    return RawSeries(one.labels, one.times_ms[inside], one.values[inside])


def code(one: RuleHistory) -> Code | None:
    return one.reason.code if one.reason else None


def seen_s(one: RuleHistory) -> float:
    assert one.false_alarms is not None
    return one.false_alarms.judged_s


@pytest.mark.parametrize(
    ("missing", "verdict", "blind_s"),
    [
        ((60_000, 63_000), Code.SCRAPE_GAP, 0.0),
        ((20_000, 23_000), Code.NEVER_PENDING, 4.0),
        ((0, 0), Code.NEVER_PENDING, 0.0),
    ],
)
def test_gaps_after_the_onset_prove_nothing_and_those_before_are_not_counted_as_quiet(
    missing: tuple[int, int], verdict: Code, blind_s: float
) -> None:
    times = [at for at in SCRAPES if not missing[0] <= at < missing[1]]
    found = judged(prepared(alert("A", "x")), scraped(times))
    assert (code(found), seen_s(found)) == (verdict, 40.0 - blind_s)


def test_an_outage_of_the_prometheus_is_no_silence_and_nothing_is_evaluated_in_it() -> None:
    past = prepared(alert("A", "x"))
    after = judged(past, scraped(SCRAPES), outages=((60_000, 70_000),))
    assert (code(after), after.verdict) == (Code.SCRAPE_GAP, Verdict.INCONCLUSIVE)
    before = judged(past, scraped(SCRAPES), outages=((20_000, 30_000),), held_ms=15_000)
    assert (code(before), seen_s(before)) == (Code.NEVER_PENDING, 40.0 - 5.0 - 10.0)


def test_nothing_is_evaluated_while_the_prometheus_was_out() -> None:
    class Absent(Quiet):
        def _answer(self, query: str, times: list[int]) -> list[RawSeries]:
            inside = [at for at in times if 60_000 <= at < 63_000]
            return [series("", inside)] if inside else []

    past = prepared(alert("A", "x"))
    assert judged(past, scraped(SCRAPES), engine=Absent).verdict is Verdict.DETECTED
    assert code(judged(past, scraped(SCRAPES), outages=((59_000, 64_000),), engine=Absent)) is Code.SCRAPE_GAP


def test_what_the_rules_write_is_not_taken_from_the_prometheus() -> None:
    engines: list[Engine] = []

    class Kept(Engine):
        def __init__(self) -> None:
            super().__init__()
            engines.append(self)

    theirs = series("r", SCRAPES, [7.0] * len(SCRAPES), **TARGET)
    judged(prepared(record("r", "x"), alert("A", "r")), [*scraped(SCRAPES), theirs], engine=Kept)
    written = [
        value
        for one in engines
        for key, kept in one.stored.items()
        if dict(key)["__name__"] == "r"
        for _, value in kept
    ]
    assert written
    assert 7.0 not in written


def test_a_metric_that_began_late_is_judged_from_then_on() -> None:
    late = [
        one if one.labels["__name__"] != "x" else series("x", SCRAPES[30:], [0.0] * 70, **TARGET)
        for one in scraped(SCRAPES)
    ]
    assert seen_s(judged(prepared(alert("A", "x")), late)) == 20.0


def test_a_series_that_is_nowhere_is_no_silence() -> None:
    found = judged(prepared(alert("A", "z")), scraped(SCRAPES))
    assert (code(found), seen_s(found)) == (Code.SERIES_NOT_RECORDED, 0.0)


def test_a_selector_that_could_not_be_read_leaves_its_rule_open() -> None:
    past = prepared(record("r", "x"), alert("A", "r"))
    (place,) = past.places
    found = judged(past, scraped(SCRAPES), failed={past.reads[place][0]: "too many samples"})
    assert (code(found), found.false_alarms) == (Code.QUERY_FAILED, None)


def test_a_rule_that_fails_is_not_silent() -> None:
    class Failing(Quiet):
        def __init__(self) -> None:
            super().__init__()
            self.refuses_at = set(range(100_000))

    found = judged(prepared(alert("A", "x")), scraped(SCRAPES), engine=Failing)
    assert code(found) is Code.RULE_ERROR
    assert found.reason is not None
    assert "division by fish" in found.reason.text


def test_what_is_of_no_target_may_be_off_by_an_interval() -> None:
    theirs = series("theirs", SCRAPES, [1.0] * len(SCRAPES), job="elsewhere")
    found = judged(prepared(alert("A", "theirs")), [*scraped(SCRAPES), theirs])
    assert found.error_s > 0
    assert "of no target that is scraped" in found.notes[0]


@pytest.mark.parametrize(
    ("query", "says"),
    [("x @ 5", "an @ modifier"), ("x offset -5m", "negative offset"), ("rate(x[40d])", "more than 30 days")],
)
def test_what_cannot_be_replayed_is_refused_by_name(query: str, says: str) -> None:
    past = prepared(alert("A", query))
    (found,) = PastReplay(past, ()).judged(TIMES, None, {})
    assert (found.verdict, code(found), found.false_alarms) == (Verdict.INCONCLUSIVE, Code.NOT_REPLAYABLE, None)
    assert found.reason is not None
    assert says in found.reason.text


def test_evaluations_of_a_group_that_is_not_loaded_are_assumed() -> None:
    past = prepared(alert("A", "x"))
    assert PastReplay(past, ()).notes == ("group g is not loaded there: when it would be evaluated is assumed",)
    assert np.all(past.phases[0].grid(0, 10_000).times_ms % past.phases[0].interval_ms == past.phases[0].phase_ms)


ERRORS = 'x{code="500"}'


def errors_of(found: list[RawSeries], **metrics: list[RawSeries]) -> RuleHistory:
    """A rule on a label value that never occurred, where the Prometheus has these metrics."""
    replay = PastReplay(prepared(alert("A", ERRORS)), (), metrics)
    for span in SPANS:
        parts = [_within(one, span) for one in found if one.labels["__name__"] != "x"]
        replay.replay(Quiet(), span, [one for one in parts if len(one.times_ms)])
    return replay.judged(TIMES, None, {})[0]


def test_a_series_that_never_occurred_of_a_metric_that_there_is_counts_as_nothing_and_is_noted() -> None:
    found = errors_of(scraped(SCRAPES), x=[series("", SCRAPES[20:], **TARGET)])
    assert (found.verdict, code(found), seen_s(found)) == (Verdict.MISSED, Code.NEVER_PENDING, 30.0)
    assert found.notes == (f"no series fits {ERRORS}, while there are others of that name: it counts as nothing",)
    assert code(errors_of(scraped(SCRAPES))) is Code.SERIES_NOT_RECORDED


def test_targets_of_a_metric_that_were_not_scraped_may_have_had_such_a_series() -> None:
    times = [at for at in SCRAPES if not 60_000 <= at < 63_000]
    assert code(errors_of(scraped(times), x=[series("", times, **TARGET)])) is Code.SCRAPE_GAP


@pytest.mark.parametrize(
    ("fails", "verdict", "judged_s"),
    [
        (range(20_000, 30_000), Code.NEVER_PENDING, 30.0),
        (range(60_000, 63_000), Code.RULE_ERROR, 40.0),
        (range(100_000), Code.RULE_ERROR, 0.0),
    ],
)
def test_where_a_rule_fails_it_is_not_quiet(fails: range, verdict: Code, judged_s: float) -> None:
    class Failing(Quiet):
        def __init__(self) -> None:
            super().__init__()
            self.refuses_at = set(fails)

    found = judged(prepared(alert("A", "x")), scraped(SCRAPES), engine=Failing)
    assert (code(found), seen_s(found)) == (verdict, judged_s)
