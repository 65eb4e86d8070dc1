"""A verdict in words, for a terminal: what each line is about stands at its left."""

from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from alertdrill.core.explanation import Explanation
from alertdrill.report.terminal import styled


def render(explanation: Explanation) -> RenderableType:
    """One explanation."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for about, lines in groupby(explanation.lines, key=lambda line: line.about):
        for position, line in enumerate(lines):
            table.add_row("" if position else f"  {about}", Text(line.text))
    return Group(Text.assemble(styled(explanation.verdict, upper=True), f" {explanation.name}"), table)


def show(console: Console, explanations: tuple[Explanation, ...]) -> None:
    """Print explanations, a blank line between two."""
    for position, one in enumerate(explanations):
        if position:
            console.print()
        console.print(render(one), soft_wrap=False)
