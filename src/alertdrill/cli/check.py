"""`alertdrill check`."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from alertdrill.cli.ci_files import NO_FILES, CiFiles
from alertdrill.cli.drill_report import report_drill, report_repeat
from alertdrill.cli.json_file import unwritable
from alertdrill.compose import Outcome, check_folder, check_repeat, is_repeat
from alertdrill.core.errors import BadInput
from alertdrill.core.repeat import RepeatResult
from alertdrill.report.revision_terminal import revision_text


def check_again(console: Console, folder: Path, json: Path | None, ci: CiFiles = NO_FILES) -> int:
    """Judge a results folder again, or those of all drills of a series.

    Raises:
        BadInput: the folder is not that of a drill, or a file cannot be written.
    """
    mistakes = [*unwritable(json), *ci.mistakes()]
    if mistakes:
        raise BadInput(mistakes)
    if is_repeat(folder):
        repeated, outcomes = check_repeat(folder)
        for outcome in outcomes:
            if outcome.revision is not None:
                console.print(f"{outcome.folder}:", soft_wrap=True)
                console.print(revision_text(outcome.revision, outcome.result.judged_by))
        _write(ci, outcomes, repeated.result)
        return report_repeat(console, repeated.folder, repeated.result, json)
    outcome = check_folder(folder)
    code = report_drill(console, outcome.folder, outcome.result, json)
    console.print(revision_text(outcome.revision, outcome.result.judged_by))
    _write(ci, [outcome])
    return code


def _write(ci: CiFiles, outcomes: Sequence[Outcome], together: RepeatResult | None = None) -> None:
    """What continuous integration reads, if it was asked for."""
    if not ci.wanted:
        return
    from alertdrill.cli.drill_report import places
    from alertdrill.report.checks import of_drill, of_repeat

    found = {name: at for one in outcomes for name, at in places(Path(one.plan.scenario_path)).items()}
    ci.write([of_drill(outcomes[0].result, found) if together is None else of_repeat(together, found)])
