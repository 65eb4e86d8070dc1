"""`alertdrill run` and `alertdrill check`."""

from pathlib import Path

from rich.console import Console

from alertdrill.cli.json_file import unwritable, writing
from alertdrill.compose import Options, Outcome, check_folder, run_drill
from alertdrill.compose.options import read_to_run, refuse
from alertdrill.core.errors import AlertdrillError, BadInput, Mistake
from alertdrill.core.result import EXIT_CODES
from alertdrill.report.progress import TerminalProgress
from alertdrill.report.terminal import show

SEVERITY = (130, 4, 2, 1, 3, 0)


def _report(console: Console, outcome: Outcome, json: Path | None) -> int:
    show(console, outcome.result)
    console.print(f"evidence: {outcome.folder}", soft_wrap=True)
    if json is not None:
        with writing(json):
            json.write_bytes(outcome.result.to_json())
    return EXIT_CODES[outcome.result.verdict]


def run_scenarios(console: Console, scenarios: list[str], options: Options, json: Path | None, quiet: bool) -> int:
    """Run scenarios one after the other; the exit code is the first that occurs of 130, 4, 2, 1, 3, 0.

    Raises:
        BadInput: a scenario or an option cannot be used; nothing has been started.
    """
    _refuse_unusable(scenarios, options, json)
    codes = {0}
    for scenario in scenarios:
        try:
            with writing(options.results, "--results DIR"), TerminalProgress(console, quiet) as progress:
                outcome = run_drill(scenario, options, progress)
        except AlertdrillError as error:
            console.print(str(error), style="red", soft_wrap=True)
            codes.add(error.exit_code)
            if error.exit_code == 130:
                break
            continue
        codes.add(_report(console, outcome, json))
    return next(code for code in SEVERITY if code in codes)


def _refuse_unusable(scenarios: list[str], options: Options, json: Path | None) -> None:
    """Look at everything that was asked for before the first drill starts."""
    mistakes: list[Mistake] = []
    for scenario in scenarios:
        try:
            read_to_run(scenario, options)
        except BadInput as error:
            mistakes += error.mistakes
    if json is not None and len(scenarios) > 1:
        got = f"one file for {len(scenarios)} scenarios"
        mistakes.append(Mistake("--json", got, "one scenario", "leave --json out: every folder has its result.json"))
    refuse([*dict.fromkeys(mistakes), *unwritable(json)])


def check_again(console: Console, folder: Path, json: Path | None) -> int:
    """Judge a results folder again."""
    return _report(console, check_folder(folder), json)
