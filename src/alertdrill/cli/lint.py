"""`alertdrill lint`: every mistake of scenarios and of the files that they name, before anything is started."""

from collections.abc import Sequence

from rich.console import Console

from alertdrill.compose.linting import lint_drill
from alertdrill.compose.named import named
from alertdrill.compose.options import Options
from alertdrill.core.errors import BadInput, Mistake


def lint(console: Console, scenarios: Sequence[str], options: Options) -> int:
    """Print `ok` for each scenario in which nothing is wrong; 0 if that is all of them.

    Raises:
        BadInput: with the mistakes of all of them.
    """
    names = named(scenarios)
    mistakes: list[Mistake] = [*names.mistakes]
    if names.passed_by:
        console.print(f"passed by, as they are no scenarios: {', '.join(map(str, names.passed_by))}", soft_wrap=True)
    for scenario in names.scenarios:
        found = lint_drill(scenario, options)
        mistakes += found.mistakes
        for unseen in found.unseen if not found.mistakes else ():
            console.print(f"{found.path}: not looked at: {unseen}", style="dim", soft_wrap=True)
        if not found.mistakes:
            console.print(f"{found.path}: ok", soft_wrap=True)
    if mistakes:
        raise BadInput(tuple(dict.fromkeys(mistakes)))
    return 0
