"""What alert rules would have done in the past of a Prometheus, in the terminal: 80 columns, an alert a paragraph."""

import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from rich.console import Console
from rich.text import Text

from alertdrill.core.history.result import FalseAlarms, Firing, HistoryResult, RuleHistory
from alertdrill.core.matchers import in_braces
from alertdrill.core.replay.comparison import Outcome
from alertdrill.core.result import Code, Verdict
from alertdrill.report.replay_terminal import VERDICTS, WORDS, change_lines

WIDTH = 80
MOST_FIRINGS = 5
STYLES = {Verdict.DETECTED: "green", Verdict.INCONCLUSIVE: "yellow"}
_PARTS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def show_history(console: Console, found: HistoryResult, zone: tzinfo | None = None) -> None:
    """Print it: what was looked at, each alert, what differs from other rules, and what was read.

    Args:
        console: where to.
        found: the result.
        zone: in which instants are shown; UTC stands beside the onset. None: that of this machine.
    """
    for line in _head(found, zone):
        _print(console, line)
    for one in found.alerts:
        _print(console, alert_text(one, found, zone), STYLES.get(one.verdict, ""), len(one.id))
        for line in _details(one, zone):
            _print(console, line, "dim", 0, "  ")
    if found.against is not None:
        console.print(Text(f"beside {', '.join(found.against)}", style="bold"), soft_wrap=True)
        for change in sorted(found.changes, key=lambda each: list(Outcome).index(each.outcome)):
            for text in change_lines(change):
                console.print(text, soft_wrap=True)
    for note in found.notes:
        _print(console, f"note: {note}", "dim")
    _print(console, _read(found), "dim")
    verdict = Text(found.verdict.upper(), style=VERDICTS[found.verdict])
    console.print(verdict.append(f": {summary_of_history(found)}", style="default"), soft_wrap=True)


def alert_text(one: RuleHistory, found: HistoryResult, zone: tzinfo | None = None) -> str:
    """One alert in a sentence: when it fired after the stated onset, and its false alarms."""
    return f"{one.id}  {_did(one, found, zone)}{_alarms(one.false_alarms, found)}"


def summary_of_history(found: HistoryResult) -> str:
    """All alerts together, or all changes."""
    if found.against is not None:
        counts = [f"{found.counts[one]} {WORDS[one]}" for one in Outcome if found.counts.get(one)]
    else:
        verdicts = [one.verdict for one in found.alerts]
        words = {Verdict.DETECTED: "fired", Verdict.MISSED: "did not", Verdict.INCONCLUSIVE: "undecided"}
        counts = [f"{verdicts.count(one)} {word}" for one, word in words.items() if one in verdicts]
    return ", ".join(counts) or "no alert rules"


def _print(console: Console, line: str, style: str = "", styled: int = 0, indent: str = "") -> None:
    wrapped = textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False)
    for number, part in enumerate(wrapped):
        text = Text(part, style=style if not styled else "")
        if styled and not number:
            text.stylize(f"bold {style}".strip(), 0, styled)
        console.print(text, soft_wrap=True)


def _head(found: HistoryResult, zone: tzinfo | None) -> Iterator[str]:
    begin, end = _local(found.from_, zone), _local(found.to, zone)
    last = _clock(end) if end.date() == begin.date() else _day(end)
    yield f"{found.prometheus} from {_day(begin)} to {last} {found.zone}"
    utc = datetime.fromtimestamp(found.onset, UTC)
    yield f"onset {_day(_local(found.onset, zone))} {found.zone} ({_day(utc)} UTC), as stated"


def _did(one: RuleHistory, found: HistoryResult, zone: tzinfo | None) -> str:
    doubt = f" (±{_long(one.error_s)})" if one.error_s else ""
    if one.verdict is Verdict.DETECTED and one.firing_at is not None and one.ttd_s is not None:
        at = _local(one.firing_at, zone)
        shown = _clock(at) if at.date() == _local(found.onset, zone).date() else _day(at)
        return f"fired {shown}, {_long(one.ttd_s)} after the stated onset{doubt}"
    assert one.reason is not None, "of what was not detected"
    if one.verdict is Verdict.MISSED:
        return f"did not fire: {one.reason.text}"
    word = "cannot tell" if one.reason.code is not Code.ALREADY_FIRING else "did not detect it"
    return f"{word}: {one.reason.code}: {one.reason.text}"


def _alarms(alarms: FalseAlarms | None, found: HistoryResult) -> str:
    if alarms is None:
        return ""
    asked = _long(found.past.asked_s)
    if alarms.at_most_per_30_d is None:
        return f"; false alarms: cannot tell of any of the {asked}"
    seen = _long(alarms.judged_s)
    of = seen if seen == asked else f"{seen} judged of {asked}"
    count = f"{alarms.count} false alarm{'' if alarms.count == 1 else 's'}"
    return f"; {count} in {of} (at most {alarms.at_most_per_30_d:.1f} in 30 d, 95%)"


def _details(one: RuleHistory, zone: tzinfo | None) -> Iterator[str]:
    for word, firings in (("before the onset", one.before_onset), ("fired", one.after_onset)):
        shown = firings if word != "fired" or len(firings) > 1 else ()
        for each in shown[:MOST_FIRINGS]:
            yield f"{word}: {_firing(each, zone)}"
        if len(shown) > MOST_FIRINGS:
            yield f"{word}: {len(shown) - MOST_FIRINGS} more"
    if one.reason is not None and one.verdict is Verdict.INCONCLUSIVE:
        yield f"decide it by: {one.reason.decide_it_by}"
    for note in one.notes:
        yield f"note: {note}"


def _firing(one: Firing, zone: tzinfo | None) -> str:
    labels = {name: value for name, value in one.labels.items() if name != "alertname"}
    end = "on" if one.resolved_at is None else f"to {_clock(_local(one.resolved_at, zone))}"
    return f"{_day(_local(one.firing_at, zone))} {end} {in_braces(labels)}".rstrip()


def _read(found: HistoryResult) -> str:
    reading, past = found.reading, found.past
    markers = "" if reading.markers == "remote_read" else ", staleness markers inferred from up"
    text = (
        f"read {reading.samples:,} samples: {reading.asked} questions, {reading.kept} of {reading.chunks} chunks kept "
        f"from before{markers}"
    )
    if past.asked_s and past.held_from is not None:
        text += f"; this Prometheus holds samples from {_day(datetime.fromtimestamp(past.held_from, UTC))} UTC on"
    if past.outages_s:
        text += f"; it scraped nothing for {_long(past.outages_s)}"
    doubt_s = max((one.false_alarms.error_s for one in found.alerts if one.false_alarms is not None), default=0.0)
    if doubt_s:
        text += f"; false alarms are uncertain by one interval ({_long(doubt_s)})"
    return text


def _local(unix_s: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(round(unix_s * 1000) / 1000, UTC).astimezone(zone)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d} {_clock(at)}"


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M:%S") + (f".{at.microsecond // 1000:03d}" if at.microsecond else "")


def _long(seconds: float) -> str:
    """A duration in its two largest units, rounded; below a minute to the millisecond."""
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s"
    parts: list[tuple[int, str]] = []
    left = round(seconds)
    for unit, size in _PARTS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count)
