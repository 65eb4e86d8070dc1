"""A sweep as a picture: time to detect and false alarms over the values of a setting, one SVG without dependencies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from alertdrill.core.replay.sweep import Point, Sweep
from alertdrill.report.plot_axes import Across, Up
from alertdrill.report.sweep_terminal import WRITTEN, shown

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b15928")
"""Okabe and Ito, 2008, without their yellow and black, which vanish on white or dark; dashes for further lines."""

GREY = COLOURS.index("#7f7f7f")

DASHES = ("", "6 3", "2 3", "8 3 2 3")
LEFT, RIGHT, WIDTH, GAP = 70, 30, 900, 46
DELAYS, ALARMS = "time to detect, s", "false alarms"
HIGH = {DELAYS: 240, ALARMS: 70}
_STYLE = """
svg { color: #1a1a1a; background: #fff; font: 13px system-ui, sans-serif }
@media (prefers-color-scheme: dark) { svg { color: #ddd; background: #151515 } }
text { fill: currentColor } .dim { opacity: .65 } .axis, .mark { stroke: currentColor } .axis { opacity: .5 }
.grid { stroke: currentColor; opacity: .12 } .mark { stroke-dasharray: 3 4; opacity: .6 } .title { font-weight: 600 }
"""
_PAGE_STYLE = """
:root { color-scheme: light dark } body { font: 14px system-ui, sans-serif; margin: 2em auto; max-width: 920px }
svg { width: 100%; height: auto } table { border-collapse: collapse; margin: 1em 0 3em } caption { text-align: left }
div { overflow-x: auto }
th, td { text-align: right; white-space: nowrap; padding: .25em .8em; border-bottom: 1px solid #8884 }
.written { font-weight: 600 }
"""


@dataclass(frozen=True)
class _Mark:
    """One value: `y` is None where nothing was detected; `text` says it in words."""

    x: float
    y: float | None
    text: str
    detected: bool = True


@dataclass(frozen=True)
class _Line:
    name: str
    marks: tuple[_Mark, ...]


def drawing(sweep: Sweep) -> str:
    """An SVG file: for each recording the times to detect, and below them how many false alarms there were."""
    across = Across.of(_values(sweep), LEFT, WIDTH - RIGHT)
    dashed = "" if _written_at(sweep) is None else f" (dashed: {WRITTEN})"
    parts, top = [], 10
    for position, recording in enumerate(sweep.points[0].recordings):
        parts.append(_text(LEFT, top + 14, recording.folder, "title", "start"))
        parts.append(_text(WIDTH - RIGHT, top + 14, f"→ {_main(sweep)[1]}{dashed}"))
        top += 50
        lines = {DELAYS: _delays(sweep, position), ALARMS: _alarms(sweep, position)}
        for name, found in lines.items():
            parts += _panel(name, found, across, top, _written_at(sweep))
            top += HIGH[name] + GAP
        parts += _legend(lines[DELAYS], top - 6)
        top += 20 * len(lines[DELAYS]) + 20
    size = f'viewBox="0 0 {WIDTH} {top + 14}" width="{WIDTH}" height="{top + 14}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><style>{_STYLE}</style>'
    return "\n".join([head, *parts, "</svg>\n"])


def page(sweep: Sweep) -> str:
    """A page of its own: the same picture, and the numbers as tables."""
    tables = "".join(_table(sweep, position) for position in range(len(sweep.points[0].recordings)))
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>alertdrill: {escape(_main(sweep)[1])}</title>'
    return f"{head}<style>{_PAGE_STYLE}</style>{drawing(sweep)}{tables}</html>\n"


def _main(sweep: Sweep) -> tuple[int, str]:
    """The setting that runs from left to right: that with the most values. Its position and key."""
    counts = [len({point.values[i].text for point in sweep.points}) for i in range(len(sweep.settings))]
    position = counts.index(max(counts))
    return position, sweep.settings[position].key


def _values(sweep: Sweep) -> Mapping[float, str]:
    position = _main(sweep)[0]
    found = (point.values[position] for point in sweep.points)
    return {one.value: one.text for one in found if one.value is not None}


def _written_at(sweep: Sweep) -> float | None:
    written = next((one for one in sweep.points if one.as_written), None)
    return None if written is None else written.values[_main(sweep)[0]].value


def _others(sweep: Sweep, point: Point) -> str:
    """The values of the other settings."""
    main = _main(sweep)[0]
    named = zip(sweep.settings, point.values, strict=True)
    return ", ".join(f"{one.key}={value.text}" for i, (one, value) in enumerate(named) if i != main)


def _placed(sweep: Sweep) -> Iterator[tuple[float, Point]]:
    """The points whose value is a number, from left to right."""
    main = _main(sweep)[0]
    found = ((point.values[main].value, point) for point in sweep.points)
    yield from sorted(((x, point) for x, point in found if x is not None), key=lambda one: one[0])


def _delays(sweep: Sweep, position: int) -> list[_Line]:
    names = shown(sweep, position)
    lines: dict[str, list[_Mark]] = {}
    for name in names:
        for x, point in _placed(sweep):
            one = next(each for each in point.recordings[position].expectations if each.id == name)
            others = _others(sweep, point)
            seconds = None if one.verdict == "inconclusive" else one.ttd_s
            said = f"{_said(point)}: {one.verdict}" + ("" if seconds is None else f" after {seconds:.3f} s")
            mark = _Mark(x, seconds, said, one.verdict == "detected")
            lines.setdefault(name + (f" ({others})" if others else ""), []).append(mark)
    return [_Line(name, tuple(marks)) for name, marks in lines.items()]


def _alarms(sweep: Sweep, position: int) -> list[_Line]:
    lines: dict[str, list[_Mark]] = {}
    for x, point in _placed(sweep):
        count = len(point.recordings[position].false_alarms)
        lines.setdefault(_others(sweep, point), []).append(_Mark(x, count, f"{_said(point)}: {count} false alarms"))
    return [_Line(name, tuple(marks)) for name, marks in lines.items()]


def _said(point: Point) -> str:
    return ", ".join(one.text for one in point.values) + (f" ({WRITTEN})" if point.as_written else "")


def _panel(name: str, lines: Sequence[_Line], across: Across, top: int, written: float | None) -> Iterator[str]:
    high, counts = HIGH[name], name == ALARMS
    up = Up.of([mark.y for line in lines for mark in line.marks if mark.y is not None], top, top + high, counts)
    yield _text(LEFT - 54, top - 12, name, "dim", "start")
    for value in up.ticks:
        y = up.at(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(LEFT - 8, y + 4, f"{value:g}")
    yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{top + high}" y2="{top + high}"/>'
    for value, text in across.ticks():
        yield _text(across.at(value), top + high + 18, text, anchor="middle")
    if written is not None:
        x = across.at(written)
        yield f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + high}"/>'
    for number, line in enumerate(lines):
        yield from _drawn(line, GREY if counts else number, across, up)


def _drawn(line: _Line, number: int, across: Across, up: Up) -> Iterator[str]:
    """A line through what was detected; a cross at the top where nothing was; hollow where it does not count."""
    colour = COLOURS[number % len(COLOURS)]
    run: list[str] = []
    for mark in (*line.marks, None):
        if mark is not None and mark.y is not None:
            run.append(f"{across.at(mark.x):.1f},{up.at(mark.y):.1f}")
            continue
        if len(run) > 1:
            dash = DASHES[number // len(COLOURS) % len(DASHES)]
            yield f'<polyline fill="none" stroke="{colour}" stroke-dasharray="{dash}" points="{" ".join(run)}"/>'
        run = []
    for mark in line.marks:
        x, title = across.at(mark.x), f"<title>{escape(mark.text)}</title>"
        if mark.y is None:
            y = up.top + 6 + 3 * number
            path = f"M{x - 5:.1f} {y - 5}l10 10m0 -10l-10 10"
            yield f'<path stroke="{colour}" stroke-width="2" fill="none" d="{path}">{title}</path>'
        else:
            place, fill = f'cx="{x:.1f}" cy="{up.at(mark.y):.1f}" r="4"', colour if mark.detected else "none"
            yield f'<circle {place} stroke="{colour}" fill="{fill}">{title}</circle>'


def _legend(lines: Sequence[_Line], top: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        y = top + 20 * number
        yield f'<circle cx="{LEFT + 6}" cy="{y - 4}" r="5" fill="{COLOURS[number % len(COLOURS)]}"/>'
        missing = sum(mark.y is None for mark in line.marks)
        yield _text(
            LEFT + 18, y, line.name + (f" (× at the top: not detected, {missing})" if missing else ""), "", "start"
        )


def _text(x: float, y: float, text: str, kind: str = "dim", anchor: str = "end") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _table(sweep: Sweep, position: int) -> str:
    names = shown(sweep, position)
    titles = (*(one.key for one in sweep.settings), *names, ALARMS)
    rows = [f"<caption>{escape(sweep.points[0].recordings[position].folder)}</caption>", _cells("th", titles)]
    for point in sweep.points:
        recording = point.recordings[position]
        of = {one.id: one for one in recording.expectations}
        told = (
            of[name].verdict + (f", {seconds:.3f} s" if (seconds := of[name].ttd_s) is not None else "")
            for name in names
        )
        cells = _cells("td", (*(one.text for one in point.values), *told, str(len(recording.false_alarms))))
        rows.append(cells.replace("<tr>", '<tr class="written" title="as written">') if point.as_written else cells)
    return f"<div><table>{''.join(rows)}</table></div>"


def _cells(kind: str, texts: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{kind}>{escape(one)}</{kind}>" for one in texts) + "</tr>"
