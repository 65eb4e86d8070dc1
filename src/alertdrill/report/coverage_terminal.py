"""Coverage for a terminal: what is covered, what is not and why, and faults that no alert saw."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from alertdrill.core.coverage_result import CoverageResult, RuleCoverage, Status, named

_STYLES = {
    Status.COVERED: "green",
    Status.NOT_DETECTED: "bold red",
    Status.DEAD: "bold red",
    Status.ACCIDENTAL: "red",
    Status.CHANGED: "yellow",
    Status.INCONCLUSIVE: "yellow",
}


def show(console: Console, found: CoverageResult, least: float | None) -> None:
    """Print it."""
    for one in _parts(found, least):
        console.print(one)


def _parts(found: CoverageResult, least: float | None) -> Iterator[RenderableType]:
    titles = _titles(found.rules)
    yield _rules(found, titles)
    yield from _why(found, titles)
    yield from _unseen(found)
    yield Text()
    for label in dict.fromkeys(one.label for one in found.gaps):
        those = [f"{one.value or 'none'} {one.covered}/{one.total}" for one in found.gaps if one.label == label]
        yield Text(f"by {label}: {', '.join(those)}")
    for note in found.notes:
        yield Text(f"note: {note}", style="yellow")
    yield from _against(found)
    yield _summary(found, least)


def _titles(rules: Sequence[RuleCoverage]) -> Sequence[str]:
    """The name of each rule, with its labels where another has the same name."""
    names = Counter(one.alert for one in rules)
    return [one.alert if names[one.alert] == 1 else named(one) for one in rules]


def _rules(found: CoverageResult, titles: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("ALERT", overflow="fold")
    table.add_column("STATUS", no_wrap=True)
    table.add_column("FAULTS SEEN", justify="right", no_wrap=True)
    table.add_column("FALSE ALARMS", justify="right", no_wrap=True)
    for one, title in zip(found.rules, titles, strict=True):
        status = "ignored" if one.ignored is not None else one.status.value
        seen = sum(what in ("detected", "fired") for what in one.faults.values())
        style = "dim" if one.ignored is not None else _STYLES.get(one.status, "")
        table.add_row(title, Text(status, style=style), str(seen), str(one.false_alarms))
    return table


def _why(found: CoverageResult, titles: Sequence[str]) -> Iterator[Text]:
    """Rules that are not covered; those of which the same is to be said in one line."""
    same: dict[tuple[Status, str], list[str]] = defaultdict(list)
    for one, title in zip(found.rules, titles, strict=True):
        if one.ignored is None and one.status is not Status.COVERED:
            place = f" ({one.file}:{one.line})" if one.line else ""
            same[one.status, one.why].append(title + place)
    if same:
        yield Text()
    for (status, why), rules in same.items():
        yield Text.assemble((f"{status.value.upper()} ", _STYLES.get(status, "bold")), f"{', '.join(rules)}: {why}")


def _unseen(found: CoverageResult) -> Iterator[Text]:
    expected = {one.id: ", ".join(one.expected) for one in found.faults}
    for name in found.unseen:
        nor = f", {expected[name]} neither" if expected[name] else ""
        yield Text.assemble(("UNSEEN ", "bold red"), f"{name}: no alert fired{nor}")


def _against(found: CoverageResult) -> Iterator[Text]:
    if found.against is None:
        return
    for title, names, style in (
        ("LOST", found.against.lost, "bold red"),
        ("UNCOVERED", found.against.uncovered, "bold red"),
        ("GAINED", found.against.gained, "green"),
        ("GONE", found.against.gone, ""),
    ):
        for name in names:
            yield Text.assemble((f"{title} ", style), name)


def _summary(found: CoverageResult, least: float | None) -> Text:
    share = "no rules" if found.share is None else f"{found.share:.0%}"
    text = Text.assemble(
        ("coverage ", "bold"), (share, "bold"), f": {found.covered} of {found.total} rules detected a fault"
    )
    text.append(f" in {len(found.drills)} drills" if len(found.drills) != 1 else " in 1 drill")
    if least is not None and (found.share or 0.0) < least:
        text.append(f"; below --fail-under {least:.0%}", style="bold red")
    return text
