"""Drills that were kept, judged from their files alone: nothing is started, and no load is imported."""

from dataclasses import dataclass, replace
from pathlib import Path

from alertdrill.adapters.results_folder import EXPECTED, FIX, RepeatFolder, ResultsFolder
from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.plan import Plan
from alertdrill.core.recording import Recording
from alertdrill.core.repeat import Header, RepeatResult, summarise
from alertdrill.core.replicas import seen_by_decisive
from alertdrill.core.result import Result
from alertdrill.core.revision import Revision
from alertdrill.run.checker import judge


@dataclass(frozen=True)
class Outcome:
    """A drill that was judged.

    Attributes:
        folder: where its evidence is.
        result: the judgement.
        plan: what was to happen.
        revision: how result.json, which was there before, differs; None where it does not.
    """

    folder: Path
    result: Result
    plan: Plan
    revision: Revision | None = None


@dataclass(frozen=True)
class Repeated:
    """A series of drills that was judged."""

    folder: Path
    result: RepeatResult


def check_folder(path: Path) -> Outcome:
    """Judge a drill again from plan, journal and recording alone; write result.json, or how it differs.

    Raises:
        BadInput: the folder is not that of a drill.
    """
    outcome = judge_folder(path)
    return replace(outcome, revision=ResultsFolder(path).keep(outcome.result))


def judge_folder(path: Path) -> Outcome:
    """The same, and nothing is written.

    Raises:
        BadInput: the folder is not that of a drill.
    """
    return _judged(path)[0]


def facts_of(path: Path) -> tuple[Case, Result]:
    """The facts of a drill that was kept (of replicas: those of the decisive one), and the verdicts drawn from them.

    Raises:
        BadInput: the folder is not that of a drill.
    """
    outcome, journal, samples = _judged(path)
    seen = seen_by_decisive(journal, samples, outcome.result.expectations)
    return Case(outcome.plan, seen.journal, seen.recording), outcome.result


def judged(folder: ResultsFolder) -> tuple[Outcome, tuple[records.Record, ...], Recording]:
    """A drill judged from its files, with its journal and its recording.

    Raises:
        BadInput: a file is missing or not what it should be.
    """
    plan, journal, samples = folder.read()
    return Outcome(folder.path, judge(plan, journal, samples), plan), journal, samples


def _judged(path: Path) -> tuple[Outcome, tuple[records.Record, ...], Recording]:
    """The same of a folder that somebody gave us: its parts may be of several drills."""
    try:
        return judged(ResultsFolder(path))
    except (ValueError, LookupError, StopIteration, ArithmeticError) as error:
        got = f"parts that do not belong together ({type(error).__name__}: {str(error).splitlines()[0]})"
        raise BadInput([Mistake("", got, EXPECTED, FIX, file=str(path))]) from error


def is_repeat(path: Path) -> bool:
    """Whether a folder is that of a series of drills."""
    return RepeatFolder(path).summary.is_file()


def check_repeat(path: Path) -> tuple[Repeated, tuple[Outcome, ...]]:
    """Judge every drill of a series again from its own folder, and write repeat.json; also each by itself.

    Raises:
        BadInput: a folder is not that of a series or of a drill.
    """
    folder = RepeatFolder(path)
    before = folder.read()
    outcomes = tuple(check_folder(folder.run(run.run_id)) for run in before.runs)
    fails = all(outcome.plan.scenario.false_alarms == "fail" for outcome in outcomes)
    header = Header(
        repeat_id=before.repeat_id,
        scenario=before.scenario,
        asked=before.asked,
        interrupted=before.interrupted,
        broken=before.broken,
        false_alarms_fail=fails,
    )
    result = summarise(header, [(outcome.plan.seed, outcome.result) for outcome in outcomes])
    folder.write(result)
    return Repeated(path, result), outcomes
