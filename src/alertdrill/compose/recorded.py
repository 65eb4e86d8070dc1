"""Recordings of drills that can be replayed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from alertdrill.adapters.results_folder import EXPECTED, FIX, ResultsFolder
from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.collected import collected
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.plan import Plan
from alertdrill.core.recording import Recording
from alertdrill.core.replay.evidence import without_notification
from alertdrill.core.replay.grid import groups_of
from alertdrill.core.result import Result
from alertdrill.run.checker import judge


@dataclass(frozen=True)
class Recorded:
    """One recording, as far as detection and resolution go; `live` is how the drill is judged by them.

    `rescraped`: whether it has been thinned to what fewer scrapes would have left.
    """

    folder: Path
    plan: Plan
    journal: tuple[records.Record, ...]
    recording: Recording
    live: Result
    rescraped: bool = False

    @property
    def case(self) -> Case:
        """Its facts."""
        return Case(self.plan, self.journal, self.recording)


def read_all_recorded(folders: Sequence[Path]) -> list[Recorded]:
    """Recordings, in order.

    Raises:
        BadInput: with what is wrong with each of them.
    """
    mistakes: list[Mistake] = []
    found = [collected(mistakes, partial(read_recorded, folder)) for folder in folders]
    if mistakes:
        raise BadInput(mistakes)
    return [one for one in found if one is not None]


def read_recorded(folder: Path) -> Recorded:
    """A recording.

    Raises:
        BadInput: the folder is not that of a drill, or its parts do not belong together.
    """
    files = ResultsFolder(folder)
    plan, journal, recording = files.read()
    if changed := files.changed(recording):
        got = f"{' and '.join(changed)} of another drill, or changed since this one"
        raise BadInput([Mistake("", got, EXPECTED, FIX, file=str(folder))])
    try:
        plan, journal = without_notification(plan, journal)
        found = Recorded(folder, plan, journal, recording, judge(plan, journal, recording))
        if found.case.engine is None or not groups_of(found.case):
            raise ValueError("the journal does not say which engine had which rules")
        _check_engine(found)
        return found
    except (ValueError, LookupError, StopIteration, ArithmeticError) as error:
        got = f"parts that do not belong together ({type(error).__name__}: {str(error).splitlines()[0]})"
        raise BadInput([Mistake("", got, EXPECTED, FIX, file=str(folder))]) from error


def _check_engine(one: Recorded) -> None:
    """Raise BadInput where not one Prometheus alone evaluated rules: a replay would not be what it did."""
    if one.case.all(records.Replicas):
        fix = "replay drills of one Prometheus"
        raise BadInput([Mistake("", "a drill of several replicas", "one Prometheus", fix, file=str(one.folder))])
    others = sorted({group.engine for group in groups_of(one.case)} - {"prometheus"})
    if others:
        fix = "replay drills whose rules a Prometheus evaluates"
        got = f"a drill whose rules {' and '.join(others)} evaluated"
        raise BadInput([Mistake("", got, "rules that Prometheus evaluated", fix, file=str(one.folder))])
