"""`alertdrill run` and `alertdrill check`."""

from pathlib import Path

from rich.console import Console

from alertdrill.cli.ci_files import NO_FILES, CiFiles
from alertdrill.cli.json_file import unwritable, writing
from alertdrill.compose import (
    Options,
    Outcome,
    Repeated,
    Watcher,
    check_folder,
    check_repeat,
    is_repeat,
    run_drill,
    run_repeats,
)
from alertdrill.compose.options import read_to_run, refuse
from alertdrill.compose.places import expectation_places
from alertdrill.core.errors import AlertdrillError, BadInput, Mistake
from alertdrill.core.result import EXIT_CODES
from alertdrill.report import repeat_terminal
from alertdrill.report.checks import Place, Suite, of_drill, of_error, of_repeat
from alertdrill.report.progress import TerminalProgress
from alertdrill.report.repeat_terminal import run_lines
from alertdrill.report.revision_terminal import revision_text
from alertdrill.report.terminal import show

INTERRUPTED = 130
SEVERITY = (INTERRUPTED, 4, 2, 1, 3, 0)


def _report(console: Console, outcome: Outcome, json: Path | None) -> int:
    show(console, outcome.result)
    console.print(f"evidence: {outcome.folder}", soft_wrap=True)
    if json is not None:
        with writing(json):
            json.write_bytes(outcome.result.to_json())
    return EXIT_CODES[outcome.result.verdict]


def run_scenarios(
    console: Console,
    scenarios: list[str],
    options: Options,
    json: Path | None,
    quiet: bool,
    repeat: int = 1,
    ci: CiFiles = NO_FILES,
) -> int:
    """Run scenarios one after the other; the exit code is the first that occurs of 130, 4, 2, 1, 3, 0.

    Raises:
        BadInput: a scenario or an option cannot be used; nothing has been started.
    """
    _refuse_unusable(scenarios, options, json, ci, repeat)
    codes, suites = {0}, []
    for scenario in scenarios:
        try:
            if repeat > 1:
                code, suite = _repeated(console, scenario, options, json, quiet, repeat)
            else:
                with writing(options.results, "--results DIR"), TerminalProgress(console, quiet) as progress:
                    outcome = run_drill(scenario, options, progress)
                code, suite = _report(console, outcome, json), of_drill(outcome.result, _places(outcome))
        except AlertdrillError as error:
            console.print(str(error), style="red", soft_wrap=True)
            code, suite = error.exit_code, of_error(scenario, str(error))
        codes.add(code)
        suites.append(suite)
        if INTERRUPTED in codes:
            break
    ci.write(suites)
    return next(code for code in SEVERITY if code in codes)


def _places(outcome: Outcome) -> dict[str, Place]:
    """Where the expectations of a drill are written."""
    return {name: Place(*place) for name, place in expectation_places(Path(outcome.plan.scenario_path)).items()}


def _repeated(
    console: Console, scenario: str, options: Options, json: Path | None, quiet: bool, repeat: int
) -> tuple[int, Suite]:
    """Run one scenario several times; 130 if that was interrupted, else the code of the verdict on all."""
    places: dict[str, Place] = {}

    def ended(number: int, outcome: Outcome) -> None:
        places.update(_places(outcome))
        console.print(run_lines(number, repeat, outcome.result))
        console.print(f"evidence: {outcome.folder}\n", soft_wrap=True)

    def broke(number: int, error: AlertdrillError) -> None:
        console.print(f"run {number} of {repeat} broke: {error}\n", style="red", soft_wrap=True)

    watcher = Watcher(lambda _: TerminalProgress(console, quiet), ended, broke)
    with writing(options.results, "--results DIR"):
        repeated = run_repeats(scenario, options, repeat, watcher)
    code = _report_repeat(console, repeated, json)
    return INTERRUPTED if repeated.result.interrupted else code, of_repeat(repeated.result, places)


def _report_repeat(console: Console, repeated: Repeated, json: Path | None) -> int:
    repeat_terminal.show(console, repeated.result)
    console.print(f"evidence: {repeated.folder}", soft_wrap=True)
    if json is not None:
        with writing(json):
            json.write_bytes(repeated.result.to_json())
    return EXIT_CODES[repeated.result.verdict]


def _refuse_unusable(scenarios: list[str], options: Options, json: Path | None, ci: CiFiles, repeat: int) -> None:
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
    if repeat > 1 and options.distributed is not None:
        fix = "leave --distributed out, and share the load by --workers on this machine"
        expected = "one drill, as workers that were started elsewhere end with it"
        mistakes.append(Mistake("--repeat", f"{repeat} drills beside --distributed", expected, fix))
    if repeat < 1:
        mistakes.append(Mistake("--repeat", str(repeat), "how many drills to run, from 1", "leave --repeat out: one"))
    refuse([*dict.fromkeys(mistakes), *unwritable(json), *ci.mistakes()])


def check_again(console: Console, folder: Path, json: Path | None, ci: CiFiles = NO_FILES) -> int:
    """Judge a results folder again, or those of all drills of a series."""
    refuse([*unwritable(json), *ci.mistakes()])
    if is_repeat(folder):
        repeated, outcomes = check_repeat(folder)
        places: dict[str, Place] = {}
        for outcome in outcomes:
            places.update(_places(outcome))
            if outcome.revision is not None:
                console.print(f"{outcome.folder}:", soft_wrap=True)
                console.print(revision_text(outcome.revision, outcome.result.judged_by))
        ci.write([of_repeat(repeated.result, places)])
        return _report_repeat(console, repeated, json)
    outcome = check_folder(folder)
    code = _report(console, outcome, json)
    console.print(revision_text(outcome.revision, outcome.result.judged_by))
    ci.write([of_drill(outcome.result, _places(outcome))])
    return code
