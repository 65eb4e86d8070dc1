"""`alertdrill plan`: the timeline, the requests each fault will touch, and what each expectation can hope for."""

from rich.console import Console
from rich.table import Table

from alertdrill.compose import Options, plan_drill
from alertdrill.core.plan import Plan, SegmentKind
from alertdrill.core.prospect import Prospect


def _s(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f} s"


def _row(one: Prospect) -> tuple[str, ...]:
    limits = one.bounds
    return (
        one.expectation.alert,
        f"{one.touched:,}/{one.requests:,}",
        "not loaded" if one.rule is None else f"{one.rule.rule.for_s:g} s",
        _s(limits.floor_s),
        _s(limits.expected_s),
        _s(limits.worst_s),
        f"{one.expectation.within:g} s",
    )


def _segments(plan: Plan) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("SEGMENT", "KIND", "LASTS", "FAULTS"):
        table.add_column(title)
    for segment in plan.segments:
        full = segment.kind is SegmentKind.PHASE
        faults = ", ".join(f"{one.fault.kind} {one.share:.0%}" for one in plan.segment_injections(segment.k))
        table.add_row(segment.name, segment.kind, f"{'' if full else 'at most '}{segment.duration_s:g} s", faults)
    return table


def _expectations(prospects: tuple[Prospect, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("ALERT", overflow="fold")
    for title in ("TOUCHED", "FOR", "FLOOR", "EXPECTED", "WORST", "WITHIN"):
        table.add_column(title, justify="right", no_wrap=True)
    for one in prospects:
        table.add_row(*_row(one))
    return table


def show_plan(console: Console, scenario: str, options: Options) -> int:
    """Print the plan; 2 if an expectation cannot be met.

    Raises:
        BadInput: the scenario cannot be used.
    """
    found = plan_drill(scenario, options, lambda text: console.print(text, style="dim"))
    console.print(f"{found.plan.scenario.name}: {found.plan.scenario.hypothesis}\n")
    console.print(_segments(found.plan))
    console.print(f"\ntail, how long a fault can still make an alert fire: {found.tail_s:g} s\n")
    console.print(_expectations(found.prospects))
    for mistake in found.mistakes:
        console.print(f"\n{mistake.render()}", style="red", soft_wrap=True)
    return 2 if found.mistakes else 0
