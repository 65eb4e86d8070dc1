"""What a plan promises, for a terminal: timeline, faults, expectations with their odds, blast radius."""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from alertdrill.core.blast_radius import BlastRadius
from alertdrill.core.outlook import ExpectationOutlook, InjectionOutlook, Outlook
from alertdrill.core.units import format_duration, format_rate, format_share
from alertdrill.report.plan_timeline import timeline

WIDEST = 100
SHOWN_FEATURES = 4

LEGEND = "█ fault at full strength  ═ alert fires, floor to worst  │ within  ╪ both"


def show(console: Console, outlook: Outlook) -> None:
    """Print an outlook."""
    console.print(render(outlook, min(console.width, WIDEST)))


def render(outlook: Outlook, width: int) -> RenderableType:
    """Everything about an outlook but its mistakes."""
    hypothesis = f": {outlook.hypothesis}" if outlook.hypothesis else ""
    parts: list[RenderableType] = [Text.assemble((outlook.scenario, "bold"), hypothesis), Text()]
    parts += [Text("\n".join(timeline(outlook, width)), no_wrap=True), Text(_legend(outlook), style="dim"), Text()]
    if outlook.injections:
        parts += [_faults(outlook), Text()]
    if outlook.expectations:
        parts += [_expectations(outlook.expectations), Text()]
    parts.append(_blast_radius(outlook.blast_radius))
    parts += [Text(f"note: {note}", style="yellow") for note in outlook.notes]
    return Group(*parts)


def _legend(outlook: Outlook) -> str:
    rates = {(one.rate_per_s, one.rates_per_s) for one in outlook.stretches}
    load = f"load {format_rate(outlook.stretches[0].rate_per_s)}; " if len(rates) == 1 else ""
    gates = f"┄ gates and settling: {outlook.tail_s:g} s or longer, until alerts are inactive"
    return f"{load}{gates}\n{LEGEND}"


def _table(*columns: str) -> Table:
    """A table whose first column folds and whose others stand to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(columns[0], overflow="fold")
    for title in columns[1:]:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _faults(outlook: Outlook) -> Table:
    known = outlook.background_per_s is not None
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("FAULT", overflow="fold")
    table.add_column("TOUCHES", overflow="fold")
    table.add_column("SHARE", justify="right")
    table.add_column("REQUESTS", justify="right", no_wrap=True)
    if known:
        table.add_column("OF ALL", justify="right", no_wrap=True)
    for one in outlook.injections:
        share = format_share(one.share) + (f", {one.profile}" if one.profile else "")
        seen = ["–" if one.share_seen is None else f"{one.share_seen:.1%}"] if known else []
        table.add_row(one.id, _touches(one), share, f"{one.touched:,}/{one.requests:,}", *seen)
    return table


def _touches(one: InjectionOutlook) -> str:
    place = f" at {one.place}" if one.place else ""
    features = ", ".join(one.features[:SHOWN_FEATURES])
    more = f" and {len(one.features) - SHOWN_FEATURES} more" if len(one.features) > SHOWN_FEATURES else ""
    return f"{one.unit}{place}" + (f": {features}{more}" if features else "")


def _expectations(expectations: Sequence[ExpectationOutlook]) -> Table:
    table = _table("EXPECTED ALERT, times in s", "FOR", "FLOOR", "EXPECTED", "WORST", "WITHIN", "ODDS", "95%")
    for one in expectations:
        table.add_row(
            one.id,
            "not loaded" if one.for_s is None else f"{one.for_s:g}",
            _s(one.floor_s),
            _s(one.expected_s),
            _s(one.worst_s),
            f"{'auto ' if one.within_is_auto else ''}{one.within_s:g}",
            _odds(one.odds_within),
            "–" if one.point_95_s is None else f"{one.point_95_s:g}",
        )
    return table


def _s(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds:.2f}" if seconds < 100 else f"{seconds:.0f}"


def _odds(share: float | None) -> str:
    if share is None:
        return "–"
    if 0 < share < 0.001 or 0.999 < share < 1:
        return "<0.1%" if share < 0.5 else ">99.9%"
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def _blast_radius(radius: BlastRadius) -> RenderableType:
    touched = ", ".join(f"{count:,} by {unit} faults" for unit, count in radius.touched.items() if count)
    lines = (
        ("loads, breaks", f"{radius.host}: {radius.why_allowed}"),
        (
            "sends",
            f"at most {radius.requests:,} requests, {radius.busiest_rate_per_s:.0f} in the busiest second; "
            f"limits.max_rate is {format_rate(radius.limit_rate_per_s)}"
            + (f"; before, {radius.warmup:,} to warm up, one by one" if radius.warmup else ""),
        ),
        ("touches", touched or "nothing"),
        ("starts", f"{', '.join(radius.starts)}; all end with the drill"),
        ("lasts", f"at most {format_duration(round(radius.longest_s))} and the start of the processes"),
        ("lease", f"{radius.lease_s:g} s after the controller falls silent, load and faults end by themselves"),
        ("never changes", "; ".join(radius.never)),
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in lines:
        table.add_row(f"  {name}", text)
    return Group(Text("BLAST RADIUS", style="bold"), table)
