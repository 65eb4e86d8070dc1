"""How far earlier faults still moved an alert's signal when the next fault began."""

import math
from collections.abc import Sequence

import numpy as np

from alertdrill.core.case import Case
from alertdrill.core.matchers import Matcher, may_match
from alertdrill.core.observations import RawSeries
from alertdrill.core.promql import PromqlError, Selector, parse, selectors
from alertdrill.core.scope import AlertRule


def carry_over(case: Case, rule: AlertRule, wanted: Sequence[Matcher], fault_start_ms: int) -> float | None:
    """(value - baseline) / (threshold - baseline) at fault_start; None for rules that are no single comparison.

    `value` is the signal's last sample before fault_start; `baseline` its mean from the steady state to the first
    fault; `threshold` a number or the series that the rule compares with.
    """
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
    baseline = float(np.nanmean(before)) if not np.isnan(before).all() else float("nan")
    room = limit - baseline
    value = float("nan") if math.isclose(limit, baseline) else (float(now[-1]) - baseline) / room
    return round(value, 4) if np.isfinite(value) else None


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
