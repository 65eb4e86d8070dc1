"""What `--set NAME=VALUE` says: which setting of the monitoring, of which alert, takes which values."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from alertdrill.core.errors import BadInput, BadValue, Mistake, nearest
from alertdrill.core.units import format_duration, parse_duration

MOST_POINTS = 64
LONGEST_S = 100 * 365 * 86_400.0
"""The engine refuses longer ones."""

GEOMETRIC_FROM = 10.0
"""A range whose ends are positive and differ by this factor or more has values of equal ratios, else of equal steps."""

_RANGE = re.compile(r"(.+?)\.\.(.+)/(\d+)")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_FORM = "NAME=VALUE or ALERT.NAME=VALUE"


class Name(StrEnum):
    """What can be set."""

    FOR = "for"
    KEEP_FIRING_FOR = "keep_firing_for"
    THRESHOLD = "threshold"
    WINDOW = "window"
    SCRAPE_INTERVAL = "scrape_interval"
    EVALUATION_INTERVAL = "evaluation_interval"


_ZERO = (Name.FOR, Name.KEEP_FIRING_FOR, Name.THRESHOLD)


@dataclass(frozen=True)
class Setting:
    """One setting and the values that it takes one after the other.

    Attributes:
        name: what is set.
        alert: whose; None: that of all.
        values: seconds; of a threshold in the unit of what it is compared with. Each once.
    """

    name: Name
    alert: str | None
    values: tuple[float, ...]

    @property
    def key(self) -> str:
        """As it is written before the equals sign."""
        return self.name if self.alert is None else f"{self.alert}.{self.name}"

    def text(self, value: float) -> str:
        """A value as it is written."""
        return f"{value:.12g}" if self.name is Name.THRESHOLD else format_duration(value)

    @property
    def is_swept(self) -> bool:
        """Whether it takes more than one value."""
        return len(self.values) > 1


@dataclass(frozen=True)
class Choice:
    """A setting with one of its values."""

    setting: Setting
    value: float

    @property
    def text(self) -> str:
        """As it would be written for this value alone."""
        return f"{self.setting.key}={self.setting.text(self.value)}"

    def mistake(self, got: str, expected: str, fix: str, file: str | None = None, line: int | None = None) -> Mistake:
        """What is wrong with it."""
        return Mistake(f"--set {self.text}", got, expected, fix, file=file, line=line)


def parse_settings(texts: Sequence[str]) -> tuple[Setting, ...]:
    """The settings of a command.

    Raises:
        BadInput: all that is wrong with them: names, units, ranges, one that is given twice, too many combinations.
    """
    mistakes: list[Mistake] = []
    found: dict[str, Setting] = {}
    for text in texts:
        try:
            one = _setting(text)
        except BadInput as error:
            mistakes += error.mistakes
            continue
        if one.key in found:
            mistakes.append(_wrong(text, f"{one.key} twice", "each once", "write its values as a list: a,b"))
        found[one.key] = one
    count = math.prod(len(one.values) for one in found.values())
    if count > MOST_POINTS:
        fix = "give fewer values, or sweep one setting after the other"
        mistakes.append(Mistake("--set", f"{count:,} combinations", f"at most {MOST_POINTS}", fix))
    if mistakes:
        raise BadInput(mistakes)
    return tuple(found.values())


def points(settings: Iterable[Setting]) -> Iterator[tuple[Choice, ...]]:
    """Every combination of the values of some settings, the last changing first; one without choices where none are."""
    return product(*([Choice(one, value) for value in one.values] for one in settings))


def _wrong(text: str, got: str, expected: str, fix: str) -> Mistake:
    return Mistake(f"--set {text}", got, expected, fix)


def _setting(text: str) -> Setting:
    key, equals, written = text.partition("=")
    alert, dot, last = key.strip().rpartition(".")
    known = tuple(Name)
    if not equals or not written.strip():
        raise BadInput([_wrong(text, "no value", _FORM, f"such as {Name.FOR}=2m; names: {', '.join(known)}")])
    if last not in known:
        fix = f"write {nearest(last, known) or known[0]}"
        raise BadInput([_wrong(text, f"the name {last!r}", f"one of {', '.join(known)}", fix)])
    name = Name(last)
    if dot and not alert:
        raise BadInput([_wrong(text, "no alert before the dot", _FORM, f"write {name}={written}")])
    if alert and name is Name.SCRAPE_INTERVAL:
        expected = "no alert: targets are scraped once for all alerts that read them"
        raise BadInput([_wrong(text, f"the alert {alert}", expected, f"write {name}={written}")])
    return Setting(name, alert or None, _values(text, name, written.strip()))


def _values(text: str, name: Name, written: str) -> tuple[float, ...]:
    """The values of a list, of a range or of a single one."""
    read: Callable[[str], float] = _number if name is Name.THRESHOLD else _duration
    mistakes: list[Mistake] = []
    try:
        values = _spread(written, read, name) if ".." in written else tuple(map(read, written.split(",")))
    except BadValue as error:
        raise BadInput([_wrong(text, repr(written), error.expected, error.fix)]) from None
    if name not in _ZERO and min(values) <= 0:
        mistakes.append(_wrong(text, "0", f"a {name} above 0", "write such as 5s"))
    if len(set(values)) < len(values):
        mistakes.append(_wrong(text, "a value twice", "each value once", "leave one out, or ask for fewer"))
    if mistakes:
        raise BadInput(mistakes)
    return values


def _duration(text: str) -> float:
    seconds = parse_duration(text.strip())
    if seconds > LONGEST_S:
        raise BadValue("at most 100 years", "write a shorter duration")
    if round(seconds, 3) != seconds:
        raise BadValue("whole milliseconds", f"write {format_duration(round(seconds, 3))}")
    return seconds


def _number(text: str) -> float:
    text = text.strip()
    share, percent = text.removesuffix("%"), text.endswith("%")
    if not _NUMBER.fullmatch(share) or not math.isfinite(float(share)):
        raise BadValue("a number such as 0.05, 5% or 1e6", "write what the expression compares with, without a unit")
    return _exact(float(share) / 100 if percent else float(share))


def _spread(written: str, read: Callable[[str], float], name: Name) -> tuple[float, ...]:
    """The values of `FIRST..LAST/COUNT`, both ends among them."""
    found = _RANGE.fullmatch(written)
    expected = f"FIRST..LAST/COUNT with 2 to {MOST_POINTS} values"
    if found is None:
        raise BadValue(expected, f"write {written.split('/')[0]}/5 for five values")
    first, last, count = read(found[1]), read(found[2]), int(found[3])
    if not 2 <= count <= MOST_POINTS or first >= last:
        raise BadValue(f"{expected}, the first below the last", "such as 0.01..0.2/8")
    geometric = first > 0 and last / first >= GEOMETRIC_FROM
    inner = (
        first * (last / first) ** (i / (count - 1)) if geometric else first + (last - first) * i / (count - 1)
        for i in range(1, count - 1)
    )
    rounded = (_rounded(value, geometric) for value in inner)
    if name is Name.THRESHOLD:
        return (first, *rounded, last)
    return (first, *(round(value, 3) for value in rounded), last)


def _rounded(value: float, geometric: bool) -> float:
    """Equal ratios are as exact as three digits are; equal steps are freed of what binary fractions add."""
    return float(f"{value:.3g}") if geometric else _exact(value)


def _exact(value: float) -> float:
    return float(f"{value:.12g}")
