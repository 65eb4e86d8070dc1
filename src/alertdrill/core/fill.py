"""How long planned traffic needs to make a rule's condition true: the part of ttd that the window costs.

W_eff = (ceil(W / S) - 1) * S: the samples inside a window of W seconds span that much, at most, at scrape interval S.
A ratio rule is true from the first instant at which hits / all within the last W_eff seconds exceed its threshold; a
quantile rule is the same ratio of slow answers with threshold 1 - q, counted when they are answered.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.promql import Condition, Evidence, Quantile, Ratio, Selector

Mask = NDArray[np.bool_]
Times = NDArray[np.float64]


@dataclass(frozen=True)
class Traffic:
    """Planned requests up to the end of a fault, in the order of their arrival.

    Attributes:
        at: shape (n,); when each is due, seconds, ascending.
        malformed: shape (n,); bodies that are not JSON.
        delay_s: shape (n,); how long each is held where the monitor can see it.
        codes: shape (n,); codes of the answers that a fault decides, 0 for the others.
        nulls: feature to a mask, shape (n,): requests in which it is null or missing.
        evidence: feature and offset of the monitor's clock (s) to the instants at which its drift evidence stands at
            or above the threshold, as (instants (m,), above (m,)); None where the detector cannot be run.
    """

    at: Times
    malformed: Mask
    delay_s: Times
    codes: NDArray[np.int64]
    nulls: Callable[[str], Mask]
    evidence: Callable[[str], tuple[tuple[Times, Mask], ...]]


@dataclass(frozen=True)
class FillBounds:
    """Seconds from the fault's start until the condition holds: at the earliest, likely, and surely."""

    low_s: float
    likely_s: float
    high_s: float


NEVER = FillBounds(math.inf, math.inf, math.inf)


@dataclass(frozen=True)
class _Steps:
    """A condition over time: `true[j]` from `at[j]` until `at[j + 1]`."""

    at: Times
    true: Mask

    def sampled(self, at: Times) -> Mask:
        position = np.searchsorted(self.at, at, side="right") - 1
        return np.where(position >= 0, self.true[np.maximum(position, 0)], False)


def effective_window_s(window_s: float, scrape_s: float) -> float:
    """Seconds that the samples inside a range window span: (ceil(W / S) - 1) * S."""
    return (math.ceil(round(window_s / scrape_s, 9)) - 1) * scrape_s


def shortest_window_s(window_s: float, scrape_s: float) -> float:
    """Seconds that the samples span where the window holds the fewest: max(floor(W / S) - 1, 1) * S.

    It equals `effective_window_s` where S divides W; else it depends on the phase how many samples a window holds.
    """
    return max(math.floor(round(window_s / scrape_s, 9)) - 1, 1) * scrape_s


def _ratio_steps(times: Times, hits: Mask, window_s: float, threshold: float) -> _Steps:
    """Whether hits / all within the last `window_s` exceed the threshold, at every arrival and departure.

    It ends with the last arrival: a window that runs empty says nothing about the dose.
    """
    order = np.argsort(times, kind="stable")
    times, total = times[order], np.concatenate([[0], np.cumsum(hits[order])])
    events = np.unique(np.concatenate([times, times + window_s]))
    events = events[events <= times[-1]]
    first = np.searchsorted(times, events - window_s, side="right")
    last = np.searchsorted(times, events, side="right")
    whole = last - first
    return _Steps(events, (total[last] - total[first]) > threshold * np.maximum(whole, 1))


def _clamped(condition: Ratio | Quantile, window_s: float, hits: Mask, before: Mask) -> float:
    """Threshold for the sure bound.

    rate() does not extrapolate a counter below zero, so a ratio whose part was never counted reads W_eff / W too low.
    """
    threshold = condition.threshold if isinstance(condition, Ratio) else 1.0 - condition.q
    born = isinstance(condition, Ratio) and not bool(np.any(hits & before))
    return threshold * condition.window_s / window_s if born and window_s > 0 else threshold


def _feature(selector: Selector, labels: dict[str, str]) -> str | None:
    return next((m.value for m in selector.matchers if m.label == "feature" and m.op == "="), labels.get("feature"))


