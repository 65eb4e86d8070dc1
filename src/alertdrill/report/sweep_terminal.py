"""A sweep in the terminal: a line for each combination of values and what it costs; bars where one alert is asked."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alertdrill.core.replay.outcome import Outcome
from alertdrill.core.replay.sweep import Point, Sweep, SweptExpectation
from alertdrill.report.replay_terminal import STYLES, VERDICTS, WORDS

BAR_CHARACTERS = 16
WIDE = 240
"""Characters, where no terminal says how wide a line may be."""

WRITTEN = "as written"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_TOLD = (Outcome.LOST, Outcome.SLOWER, Outcome.GAINED, Outcome.UNDECIDED)


def show_sweep(console: Console, sweep: Sweep) -> None:
    """Print a sweep: a table for each recording."""
    for position in range(len(sweep.points[0].recordings)):
        console.print()
        console.print(Text(sweep.points[0].recordings[position].folder, style="bold"), soft_wrap=True)
        _print_whole(console, _table(sweep, position))
        left_out = len(_ids(sweep, position)) - len(shown(sweep, position))
        if left_out:
            console.print(Text(f"  {left_out} more expectations: the same under all of these", style="dim"))


def _print_whole(console: Console, table: Table) -> None:
    """Print a table; where there is no terminal, without folding it to the width of one."""
    width = console.width
    console.width = width if console.is_terminal else WIDE
    console.print(table)
    console.width = width


def shown(sweep: Sweep, position: int) -> tuple[str, ...]:
    """The expectations of a recording that the values make a difference to, or that are of a swept alert."""
    swept = {one.alert for one in sweep.settings}
    rows = [{one.id: one for one in each.recordings[position].expectations} for each in sweep.points]
    return tuple(
        name
        for name in _ids(sweep, position)
        if rows[0][name].alert in swept or len({(row[name].verdict, row[name].ttd_s) for row in rows}) > 1
    )


def _ids(sweep: Sweep, position: int) -> list[str]:
    return [one.id for one in sweep.points[0].recordings[position].expectations]


def _table(sweep: Sweep, position: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for one in sweep.settings:
        table.add_column(one.key, justify="right", no_wrap=True)
    names = shown(sweep, position)
    for name in names:
        table.add_column(name, overflow="fold")
    table.add_column("false alarms", justify="right")
    table.add_column("")
    longest = _longest_s(sweep, position, names) if len(names) == 1 else None
    for point in sweep.points:
        table.add_row(*_row(point, position, names, longest), style="bold" if point.as_written else "")
    return table


def _row(point: Point, position: int, names: Sequence[str], longest_s: float | None) -> Iterator[Text]:
    for value in point.values:
        yield Text(value.text)
    of = {one.id: one for one in point.recordings[position].expectations}
    for name in names:
        yield _cell(of[name], longest_s)
    yield Text(str(len(point.recordings[position].false_alarms)))
    counts = [f"{sum(one.outcome is each for one in of.values())} {WORDS[each]}" for each in _TOLD]
    told = ", ".join(text for text in counts if not text.startswith("0 "))
    words = [WRITTEN] * point.as_written + [told] * bool(told)
    yield Text(" · ".join(words), style="" if point.as_written else VERDICTS[point.verdict] if told else "")


def _cell(one: SweptExpectation, longest_s: float | None) -> Text:
    if one.ttd_s is None or one.verdict == "inconclusive":
        return Text(
            one.verdict + (f" ({one.code})" if one.verdict == "inconclusive" else ""), style=STYLES[one.outcome]
        )
    text = Text(f"{one.ttd_s:.3f} s")
    if longest_s is not None:
        text.append(" " + _bar(one.ttd_s, longest_s), style="cyan")
    return text if one.verdict == "detected" else text.append(f" {one.verdict}", style=STYLES[one.outcome])


def _bar(length_s: float, longest_s: float) -> str:
    eighths = round(length_s / longest_s * BAR_CHARACTERS * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _longest_s(sweep: Sweep, position: int, names: Sequence[str]) -> float:
    found = (
        one.ttd_s
        for point in sweep.points
        for one in point.recordings[position].expectations
        if one.id in names and one.ttd_s is not None
    )
    return max(found, default=0.0) or 1.0
