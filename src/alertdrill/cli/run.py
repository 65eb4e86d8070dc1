"""`alertdrill run`."""

from pathlib import Path

from rich.console import Console

from alertdrill.cli.ci_files import NO_FILES, CiFiles
from alertdrill.cli.drill_report import places
from alertdrill.cli.json_file import unwritable, writing
from alertdrill.cli.ledger import Ledger
from alertdrill.cli.several import ONE_AFTER_ANOTHER, Several
from alertdrill.compose import Options, Outcome, Watcher, choose, run_drill, run_repeats
from alertdrill.compose.chosen import Choice, Chosen
from alertdrill.compose.jobs import JobEnd, JobsWatcher, run_jobs
from alertdrill.compose.options import refuse
from alertdrill.core.errors import AlertdrillError, BadInput, Interrupted, Mistake
from alertdrill.core.run_result import INTERRUPTED
from alertdrill.report.checks import Place
from alertdrill.report.progress import DrillsProgress, TerminalProgress
from alertdrill.report.repeat_terminal import run_lines


def run_scenarios(
    console: Console,
    scenarios: list[str],
    options: Options,
    json: Path | None,
    quiet: bool,
    repeat: int = 1,
    ci: CiFiles = NO_FILES,
    several: Several = ONE_AFTER_ANOTHER,
) -> int:
    """Run scenarios; the exit code is the first that occurs of 130, 4, 2, 1, 3, 0.

    Raises:
        BadInput: a scenario or an option cannot be used; nothing has been started.
    """
    choice = _chosen(scenarios, options, json, ci, repeat, several)
    ledger = Ledger(console, choice, several.shard, json)
    at_once = several.at_once(choice.drills, options, repeat)
    if at_once > 1:
        _at_once(console, choice, options, quiet, several.fail_fast, at_once, ledger)
    else:
        _in_turn(console, choice, options, quiet, several.fail_fast, repeat, ledger)
    return ledger.close(ci)


def _in_turn(
    console: Console, choice: Choice, options: Options, quiet: bool, fail_fast: bool, repeat: int, ledger: Ledger
) -> None:
    """One drill, or series of drills, after the other."""
    for drill in choice.drills:
        try:
            if repeat > 1:
                _repeated(console, drill, options, quiet, repeat, ledger)
            else:
                with writing(options.results, "--results DIR"), TerminalProgress(console, quiet) as progress:
                    outcome = run_drill(drill.argument, options, progress)
                ledger.drill(drill, outcome.folder, outcome.result)
        except AlertdrillError as error:
            ledger.error(drill, error)
        if ledger.code_of(drill) == INTERRUPTED:
            return ledger.skip_others("interrupted before it began")
        if fail_fast and ledger.code_of(drill) != 0:
            return ledger.skip_others(_enough(drill))
    return None


def _at_once(
    console: Console, choice: Choice, options: Options, quiet: bool, fail_fast: bool, count: int, ledger: Ledger
) -> None:
    """So many drills at the same time, each a process of its own."""
    with DrillsProgress(console, [ledger.label(one) for one in choice.drills], quiet) as progress:
        progress.note(f"{len(choice.drills)} drills, {count} at the same time")
        failed: list[Chosen] = []

        def ended(drill: Chosen, end: JobEnd) -> None:
            progress.ended(ledger.label(drill))
            if end.result is not None and end.folder is not None:
                ledger.drill(drill, end.folder, end.result)
            elif end.error is not None:
                ledger.error(drill, end.error)
            else:
                ledger.stopped(drill, _enough(failed[0]))
            if not end.passed:
                failed.append(drill)

        watcher = JobsWatcher(lambda one: progress.of(ledger.label(one)), ended, progress.note)
        try:
            with writing(options.results, "--results DIR"):
                run_jobs(choice.drills, options, count, fail_fast, watcher)
        except Interrupted:
            return ledger.skip_others("interrupted before it began", interrupted=True)
    return ledger.skip_others(_enough(failed[0]) if failed else "")


def _enough(drill: Chosen) -> str:
    return f"--fail-fast: {drill.scenario.name} did not pass"


def _repeated(console: Console, drill: Chosen, options: Options, quiet: bool, repeat: int, ledger: Ledger) -> None:
    """Run one scenario several times."""
    found: dict[str, Place] = {}

    def ended(number: int, outcome: Outcome) -> None:
        found.update(places(Path(outcome.plan.scenario_path)))
        console.print(run_lines(number, repeat, outcome.result))
        console.print(f"evidence: {outcome.folder}\n", soft_wrap=True)

    def broke(number: int, error: AlertdrillError) -> None:
        console.print(f"run {number} of {repeat} broke: {error}\n", style="red", soft_wrap=True)

    watcher = Watcher(lambda _: TerminalProgress(console, quiet), ended, broke)
    with writing(options.results, "--results DIR"):
        repeated = run_repeats(drill.argument, options, repeat, watcher)
    ledger.series(drill, repeated.folder, repeated.result, found)


def _chosen(
    scenarios: list[str], options: Options, json: Path | None, ci: CiFiles, repeat: int, several: Several
) -> Choice:
    """Look at everything that was asked for before the first drill starts."""
    options_wrong: list[Mistake] = [*unwritable(json), *ci.mistakes()]
    files_wrong: tuple[Mistake, ...] = ()
    choice, shard = Choice((), 0, False), None
    try:
        shard = several.read_shard()
    except BadInput as error:
        options_wrong += error.mistakes
    try:
        choice = choose(scenarios, options, shard)
    except BadInput as error:
        files_wrong = error.mistakes
    if options.distributed is not None and (repeat > 1 or len(choice.drills) > 1):
        fix = "leave --distributed out, and share the load by --workers on this machine"
        expected = "one drill, as workers that were started elsewhere end with it"
        where, asked = (
            ("--repeat", f"{repeat} drills") if repeat > 1 else ("SCENARIO", f"{len(choice.drills)} scenarios")
        )
        options_wrong.append(Mistake(where, f"{asked} beside --distributed", expected, fix))
    if repeat < 1:
        fix = "leave --repeat out: one"
        options_wrong.append(Mistake("--repeat", str(repeat), "how many drills to run, from 1", fix))
    options_wrong += several.mistakes(choice.drills, options, repeat)
    refuse([*options_wrong, *files_wrong])
    return choice