def _observed(
    condition: Ratio | Quantile, labels: dict[str, str], traffic: Traffic, start_s: float
) -> tuple[Times, Mask] | None:
    """When the monitor counts each request, and which of them count as hits; None for a series we do not know.

    How the model itself reacts is not known: delays and codes are where a fault decides them, from the start on.
    """
    done, since = traffic.at + traffic.delay_s, traffic.at >= start_s
    if isinstance(condition, Quantile):
        delayed = bool(traffic.delay_s[since].any())
        known = condition.buckets.name == "model_request_duration_seconds_bucket" and delayed
        return (done, traffic.delay_s > condition.threshold) if known else None
    if condition.part.name == "model_malformed_requests_total" and condition.whole.name == "model_requests_total":
        return done, traffic.malformed
    if condition.part.name == condition.whole.name == "model_requests_total" and traffic.codes[since].any():
        asked = [m for m in condition.part.matchers if m.label == "code"]
        decided = set(traffic.codes.tolist()) - {0}
        hits = [code for code in decided if all(m.matches({"code": str(code)}) for m in asked)]
        return done, np.isin(traffic.codes, hits)
    feature = _feature(condition.part, labels)
    if condition.part.name == condition.whole.name == "model_feature_values_total" and feature:
        cells = {
            cell
            for cell in ("null", "missing")
            if any(m.label == "cell" and m.matches({"cell": cell}) for m in condition.part.matchers)
        }
        if cells == {"null", "missing"}:
            well_formed = ~traffic.malformed
            return done[well_formed], traffic.nulls(feature)[well_formed]
    return None


def _steps(
    condition: Condition, labels: dict[str, str], traffic: Traffic, scrape_s: float, start_s: float
) -> tuple[list[_Steps], list[_Steps]] | None:
    """Variants of a condition over time: those for the earliest bound, and those for the sure one."""
    if isinstance(condition, Evidence):
        feature = labels.get("feature")
        variants = [_Steps(at, above) for at, above in traffic.evidence(feature)] if feature else []
        return (variants, variants) if variants else None
    observed = _observed(condition, labels, traffic, start_s)
    window_s = effective_window_s(condition.window_s, scrape_s)
    if observed is None or window_s <= 0:
        return None
    times, hits = observed
    plain = condition.threshold if isinstance(condition, Ratio) else 1.0 - condition.q
    sure = _clamped(condition, window_s, hits, times < start_s)
    fewest_s = shortest_window_s(condition.window_s, scrape_s)
    return [_ratio_steps(times, hits, fewest_s, plain)], [_ratio_steps(times, hits, window_s, sure)]


def _first(all_steps: list[_Steps], start_s: float, hold_s: float) -> float | None:
    """First instant from `start_s` on at which all hold, and go on holding for `hold_s`; in seconds after it."""
    at = np.unique(np.concatenate([[start_s], *(steps.at for steps in all_steps)]))
    at = at[at >= start_s]
    true = np.logical_and.reduce([steps.sampled(at) for steps in all_steps])
    begin: float | None = None
    for instant, holds in zip(at.tolist(), true.tolist(), strict=True):
        if not holds:
            begin = None
        elif begin is None:
            begin = instant
        if begin is not None and instant - begin >= hold_s:
            return begin - start_s
    return None


def fill(
    conditions: tuple[Condition, ...],
    labels: dict[str, str],
    traffic: Traffic,
    start_s: float,
    scrape_s: float,
    hold_s: float,
) -> FillBounds | None:
    """Bounds on the time from a fault's start until a rule's conditions hold for the planned traffic.

    Args:
        conditions: what must hold together (see `promql.conditions`).
        labels: labels of the alert; `feature` says which one.
        traffic: the planned requests, history before the fault included.
        start_s: start of the fault, on the clock of `traffic.at`.
        scrape_s: scrape interval, seconds.
        hold_s: how long the conditions must go on holding for the sure bound (scrape + evaluation + for), seconds.

    Returns:
        None where a condition is of no known shape, or hangs on how the model itself reacts; NEVER where the plan never
        makes them hold.
    """
    low_sets: list[list[_Steps]] = [[]]
    high_sets: list[list[_Steps]] = [[]]
    for condition in conditions:
        steps = _steps(condition, labels, traffic, scrape_s, start_s)
        if steps is None:
            return None
        low_sets = [[*one, variant] for one in low_sets for variant in steps[0]]
        high_sets = [[*one, variant] for one in high_sets for variant in steps[1]]
    lows = [_first(one, start_s, 0.0) for one in low_sets]
    likely = [found for one in high_sets if (found := _first(one, start_s, 0.0)) is not None]
    highs = [_first(one, start_s, hold_s) for one in high_sets]
    reached = [low for low in lows if low is not None]
    if not reached:
        # Delays below the threshold may do together with what the model takes by itself.
        lenient = tuple(replace(one, threshold=0.0) if isinstance(one, Quantile) else one for one in conditions)
        do = lenient != conditions and fill(lenient, labels, traffic, start_s, scrape_s, hold_s) != NEVER
        return None if do else NEVER
    sure = [high for high in highs if high is not None]
    mean = sum(likely) / len(likely) if likely else min(reached)
    return FillBounds(min(reached), mean, max(sure) if len(sure) == len(highs) else math.inf)
