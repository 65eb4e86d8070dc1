"""The accuracy check: verdicts, letters, and the state that a restart finds."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertdrill.monitor.truth import checks
from alertdrill.monitor.truth.check import Check, Letter, Measured, Verdict, judge, write
from alertdrill.monitor.truth.proportions import Estimate, proportion
from alertdrill.monitor.truth.store import Store
from alertdrill.monitor.truth.window import Span
from alertdrill.protocols.figures import Metric

WEEK = 7 * 86_400.0
NOW = 1_795_000_000.0
CHECK = Check("fraud", WEEK, Metric.ACCURACY, 0.9, 100, "https://runbooks.example/accuracy")
LETTER = Letter("s", "t", "i")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    store = Store(tmp_path / "truth.db")
    with store.transaction() as opened:
        yield opened
    store.close()


def measured(hits: int, labels: int) -> Measured:
    return Measured(Span(NOW - WEEK, NOW), labels, 5_000, proportion(hits, labels))


def test_a_good_week_sends_nothing() -> None:
    assert judge(CHECK, measured(950, 1_000)) is Verdict.GOOD
    assert write(CHECK, measured(950, 1_000)) is None


def test_a_bad_week_says_numbers_interval_labels_and_runbook() -> None:
    letter = write(CHECK, measured(800, 1_000))
    assert letter is not None
    assert letter.subject == "fraud: accuracy 0.8 is below 0.9"
    for part in (
        "0.8 (0.7741 to 0.8236)",
        "95%, Wilson",
        "threshold    0.9",
        "1000 came",
        "hardly chance",
        CHECK.runbook_url,
    ):
        assert part in letter.text
    near = write(CHECK, measured(890, 1_000))
    assert near is not None
    assert "this may be chance" in near.text


def test_too_few_labels_say_that_nothing_can_be_said() -> None:
    letter = write(CHECK, measured(99, 99))
    assert letter is not None
    assert letter.subject == "fraud: cannot tell the accuracy, 99 labels"
    assert "That is not fine" in letter.text
    nothing = Measured(Span(0.0, 1.0), 0, 0, None)
    assert judge(CHECK, nothing) is Verdict.CANNOT_TELL


def test_an_error_is_bad_above_its_threshold() -> None:
    check = Check("eta", WEEK, Metric.RMSE, 2.0, 10, "r")
    span = Span(0.0, WEEK)
    assert judge(check, Measured(span, 50, 50, Estimate(1.9, 1.5, 2.4))) is Verdict.GOOD
    letter = write(check, Measured(span, 50, 50, Estimate(2.5, 2.1, 3.0)))
    assert letter is not None
    assert letter.subject == "eta: rmse 2.5 is above 2"
    assert "hardly chance" in letter.text


def test_each_period_is_judged_once_and_the_first_begins_at_the_start(db: sqlite3.Connection) -> None:
    assert checks.period_to_judge(db, WEEK, NOW) is None
    assert checks.period_to_judge(db, WEEK, NOW + WEEK - 1) is None
    span = checks.period_to_judge(db, WEEK, NOW + WEEK + 5)
    assert span == Span(NOW, NOW + WEEK)
    checks.record(db, span, Verdict.GOOD, None, NOW + WEEK + 5)
    assert checks.period_to_judge(db, WEEK, NOW + WEEK + 6) is None
    assert checks.last_verdict(db) is Verdict.GOOD


def test_after_a_long_pause_only_the_last_whole_period_is_judged(db: sqlite3.Connection) -> None:
    checks.period_to_judge(db, WEEK, NOW)
    assert checks.period_to_judge(db, WEEK, NOW + 3.5 * WEEK) == Span(NOW + 2 * WEEK, NOW + 3 * WEEK)


def test_a_period_in_the_future_begins_anew(db: sqlite3.Connection) -> None:
    checks.period_to_judge(db, WEEK, NOW + 100 * WEEK)
    assert checks.period_to_judge(db, WEEK, NOW) is None
    assert checks.period_to_judge(db, WEEK, NOW + WEEK) == Span(NOW, NOW + WEEK)


def test_a_letter_is_due_until_it_is_sent_each_time_twice_as_late(db: sqlite3.Connection) -> None:
    checks.record(db, Span(NOW - WEEK, NOW), Verdict.BELOW, LETTER, NOW)
    now = NOW
    for wait_s in (1.0, 2.0, 4.0):
        due = checks.due(db, now)
        assert due is not None
        assert due.letter == LETTER
        checks.attempted(db, due, sent=False, now=now)
        assert checks.due(db, now + wait_s - 0.1) is None
        now += wait_s
    due = checks.due(db, now)
    assert due is not None
    checks.attempted(db, due, sent=True, now=now)
    assert checks.due(db, now + 1e6) is None
    assert checks.unsent(db) == 0


def test_a_letter_is_given_up_when_three_later_periods_have_ended(db: sqlite3.Connection) -> None:
    given_up = [
        checks.record(db, Span(NOW + (at - 1) * WEEK, NOW + at * WEEK), Verdict.BELOW, LETTER, NOW) for at in range(5)
    ]
    assert given_up == [0, 0, 0, 1, 1]
    assert checks.unsent(db) == 3
