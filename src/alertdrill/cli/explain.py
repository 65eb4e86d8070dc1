"""`alertdrill explain`: why a verdict is what it is."""

from pathlib import Path

from rich.console import Console

from alertdrill.compose import is_repeat, judge_folder
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.explanation import Unknown, explain
from alertdrill.report.explanation_terminal import show


def explain_folder(console: Console, folder: Path, expectation: str | None) -> int:
    """Print the verdicts of a drill in words, or the one on an expectation.

    Raises:
        BadInput: the folder is not that of a drill, or there is no such expectation.
    """
    if is_repeat(folder):
        fix = "give the folder of one of its runs, beside it; repeat.json names them"
        raise BadInput([Mistake("", "the folder of several drills", "the folder of one drill", fix, file=str(folder))])
    result = judge_folder(folder).result
    try:
        show(console, explain(result, expectation))
    except Unknown as error:
        known = ", ".join(error.known) or "none: the drill expected nothing"
        fix = f"write {error.near}" if error.near else "leave it out, to have all of them explained"
        raise BadInput([Mistake("EXPECTATION", str(expectation), f"one of: {known}", fix)]) from None
    return 0
