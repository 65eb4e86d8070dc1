"""When an incident was: `--range`, `--onset` and `--history` as people write them, in their zone."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol

from alertdrill.core.errors import BadInput, Mistake

_DATED = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?")
_CLOCK = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?")
_LENGTH = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*([wdhms])")
_UNIT_S = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_DAYS_BACK = 3
LONGEST_S = 366 * 86_400
EARLIEST_S = 946_684_800
LONGEST_RANGE_S = 7 * 86_400
INSTANTS = "HH:MM[:SS], YYYY-MM-DDTHH:MM[:SS], or RFC 3339 with its zone such as 2026-11-20T03:10:00Z"


class Zone(Protocol):
    """Where clocks show one time."""

    name: str

    def unix(self, local: datetime) -> float:
        """Unix seconds of a time of its clocks; of two that show the same, the one that `fold` names."""
        ...

    def local(self, unix_s: float) -> datetime:
        """What its clocks show at an instant, with their distance from UTC."""
        ...


@dataclass(frozen=True)
class Incident:
    """What is looked at, in Unix seconds.

    Attributes:
        from_s, to_s: the range.
        onset_s: when the fault is said to have begun, inside the range.
        history_s: how long before the onset false alarms are counted, seconds; 0: not at all.
    """

    from_s: float
    to_s: float
    onset_s: float
    history_s: float


class _Bad(Exception):
    """One instant cannot be used."""

    def __init__(self, expected: str, fix: str) -> None:
        super().__init__(expected)
        self.expected, self.fix = expected, fix


def incident(span: str, onset: str, history: str, zone: Zone, now_s: float) -> Incident:
    """The incident that three options describe.

    A time without a date is the latest such time: of a range's end the latest that is past (after a dated begin: the
    first after that), of its begin the latest before the end, of the onset the latest up to the end.

    Args:
        span: `A..B`.
        onset: when the fault is said to have begun.
        history: how long before it false alarms are counted, such as `30d`; `0` for none.
        zone: of times that state none.
        now_s: Unix seconds.

    Raises:
        BadInput: one of them cannot be used; all mistakes at once.
    """
    mistakes: list[Mistake] = []
    ends = _range(span, zone, now_s, mistakes)
    begun = None
    if ends is not None:
        begun = _taken("--onset", onset, mistakes, lambda: _instant(onset, zone, ends[1]))
        if begun is not None and not ends[0] <= begun <= ends[1]:
            shown = f"{stamp(zone, ends[0])} to {stamp(zone, ends[1])}"
            fix = "write an onset inside the range, or widen --range"
            mistakes.append(Mistake("--onset", stamp(zone, begun), f"an instant from {shown}", fix))
    length = _taken("--history", history, mistakes, lambda: _length(history))
    if mistakes or ends is None or begun is None or length is None:
        raise BadInput(mistakes)
    return Incident(*ends, begun, length)


def stamp(zone: Zone, unix_s: float) -> str:
    """An instant as RFC 3339 has it, in a zone."""
    return zone.local(unix_s).isoformat(timespec="seconds")


def _range(span: str, zone: Zone, now_s: float, mistakes: list[Mistake]) -> tuple[float, float] | None:
    begin, dots, end = (part.strip() for part in span.partition(".."))
    if not dots or not begin or not end:
        mistakes.append(Mistake("--range", span or "nothing", "BEGIN..END", "write --range 03:00..05:30"))
        return None
    if begin == end:
        mistakes.append(Mistake("--range", f"{span}, which is empty", "an end after its begin", "widen the range"))
        return None
    after = (
        None if _CLOCK.fullmatch(begin) else _taken("--range", begin, mistakes, lambda: _instant(begin, zone, now_s))
    )
    if after is None and mistakes:
        return None
    if after is not None and after > now_s:
        mistakes.append(_ahead(after, zone, now_s))
        return None
    to_s = _taken("--range", end, mistakes, lambda: _end(end, zone, now_s, after))
    if to_s is None:
        return None
    from_s = after if after is not None else _taken("--range", begin, mistakes, lambda: _instant(begin, zone, to_s))
    if from_s is None:
        return None
    if from_s >= to_s:
        got = f"{stamp(zone, from_s)} to {stamp(zone, to_s)}, which is reversed"
        mistakes.append(Mistake("--range", got, "an end after its begin", "exchange the two"))
    elif to_s > now_s:
        mistakes.append(_ahead(to_s, zone, now_s))
    elif to_s - from_s > LONGEST_RANGE_S:
        mistakes.append(Mistake("--range", f"{span}, more than a week", "a week at most", "narrow the range"))
    else:
        return from_s, to_s
    return None


def _ahead(at_s: float, zone: Zone, now_s: float) -> Mistake:
    got, expected = f"{stamp(zone, at_s)}, which lies ahead", f"a range up to now, {stamp(zone, now_s)}"
    return Mistake("--range", got, expected, "end the range in the past")


def _end(text: str, zone: Zone, now_s: float, after: float | None) -> float:
    """The end of a range; one without a date is the first after a dated begin."""
    if after is None or not _CLOCK.fullmatch(text):
        return _instant(text, zone, now_s)
    begun = zone.local(after).replace(tzinfo=None)
    day = begun.date() if _clock(text) > begun.time() else begun.date() + timedelta(days=1)
    return _exact(datetime.combine(day, _clock(text)), zone)


def _instant(text: str, zone: Zone, until_s: float) -> float:
    """Unix seconds of one instant; of one without a date the latest up to `until_s`."""
    if _CLOCK.fullmatch(text.strip()):
        clock, today = _clock(text.strip()), zone.local(until_s).date()
        days = (datetime.combine(today - timedelta(days=back), clock) for back in range(_DAYS_BACK))
        latest = next(day for day in days if min(_both(day, zone)) <= until_s)
        return _exact(latest, zone)
    if not _DATED.fullmatch(text.strip()):
        raise _Bad(INSTANTS, "write it so")
    try:
        found = datetime.fromisoformat(text.strip().upper())
    except ValueError as error:
        raise _Bad(f"a time that exists ({error})", "correct it") from None
    return _exact(found, zone) if found.tzinfo is None else _in_ms(found.timestamp())


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise _Bad(f"a time of day ({error})", "correct it") from None


def _both(local: datetime, zone: Zone) -> tuple[float, float]:
    return zone.unix(local.replace(fold=0)), zone.unix(local.replace(fold=1))


def _exact(local: datetime, zone: Zone) -> float:
    """The one instant at which clocks show a time."""
    try:
        first, second = _both(local, zone)
    except (OverflowError, ValueError, OSError) as error:
        raise _Bad(f"a time that exists ({error})", "correct it") from None
    if first == second:
        return _in_ms(first)
    candidates = " or ".join(stamp(zone, one) for one in sorted((first, second)))
    twice = zone.local(first).replace(tzinfo=None) == local
    how = "occurs twice" if twice else "does not exist"
    raise _Bad(f"a time that occurs once ({local.isoformat(sep=' ')} {how} in {zone.name})", f"write {candidates}")


def _in_ms(unix_s: float) -> float:
    if unix_s < EARLIEST_S:
        raise _Bad("a time since 2000", "correct it")
    return round(unix_s * 1000) / 1000


def _length(text: str) -> float:
    if text.strip() == "0":
        return 0.0
    found = _LENGTH.fullmatch(text.strip())
    seconds = float(found[1]) * _UNIT_S[found[2]] if found else -1.0
    if not 0 <= seconds <= LONGEST_S:
        raise _Bad("a time up to a year with its unit (w, d, h, m, s), or 0 for none", "write --history 30d")
    return seconds


def _taken(option: str, text: str, mistakes: list[Mistake], read: "_Read") -> float | None:
    """What is read; where that fails, None and a mistake more."""
    try:
        return read()
    except _Bad as bad:
        mistakes.append(Mistake(option, text or "nothing", bad.expected, bad.fix))
        return None


class _Read(Protocol):
    def __call__(self) -> float: ...
