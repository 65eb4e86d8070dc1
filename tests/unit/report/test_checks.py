from datetime import date
from xml.etree import ElementTree

import pytest
from tests.unit.core.drill import BASELINE, Drill, nulls_phase
from tests.unit.report.pasts import COMPARED, PAST

from alertdrill.core import journal as records
from alertdrill.core.coverage import Drilled, coverage
from alertdrill.core.coverage_result import Difference
from alertdrill.core.replay.comparison import Outcome as Change
from alertdrill.core.replay.comparison import RecordingReplay, ReplayResult, compare
from alertdrill.core.result import DrillVerdict, Result
from alertdrill.report.annotations import annotations
from alertdrill.report.checks import (
    Check,
    Outcome,
    Place,
    Suite,
    of_coverage,
    of_drill,
    of_error,
    of_history,
    of_not_run,
    of_replay,
)
from alertdrill.report.junit import junit
from alertdrill.report.markdown import MARKER, MAX_CHARACTERS, markdown

PLACES = {"nulls/NullsHigh": Place("drill.yaml", 12)}


def suite(result: Result) -> Suite:
    return of_drill(result, PLACES)


def outcomes(found: Suite) -> list[tuple[str, Outcome, str]]:
    return [(one.name, one.outcome, one.verdict) for one in found.checks]


def test_a_drill_that_passed_is_one_check_an_expectation() -> None:
    found = suite(Drill().detect().judge())
    assert outcomes(found) == [('nulls/NullsHigh{feature="amount"}', Outcome.PASSED, "detected")]
    assert found.checks[0].place == PLACES["nulls/NullsHigh"]
    assert (found.name, found.outcome) == ("drill", Outcome.PASSED)


def test_a_miss_fails_and_what_could_not_be_told_is_no_failure() -> None:
    assert suite(Drill().judge()).outcome is Outcome.FAILED
    late = Drill().detect().change(records.SegmentClosed, within_100ms=1)
    assert suite(late.judge()).outcome is Outcome.INCONCLUSIVE


def test_prohibitions_and_false_alarms_are_checks() -> None:
    drill = Drill(must_not_fire=[{"labels": {"severity": "P0"}}]).detect()
    assert outcomes(suite(drill.judge()))[1][1:] == (Outcome.PASSED, "quiet")
    quiet = drill.evaluation(drill.start_ms() - 8000)
    found = suite(drill.fire(quiet, quiet, quiet + 1000, "Down", instance="m:1").judge())
    assert [one[1] for one in outcomes(found)[1:]] == [Outcome.FAILED, Outcome.FAILED]


def test_a_control_that_touched_nothing_passes() -> None:
    control = nulls_phase(faults=[{"kind": "nulls", "features": ["amount"], "share": 0}])
    assert suite(Drill(BASELINE, control).judge()).outcome is Outcome.PASSED


@pytest.mark.parametrize("kind", ["stop_condition", "engine_gone"])
def test_the_checks_never_look_better_or_worse_than_the_verdict(kind: str) -> None:
    drill = Drill().detect()
    drill.add(records.Trouble(at=drill.to_ms / 1000, kind=kind, what="it stopped"))  # type: ignore[arg-type]
    result = drill.judge()
    expected = {"aborted": Outcome.FAILED, "failed": Outcome.FAILED, "inconclusive": Outcome.INCONCLUSIVE}
    assert suite(result).outcome is expected.get(result.verdict, Outcome.PASSED)


def test_coverage_fails_only_what_a_gate_asks_for() -> None:
    drill = Drill().detect()
    found = coverage([Drilled("drill/1", drill.case(), drill.judge())], None, (), (), date(2026, 11, 23))
    covered = (Outcome.PASSED, "covered")
    assert [one[1:] for one in outcomes(of_coverage(found, None))] == [covered] + [(Outcome.SKIPPED, "never_fired")] * 2
    assert [one[1:] for one in outcomes(of_coverage(found, 0.5))] == [covered] + [(Outcome.FAILED, "never_fired")] * 2
    lost = Difference(lost=('Slow{severity="P1"}',), gained=(), uncovered=(), gone=())
    worse = of_coverage(found.model_copy(update={"against": lost}), 0.1)
    assert [one.outcome for one in worse.checks] == [Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED]


MIXED = Suite(
    "slow | night",
    "FAILED <b>",
    (
        Check("p/Good", Outcome.PASSED, "detected", "in 3 s", 3.0),
        Check("p/Open", Outcome.INCONCLUSIVE, "inconclusive", "no scrape\nto decide it: 100%, look", None),
        Check("p/Bad|x", Outcome.FAILED, "missed", "never \x00 pending", None, Place("a,b.yaml", 3)),
        Check("p/Left", Outcome.SKIPPED, "ignored", "by hand"),
    ),
    12.5,
)


