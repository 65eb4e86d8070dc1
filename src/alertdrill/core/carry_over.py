"""How far earlier faults still moved an alert's signal when the next fault began."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.case import Case
from alertdrill.core.matchers import Matcher, may_match
from alertdrill.core.observations import RawSeries
from alertdrill.core.promql import PromqlError, Selector, parse, selectors
from alertdrill.core.scope import AlertRule

MUCH = 0.5
"""From this part of the way to the threshold on, what earlier faults left flatters the time to detect."""


def carry_over(case: Case, rule: AlertRule, wanted: Sequence[Matcher], fault_start_ms: int) -> float | None:
    """(value - baseline) / (threshold - baseline) at fault_start; None for rules that are no single comparison.

    `value` is the signal's last sample before fault_start; `baseline` its mean from the steady state to the first
    fault; `threshold` a number or the series that the rule compares with.
    """
    found = _levels(case, rule, wanted, fault_start_ms)
    if found is None or np.isnan(found.before).all():
        return None
    baseline = float(np.nanmean(found.before))
    room = found.limit - baseline
    value = float("nan") if math.isclose(found.limit, baseline) else (found.now - baseline) / room
    return round(value, 4) if np.isfinite(value) else None


def remains(case: Case, rule: AlertRule, wanted: Sequence[Matcher], fault_start_ms: int) -> float | None:
    """What earlier faults left of a signal at fault_start, where that takes it half the way or more; else None.

    A signal that went as far by itself, before the first fault, is not their doing.
    """
    if not any(d.first_ms is not None and d.first_ms < fault_start_ms for d in case.deliveries.values()):
        return None
    value, found = carry_over(case, rule, wanted, fault_start_ms), _levels(case, rule, wanted, fault_start_ms)
    if value is None or found is None or value < MUCH:
        return None
    by_itself = float(np.nanmax(found.before) if found.limit > found.now else np.nanmin(found.before))
    return None if abs(found.limit - by_itself) <= abs(found.limit - found.now) else value


@dataclass(frozen=True)
class _Levels:
    """A signal before the first fault, its last value before another, and what it is compared with."""

    before: NDArray[np.float64]
    now: float
    limit: float


def _levels(case: Case, rule: AlertRule, wanted: Sequence[Matcher], fault_start_ms: int) -> _Levels | None:
    signal, threshold = _sides(rule.rule.query)
    first = min((d.first_ms for d in case.deliveries.values() if d.first_ms is not None), default=fault_start_ms)
    series = _one(case, signal, wanted)
    if series is None or threshold is None:
        return None
    before = series.values[(series.times_ms >= case.baseline_from_ms) & (series.times_ms <= first)]
    now = series.values[series.times_ms <= fault_start_ms]
    limit = _limit(case, threshold, wanted)
    if not len(before) or not len(now) or limit is None:
        return None
    return _Levels(before, float(now[-1]), limit)


def _sides(expression: str) -> tuple[Selector | None, Selector | float | None]:
    """What a comparison compares, and with what."""
    try:
        node = parse(expression)
        while type(node).__name__ == "BinaryExpr" and str(node.op) == "and":
            node = node.lhs
        if type(node).__name__ != "BinaryExpr" or type(node.lhs).__name__ != "VectorSelector":
            return None, None
        signal = selectors(node.lhs.prettify())[0]
        if type(node.rhs).__name__ == "NumberLiteral":
            return signal, float(node.rhs.val)
        if type(node.rhs).__name__ == "VectorSelector":
            return signal, selectors(node.rhs.prettify())[0]
    except PromqlError:
        pass
    return None, None


def _one(case: Case, selector: Selector | None, wanted: Sequence[Matcher]) -> RawSeries | None:
    """The series of a selector whose labels contradict nothing that is asked of the alert's."""
    if selector is None:
        return None
    fitting = [s for s in case.recording.select(selector) if may_match(wanted, s.labels)]
    return fitting[0] if fitting else None


def _limit(case: Case, threshold: Selector | float, wanted: Sequence[Matcher]) -> float | None:
    if isinstance(threshold, float):
        return threshold
    series = _one(case, threshold, wanted)
    return float(series.values[-1]) if series is not None and len(series.values) else None
