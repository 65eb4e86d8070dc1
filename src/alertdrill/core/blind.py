"""What was wrong with what a silent rule reads: too few scrapes, nothing there, a target down, a page that is old."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from alertdrill.core.case import Case
from alertdrill.core.errors import nearest
from alertdrill.core.health import Target, input_targets, scrape_times
from alertdrill.core.matchers import Matcher, may_match
from alertdrill.core.promql import Range, Selector
from alertdrill.core.scope import AlertRule
from alertdrill.core.scrape_intervals import ranges_behind
from alertdrill.core.units import format_duration

OF_TARGETS = ("job", "instance")
FEWEST_SAMPLES = 3


@dataclass(frozen=True)
class Cause:
    """What was wrong, and what would mend it."""

    text: str
    fix: str


def blindness(case: Case, rule: AlertRule, from_ms: int, to_ms: int) -> Cause | None:
    """Why a rule could see nothing between two instants (engine clock); None if what it reads is there and moves."""
    for one in ranges_behind(case.book, rule):
        narrow = _too_narrow(case, one)
        if narrow is not None:
            return narrow
    for selector in _empty(case, rule):
        return _why_empty(case, selector)
    for target in input_targets(case, rule):
        if _stands_still(case, target, from_ms, to_ms):
            job, instance = target
            text = f"nothing that was scraped from job {job} at {instance} changed, requests or not"
            return Cause(text, "see whether it still counts, or serves an old page")
    return None


def _too_narrow(case: Case, one: Range) -> Cause | None:
    """Why a function that needs two samples seldom or never has them: two scrapes are a window or more apart."""
    found = {(s.labels.get("job", ""), s.labels.get("instance", "")) for s in case.recording.select(one.selector)}
    times = [scrape_times(case, target)[0] for target in found]
    if one.samples < 2 or not times or any(len(at) < 2 for at in times):
        return None
    apart_s = min(float(np.median(np.diff(at))) for at in times) / 1000
    if apart_s < one.selector.range_s:
        return None
    window, name = format_duration(one.selector.range_s), one.selector.name or "series"
    text = f"{one.function} over [{window}] of {name} sees two scrapes seldom or never: they are {apart_s:g} s apart"
    return Cause(text, f"a window of {format_duration(2 * round(apart_s, 2))} or more")


def _empty(case: Case, rule: AlertRule) -> Iterator[Selector]:
    """Selectors of a rule that no series ever fitted, the far ends of chains first."""
    empty = [one for one in case.book.inputs(rule) if not any(len(s.times_ms) for s in case.recording.select(one))]
    yield from sorted(empty, key=lambda one: one.name in case.book.recorded)


def _why_empty(case: Case, selector: Selector) -> Cause:
    text = f"{selector.text()} selects nothing"
    targets = tuple(one for one in selector.matchers if one.label in OF_TARGETS)
    if targets and selector.name not in case.book.recorded:
        found = _untargeted(case, selector, targets, text)
        if found is not None:
            return found
    return _misnamed(case, selector, text)


def _untargeted(case: Case, selector: Selector, targets: tuple[Matcher, ...], text: str) -> Cause | None:
    """What is wrong with the targets that a selector names; None if such series come from them."""
    every = case.recording.named("up")
    named = [one for one in every if may_match(targets, one.labels)]
    if not named:
        jobs, wanted = sorted({one.labels.get("job", "") for one in every}), ", ".join(one.text() for one in targets)
        return Cause(f"{text}: no target with {wanted} is scraped", f"scrape it; there are {', '.join(jobs)}")
    where = ", ".join(f"job {one.labels.get('job')} at {one.labels.get('instance')}" for one in named[:3])
    if not any(bool(np.any(one.values == 1)) for one in named):
        return Cause(f"{text}: {where} was never up", "see why that target cannot be scraped")
    if any(len(one.times_ms) for one in case.recording.select(Selector(selector.name, targets, 0.0, 0.0))):
        return None
    fix = f"see whether it exports {selector.name}, or has another name for it"
    return Cause(f"{text}: {where} is scraped, and no such series comes from it", fix)


def _misnamed(case: Case, selector: Selector, text: str) -> Cause:
    for one in selector.matchers:
        others = Selector(selector.name, tuple(m for m in selector.matchers if m is not one), 0.0, 0.0)
        values = {s.labels.get(one.label, "") for s in case.recording.select(others) if len(s.times_ms)}
        if values:
            return Cause(f"{text}: no series has {one.text()}", _instead(one, sorted(values)))
    names = {s.labels.get("__name__", "") for s in case.recording.series} | set(case.book.recorded)
    near = nearest(selector.name, sorted(names)) if selector.name else None
    fix = f"did you mean {near}?" if near and near != selector.name else "see that what it names is exported"
    return Cause(text, fix)


def _instead(matcher: Matcher, values: Sequence[str]) -> str:
    near = nearest(matcher.value, values)
    return f"did you mean {near}?" if near else f"{matcher.label} is {', '.join(values[:5])}"


def _stands_still(case: Case, target: Target, from_ms: int, to_ms: int) -> bool:
    """Whether no series that was scraped from a target ever changed between two instants."""
    job, instance = target
    seen = 0
    for one in case.recording.series:
        if (one.labels.get("job"), one.labels.get("instance")) != (job, instance):
            continue
        name = one.labels.get("__name__", "")
        if name in ("up", "scrape_duration_seconds", "ALERTS", "ALERTS_FOR_STATE") or name in case.book.recorded:
            continue
        inside = one.values[(one.times_ms > from_ms) & (one.times_ms <= to_ms) & ~np.isnan(one.values)]
        if len(inside) and bool(np.any(inside != inside[0])):
            return False
        seen = max(seen, len(inside))
    return seen >= FEWEST_SAMPLES
