"""`alertdrill replay --prometheus URL`: what alert rules would have done in the past of a Prometheus."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from alertdrill.cli.ci_files import NO_FILES, CiFiles
from alertdrill.cli.json_file import unwritable, writing
from alertdrill.cli.replay import EXIT_CODES, NOTHING, unknown
from alertdrill.compose.history import HistoryOptions, replay_history
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.report.checks import of_history
from alertdrill.report.history_terminal import show_history


def history(
    console: Console,
    options: HistoryOptions,
    rules: Sequence[Path],
    against: Sequence[Path] | None,
    fail_on: str,
    json: Path | None,
    quiet: bool,
    ci: CiFiles = NO_FILES,
) -> int:
    """Replay rules over the past of a Prometheus, and say when they would have fired.

    Raises:
        BadInput: an option or a rule file cannot be used, or the Prometheus does not hold that past.
    """
    mistakes = [*unwritable(json), *ci.mistakes(), *unknown(fail_on), *_no_rules(rules)]
    if mistakes:
        raise BadInput(mistakes)
    names = [] if fail_on == NOTHING else fail_on.split(",")
    note = (lambda text: None) if quiet else (lambda text: console.print(text, style="dim", soft_wrap=True))
    found = replay_history(options, rules, against, names, note)
    show_history(console, found, ZoneInfo(options.zone) if options.zone else None)
    if json is not None:
        with writing(json):
            json.write_bytes(found.to_json())
    ci.write([of_history(found)])
    return EXIT_CODES[found.verdict]


def _no_rules(rules: Sequence[Path]) -> list[Mistake]:
    """Why nothing can be evaluated."""
    return [] if rules else [Mistake("--rules", "none", "the rules to be evaluated", "give --rules FILE")]
