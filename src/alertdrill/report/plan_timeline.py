"""The timeline of a plan as text: stretches, faults and when their alerts can fire, over one axis."""

import math
from collections.abc import Sequence
from statistics import fmean

from alertdrill.core.outlook import ExpectationOutlook, InjectionOutlook, Outlook, Stretch
from alertdrill.core.plan import SegmentKind
from alertdrill.core.units import format_duration, format_rate, format_share

LONGEST_LABEL = 24
BARS = "▁▂▃▄▅▆▇█"
NOTHING, GATE, PHASE = "·", "┄", "━"
CAN_FIRE, WAITING, DEADLINE, DEADLINE_MEANWHILE, UNKNOWN = "═", "─", "│", "╪", "?"
TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
TICK_COLUMNS = 10

Row = tuple[str, str]


def timeline(outlook: Outlook, width: int) -> tuple[str, ...]:
    """The lines of the picture, none longer than `width`.

    An axis, the load where it varies, and a row for each stretch, fault and expected alert. Gates and settling are
    drawn as short as they can be.
    """
    label = min(max(len(name) for name, _ in _Chart(outlook, 1).rows()), LONGEST_LABEL)
    rows = _Chart(outlook, max(width - label - 1, 1)).rows()
    return tuple(f"{_cut(name, label):<{label}} {cells}".rstrip() for name, cells in rows)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


class _Chart:
    """Draws the rows of one outlook in so many columns."""

    def __init__(self, outlook: Outlook, columns: int) -> None:
        self._outlook = outlook
        self._columns = columns
        self._total_s = max(one.begins_s + one.least_s for one in outlook.stretches)
        self._step_s = self._total_s / columns

    def rows(self) -> list[Row]:
        """Label and cells of every row."""
        found = [("", self._axis())]
        if len({(one.rate_per_s, one.rates_per_s) for one in self._outlook.stretches}) > 1:
            found.append(self._load())
        for name in dict.fromkeys(one.name for one in self._outlook.stretches):
            stretches = [one for one in self._outlook.stretches if one.name == name]
            found.append((name.replace("_", " "), self._stretches(stretches)))
            phase = next((one for one in stretches if one.kind is SegmentKind.PHASE), None)
            if phase is not None:
                found += [self._fault(one, phase) for one in self._outlook.injections if one.phase == name]
                found += [self._alert(one, phase) for one in self._outlook.expectations if one.phase == name]
        return found

    def _column(self, at_s: float) -> int:
        return min(max(int(at_s / self._step_s + 1e-9), 0), self._columns - 1)

    def _axis(self) -> str:
        least_s = TICK_COLUMNS * self._step_s
        tick_s = next((one for one in TICKS_S if one >= least_s), math.ceil(least_s))
        cells = [" "] * self._columns
        for at_s in range(0, math.ceil(self._total_s), tick_s):
            text = "0s" if at_s == 0 else format_duration(at_s)
            if self._column(at_s) + len(text) <= self._columns:
                cells[self._column(at_s) : self._column(at_s) + len(text)] = text
        return "".join(cells)

    def _span(self, one: Stretch) -> range:
        """The columns of a stretch: those whose middle lies in it, at least one."""
        first, end = (
            math.ceil(at_s / self._step_s - 0.5 - 1e-9) for at_s in (one.begins_s, one.begins_s + one.least_s)
        )
        first = min(first, self._columns - 1)
        return range(first, max(end, first + 1))

    def _stretches(self, stretches: Sequence[Stretch]) -> str:
        cells = [" "] * self._columns
        for one in stretches:
            for column in self._span(one):
                cells[column] = PHASE if one.kind is SegmentKind.PHASE else GATE
        return "".join(cells)

    def _load(self) -> Row:
        """Mean requests a second of each column, as a bar of the highest."""
        rates = [0.0] * self._columns
        for one in self._outlook.stretches:
            for column in self._span(one):
                rates[column] = fmean(self._parts(one.rates_per_s or (one.rate_per_s,), one, column))
        peak = max(rates)
        bars = "".join(_bar(rate / peak if peak else 0.0) for rate in rates)
        return f"load, up to {format_rate(float(round(peak)))}", bars

    def _parts(self, values: Sequence[float], stretch: Stretch, column: int) -> Sequence[float]:
        """The equal parts of a stretch that a column covers, at least one."""
        part_s, from_s = stretch.least_s / len(values), column * self._step_s - stretch.begins_s
        first = min(max(math.floor(from_s / part_s + 1e-9), 0), len(values) - 1)
        return values[first : max(math.ceil((from_s + self._step_s) / part_s - 1e-9), first + 1)]

    def _fault(self, one: InjectionOutlook, phase: Stretch) -> Row:
        cells = [" "] * self._columns
        for column in self._span(phase):
            cells[column] = _bar(max(self._parts(one.strength, phase, column)) if one.touched else 0.0)
        return f"  {one.id.rpartition('/')[2]} {format_share(one.share)}", "".join(cells)

    def _alert(self, one: ExpectationOutlook, phase: Stretch) -> Row:
        cells = [" "] * self._columns
        start_s, earliest = phase.begins_s + (one.begins_s or 0.0), self._span(phase).start
        first, last, deadline = (
            max(self._column(start_s + after_s), earliest)
            for after_s in (one.floor_s or 0.0, one.worst_s or one.floor_s or 0.0, one.within_s)
        )
        cells[first : deadline + 1] = WAITING * (deadline + 1 - first)
        cells[first : last + 1] = (UNKNOWN if one.floor_s is None else CAN_FIRE) * (last + 1 - first)
        cells[deadline] = DEADLINE_MEANWHILE if first <= deadline <= last and one.floor_s is not None else DEADLINE
        return f"  {one.alert}", "".join(cells)


def _bar(share: float) -> str:
    return NOTHING if share <= 0 else BARS[min(math.ceil(share * len(BARS) - 1e-9), len(BARS)) - 1]
