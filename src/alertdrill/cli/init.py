"""`alertdrill init`: what was found and written, and what to run next."""

import shlex

from rich.console import Console

from alertdrill.compose.init import join_model
from alertdrill.compose.wish import Wish
from alertdrill.core.joining.starter import DRILL, OWN_RULES


def init(console: Console, wish: Wish) -> int:
    """Write the files of a first drill and print the commands that come next; 2 if the drill cannot be run as it is.

    Raises:
        BadInput: something is not known, or contradicts something else; nothing was written.
        Unreachable: nobody answers; nothing was written.
    """
    written = join_model(wish)
    console.print(f"found: {written.found}", soft_wrap=True)
    for note in written.notes:
        console.print(f"note: {note}", soft_wrap=True)
    console.print(f"wrote: {' '.join(str(file) for file in written.files)}", soft_wrap=True)
    for mistake in written.mistakes:
        console.print(f"\n{mistake.render()}", style="red", soft_wrap=True)
    if written.mistakes:
        return 2
    console.print("lint: ok\n\nNext:")
    for drill in (shlex.quote(str(file)) for file in written.files if file.name in (DRILL, OWN_RULES)):
        console.print(f"  alertdrill plan {drill}\n  alertdrill run {drill}", soft_wrap=True)
    return 0
