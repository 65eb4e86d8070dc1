import io
from typing import Any

from drill import Drill, expect, nulls_phase
from rich.console import Console, RenderableType

from alertdrill.core import journal as records
from alertdrill.core.repeat import BrokenRun, Header, summarise
from alertdrill.core.result import Result
from alertdrill.core.revision import Change, Revision
from alertdrill.report.repeat_terminal import render, run_lines
from alertdrill.report.revision_terminal import revision_text


def text_of(what: RenderableType, width: int = 400) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    console.print(what)
    return console.file.getvalue()


def drill(**changes: Any) -> Drill:
    return Drill(nulls_phase(expect=[expect(**changes)], must_not_fire=[{"alert": "Slow"}]))


def together(*results: Result, **changes: Any) -> str:
    header = {
        "repeat_id": "r",
        "scenario": "s",
        "asked": 9,
        "interrupted": False,
        "broken": (),
        "false_alarms_fail": True,
    }
    return text_of(render(summarise(Header(**header | changes), list(enumerate(results)))))


def test_detections_have_their_interval_bound_and_times() -> None:
    text = together(drill().detect().judge(), drill().detect().judge())
    assert 'NullsHigh{feature="amount"} 2 of 2 100% (34% to 100%) 22.4%' in " ".join(text.split())
    assert "quiet in 2 runs: Slow in nulls" in text
    assert "without a fault: 0 to" in text
    assert text.rstrip().endswith("PASSED after 2 of 9 runs (2 passed).")


def test_a_probability_that_is_open_says_how_many_runs_decide_it() -> None:
    text = together(drill(probability=0.95).detect().judge())
    assert "INCONCLUSIVE nulls/NullsHigh: asked for 95.0%; after 1 run that could tell it is at least 5.0%" in text
    assert "to decide it: 58 more runs if all detect, 2 if none does" in text


def test_misses_runs_that_could_not_tell_and_broken_runs_are_said() -> None:
    unsure = drill().detect().drop(records.Clock).judge()
    lost = (BrokenRun(number=3, seed=1, what="the load died"),)
    text = together(drill().judge(), unsure, broken=lost, interrupted=True)
    assert "nulls/NullsHigh: 1 inconclusive, 1 missed (1 clock_doubt, 1 never_pending)" in text
    assert "left out, as run run could not tell: nulls/NullsHigh: clock_doubt" in text
    assert "run 3 broke: the load died" in text
    assert "FAILED after 2 of 9 runs (1 failed, 1 inconclusive), interrupted." in text


def test_a_run_of_several_is_one_sentence_and_what_went_wrong() -> None:
    assert text_of(run_lines(2, 9, drill().detect().judge())).startswith("run 2 of 9: PASSED in")
    assert "MISSED NullsHigh" in text_of(run_lines(2, 9, drill().judge()))


def test_a_judgement_that_differs_says_who_judged_and_what_became_of_which_field() -> None:
    changes = tuple(Change(field=f"f[{n}]", before="detected", after=None) for n in range(22))
    one = Revision(run_id="r", judged_before_by="1", judged_again_by="2", changes=changes)
    text = text_of(revision_text(one, "2"))
    assert "judged differently in 22 fields: alertdrill 1 wrote result.json, 2 judges now" in text
    assert 'f[19]: "detected" → null' in text
    assert "… and 2 more" in text
    assert "f[20]" not in text
    same = one.model_copy(update={"judged_before_by": "2", "changes": changes[:1]})
    assert "1 field: alertdrill 2 gave another result.json, so a file was changed since" in text_of(
        revision_text(same, "2")
    )
    assert "is what this evidence gives" in text_of(revision_text(None, "2"))
