"""`alertdrill check`."""

from pathlib import Path

from rich.console import Console

from alertdrill.cli.ci_files import NO_FILES, CiFiles
from alertdrill.cli.drill_report import places, report_drill, report_repeat
from alertdrill.cli.json_file import unwritable
from alertdrill.compose import check_folder, check_repeat, is_repeat
from alertdrill.compose.options import refuse
from alertdrill.report.checks import Place, of_drill, of_repeat
from alertdrill.report.revision_terminal import revision_text


def check_again(console: Console, folder: Path, json: Path | None, ci: CiFiles = NO_FILES) -> int:
    """Judge a results folder again, or those of all drills of a series."""
    refuse([*unwritable(json), *ci.mistakes()])
    if is_repeat(folder):
        repeated, outcomes = check_repeat(folder)
        found: dict[str, Place] = {}
        for outcome in outcomes:
            found.update(places(Path(outcome.plan.scenario_path)))
            if outcome.revision is not None:
                console.print(f"{outcome.folder}:", soft_wrap=True)
                console.print(revision_text(outcome.revision, outcome.result.judged_by))
        ci.write([of_repeat(repeated.result, found)])
        return report_repeat(console, repeated.folder, repeated.result, json)
    outcome = check_folder(folder)
    code = report_drill(console, outcome.folder, outcome.result, json)
    console.print(revision_text(outcome.revision, outcome.result.judged_by))
    ci.write([of_drill(outcome.result, places(Path(outcome.plan.scenario_path)))])
    return code