def test_junit_tells_failures_from_what_could_not_be_told() -> None:
    root = ElementTree.fromstring(junit([MIXED, of_error("broken", "it broke\nbadly")]))
    first, second = root.findall("testsuite")
    counts = [first.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["4", "1", "1", "1"]
    assert [case.get("classname") for case in first] == ["slow | night"] * 4
    failure = first[2].find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.text) == ("missed", "never ? pending")
    assert (first[2].get("file"), first[2].get("line")) == ("a,b.yaml", "3")
    assert (first[0].get("time"), second.get("errors")) == ("3.0", "1")


def test_markdown_begins_with_what_did_not_pass_and_folds_the_rest() -> None:
    lines = markdown([MIXED]).splitlines()
    assert lines[0] == MARKER
    assert lines[1] == "### ❌ slow \\| night: FAILED \\<b\\>"
    text = "\n".join(lines)
    assert text.index("p/Bad\\|x") < text.index("<details>") < text.index("p/Good")
    assert "no scrape<br>to decide it: 100%, look" in text
    assert "`a,b.yaml:3`" in text


def test_markdown_is_cut_before_github_refuses_it() -> None:
    many = Suite("s", "t", (MIXED.checks[1],) * 3000)
    text = markdown([many])
    assert len(text) < MAX_CHARACTERS + 100
    assert text.rstrip().endswith("the result files of the job")


def test_annotations_are_at_most_ten_and_escaped_as_github_wants() -> None:
    bad, open_ = annotations([MIXED])
    assert bad == "::error file=a%2Cb.yaml,line=3,title=slow | night%3A p/Bad|x missed::never \x00 pending"
    assert open_ == "::error title=slow | night%3A p/Open inconclusive::no scrape%0Ato decide it: 100%25, look"
    assert len(annotations([Suite("s", "t", (MIXED.checks[1],) * 30)])) == 10


def test_a_verdict_that_no_check_explains_is_a_check_of_its_own() -> None:
    found = suite(Drill().detect().judge().model_copy(update={"verdict": DrillVerdict.FAILED}))
    assert outcomes(found)[-1] == ("the whole", Outcome.FAILED, "failed")
    assert found.outcome is Outcome.FAILED


def replayed(fail_on: tuple[str, ...]) -> Suite:
    old, new = Drill().detect().judge(), Drill().judge()
    changes = compare(old, new, lambda alert: (f"rules/{alert}.yml:14 0.05→0.5",))
    one = RecordingReplay(
        folder="f",
        before="live",
        verdict_before="passed",
        result=new,
        changes=changes,
        notes=(),
        questions=1,
        seconds=0.5,
    )
    counts = {outcome: sum(change.outcome is outcome for change in changes) for outcome in Change}
    (found,) = of_replay(
        ReplayResult(
            rules=("rules",), against=None, fail_on=fail_on, verdict="failed", counts=counts, recordings=(one,)
        )
    )
    return found


def test_a_replay_fails_what_was_lost_at_the_line_that_was_changed() -> None:
    (check,) = replayed(("lost",)).checks
    assert (check.outcome, check.verdict) == (Outcome.FAILED, "lost")
    assert check.place == Place("rules/NullsHigh.yml", 14)
    assert "0.05→0.5" in check.text
    assert replayed(()).checks[0].outcome is Outcome.SKIPPED


def test_a_drill_that_was_not_run_is_skipped_and_never_counted_among_those_that_passed() -> None:
    found = of_not_run("late", "not run", "--fail-fast: first did not pass")
    assert (found.outcome, outcomes(found)) == (
        Outcome.SKIPPED,
        [("the drill ran to its end", Outcome.SKIPPED, "not run")],
    )
    text = markdown([found])
    assert "### ⏭️ late: not run: --fail-fast: first did not pass" in text
    assert "<summary>1 skipped</summary>" in text
    (case,) = ElementTree.fromstring(junit([found])).iter("testcase")
    assert [one.tag for one in case] == ["skipped"]


def test_a_past_is_one_check_an_alert_or_where_rules_are_compared_one_a_change() -> None:
    found = of_history(PAST)
    assert [(one.name, one.outcome) for one in found.checks] == [
        ("NullsHigh", Outcome.PASSED),
        ("Silent", Outcome.SKIPPED),
        ("Watchdog", Outcome.INCONCLUSIVE),
    ]
    assert found.checks[0].place == Place("rules.yml", 3)
    assert ", 41 min after the stated onset" in found.checks[0].text
    compared = of_history(COMPARED)
    assert [(one.name, one.outcome, one.verdict) for one in compared.checks] == [("NullsHigh", Outcome.FAILED, "lost")]
    assert b"NullsHigh" in junit([compared])
