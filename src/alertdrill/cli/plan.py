"""`alertdrill plan`: the timeline, the requests each fault will touch, and what each expectation can hope for."""

from rich.console import Console
from rich.table import Table

from alertdrill.compose import Options, plan_drill
from alertdrill.core.plan import SegmentKind
from alertdrill.core.prospect import Prospect


def _s(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f} s"


def _row(one: Prospect) -> tuple[str, ...]:
    for_text = "not loaded" if one.rule is None else f"{one.rule.rule.for_s:g} s"
    limits = one.bounds
    return (
        one.phase.name, one.expectation.alert, f"{one.touched:,}/{one.requests:,}", for_text,
        _s(limits.floor_s), _s(limits.expected_s), _s(limits.worst_s), f"{one.expectation.within:g} s",
    )  # fmt: skip


def show_plan(console: Console, scenario: str, options: Options) -> int:
    """Print the plan; 2 if an expectation cannot be met.

    Raises:
        BadInput: the scenario cannot be used.
    """
    found = plan_drill(scenario, options, lambda text: console.print(text, style="dim"))
    console.print(f"{found.plan.scenario.name}: {found.plan.scenario.hypothesis}\n", soft_wrap=True)
    segments = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("SEGMENT", "KIND", "AT MOST"):
        segments.add_column(title)
    for segment in found.plan.segments:
        segments.add_row(
            segment.name,
            segment.kind,
            f"{segment.duration_s:g} s"
            if segment.kind is SegmentKind.PHASE
            else f"{segment.duration_s:g} s, as long as needed",
        )
    console.print(segments)
    console.print(f"\ntail (how long a fault can still make an alert fire): {found.tail_s:g} s\n")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("PHASE", "ALERT", "TOUCHED", "FOR", "FLOOR", "EXPECTED", "WORST", "WITHIN"):
        table.add_column(title, justify="left" if title in ("PHASE", "ALERT") else "right", overflow="fold")
    for one in found.prospects:
        table.add_row(*_row(one))
    console.print(table)
    for mistake in found.mistakes:
        console.print(f"\n{mistake.render()}", style="red", soft_wrap=True)
    return 2 if found.mistakes else 0
