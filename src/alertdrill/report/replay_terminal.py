"""A replay in the terminal: what is lost, slower, gained or falsely alarmed, and by which change."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from alertdrill.core.replay.comparison import Change, Outcome, RecordingReplay, ReplayResult

STYLES = {
    Outcome.LOST: "bold red",
    Outcome.SLOWER: "yellow",
    Outcome.NEW_FALSE_ALARM: "bold red",
    Outcome.UNDECIDED: "yellow",
    Outcome.GAINED: "green",
    Outcome.FALSE_ALARM_GONE: "green",
    Outcome.KEPT: "dim",
}
WORDS = {
    Outcome.LOST: "lost",
    Outcome.SLOWER: "slower",
    Outcome.NEW_FALSE_ALARM: "new false alarm",
    Outcome.UNDECIDED: "undecided",
    Outcome.GAINED: "gained",
    Outcome.FALSE_ALARM_GONE: "false alarm gone",
    Outcome.KEPT: "kept",
}
VERDICTS = {"passed": "green", "failed": "bold red", "inconclusive": "yellow"}


def show(console: Console, result: ReplayResult) -> None:
    """Print a replay: each recording with its changes, the worst first, then all together."""
    for one in result.recordings:
        console.print(Text(f"{one.result.scenario} {one.result.run_id}", style="bold"), soft_wrap=True)
        for line in _lines(one):
            console.print(line, soft_wrap=True)
    counts = (
        ", ".join(f"{result.counts[one]} {WORDS[one]}" for one in Outcome if result.counts[one]) or "nothing expected"
    )
    verdict = Text(result.verdict.upper(), style=VERDICTS[result.verdict])
    console.print(verdict.append(f": {counts}", style="default"), soft_wrap=True)


def _lines(one: RecordingReplay) -> Iterator[Text]:
    order = list(Outcome)
    for change in sorted(one.changes, key=lambda change: order.index(change.outcome)):
        yield from change_lines(change)
    for note in one.notes:
        yield Text(f"  note: {note}", style="dim")


def change_lines(change: Change) -> Iterator[Text]:
    """One change in words: before and after, what was changed in the rules, and why the verdict is what it is."""
    yield _line(change)
    for cause in change.causes if change.outcome is not Outcome.KEPT or _quicker(change) else ():
        yield Text(f"    {cause}")
    if change.reason is not None and change.outcome is not Outcome.KEPT:
        yield Text(f"    {change.reason.code}: {change.reason.text}")
        yield Text(f"    decide it by: {change.reason.decide_it_by}", style="dim")


def _line(change: Change) -> Text:
    text = Text("  ").append(WORDS[change.outcome], style=STYLES[change.outcome]).append(f" {change.id}")
    was, now = _seen(change.before, change.ttd_before_s), _seen(change.after, change.ttd_after_s)
    return text.append(f": {was} → {now}" if was != now else f": {now}")


def _seen(verdict: str | None, ttd_s: float | None) -> str:
    if verdict is None:
        return "quiet"
    return verdict if ttd_s is None else f"{verdict} after {ttd_s:.3f} s"


def _quicker(change: Change) -> bool:
    return change.ttd_before_s != change.ttd_after_s
