"""`alertdrill replay`: what a change of rules would have cost in recorded drills."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from alertdrill.cli.ci_files import NO_FILES, CiFiles
from alertdrill.cli.json_file import unwritable, writing
from alertdrill.compose.replay import replay_recordings
from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.core.replay.comparison import FAILURES
from alertdrill.report.checks import of_replay
from alertdrill.report.replay_terminal import show

EXIT_CODES = {"passed": 0, "failed": 1, "inconclusive": 3}
NOTHING = "nothing"


def replay(
    console: Console,
    recordings: Sequence[Path],
    rules: Sequence[Path],
    against: Sequence[Path] | None,
    fail_on: str,
    json: Path | None,
    quiet: bool,
    ci: CiFiles = NO_FILES,
) -> int:
    """Replay recordings under changed rules, and say what they would have cost.

    Raises:
        BadInput: a recording, a rule file or an option cannot be used.
    """
    mistakes = [*unwritable(json), *ci.mistakes(), *_unknown(fail_on)]
    if mistakes:
        raise BadInput(mistakes)
    names = [] if fail_on == NOTHING else fail_on.split(",")
    note = (lambda text: None) if quiet else (lambda text: console.print(text, style="dim", soft_wrap=True))
    found = replay_recordings(recordings, rules, against, names, note)
    show(console, found)
    if json is not None:
        with writing(json):
            json.write_bytes(found.to_json())
    ci.write(of_replay(found))
    return EXIT_CODES[found.verdict]


def _unknown(fail_on: str) -> list[Mistake]:
    """Names after --fail-on that mean nothing."""
    known = ",".join(FAILURES)
    if fail_on == NOTHING:
        return []
    unknown = [name for name in fail_on.split(",") if name not in FAILURES]
    expected = f"of {known}, those that must not be, with commas between them, or {NOTHING}"
    return [
        Mistake("--fail-on", name or "nothing between commas", expected, f"write {nearest(name, FAILURES) or known}")
        for name in unknown
    ]
