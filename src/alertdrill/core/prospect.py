"""What the plan lets every expectation hope for: fill, floor, expected and worst, worked out from planned requests."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alertdrill.core.asked import expectation_id
from alertdrill.core.detection import Bounds, Settings, bounds, whole_intervals_ms
from alertdrill.core.draws import chosen
from alertdrill.core.faults.base import RowFault
from alertdrill.core.fill import FillBounds, fill
from alertdrill.core.plan import Plan, SegmentKind, expected_fault, injection_id
from alertdrill.core.promql import PromqlError, conditions
from alertdrill.core.scenario import Expectation, Phase
from alertdrill.core.scope import AlertRule, RuleBook
from alertdrill.core.timeline import arrival_times
from alertdrill.core.traffic import PlannedTraffic


@dataclass(frozen=True)
class Prospect:
    """What one expectation can hope for.

    `rule` is None where no such alert is loaded; `fill` where it cannot be derived or the plan never fills the rule.
    """

    id: str
    phase: Phase
    expectation: Expectation
    rule: AlertRule | None
    fill: FillBounds | None
    bounds: Bounds
    requests: int
    touched: int


def assumed_starts(plan: Plan, tail_s: float) -> tuple[dict[int, float], dict[int, int]]:
    """Segment starts (s from 0) and counts before a run: steady state and gates last a tail, phases their duration."""
    starts, counts, now = {}, {}, 0.0
    for segment in plan.segments:
        lasts = segment.duration_s if segment.kind is SegmentKind.PHASE else min(segment.duration_s, max(tail_s, 1.0))
        times = arrival_times(segment.arrivals, plan.seed, segment.k, segment.duration_s)
        starts[segment.k], counts[segment.k] = now, int((times < lasts).sum())
        now += lasts
    return starts, counts


def prospects(
    plan: Plan,
    traffic: PlannedTraffic,
    book: RuleBook,
    scrape_s: float,
    starts_s: Mapping[int, float],
    counts: Mapping[int, int],
) -> Iterator[Prospect]:
    """One prospect an expectation of every phase that has a start, in the order of the file.

    Args:
        plan: the plan.
        traffic: its requests.
        book: the loaded rules.
        scrape_s: scrape interval, seconds.
        starts_s: segment number to its start (s, any origin).
        counts: segment number to how many of its requests are sent.
    """
    for phase in plan.scenario.phases:
        k = plan.phase_segment(phase.name).k
        if k not in starts_s:
            continue
        for position, expectation in enumerate(phase.expect):
            rule = book.rule_of(expectation)
            start_s, touched = _first_touched(plan, phase, expectation, k)
            found = None
            settings = Settings(0, round(scrape_s * 1000), round(scrape_s * 1000), 0.0)
            if rule is not None:
                settings = Settings(
                    rule.for_ms, round(scrape_s * 1000), rule.interval_ms, book.lookback_ms(rule) / 1000
                )
                if start_s is not None:
                    found = _fill(
                        rule,
                        book,
                        expectation,
                        traffic,
                        k,
                        starts_s,
                        counts,
                        starts_s[k] + start_s,
                        scrape_s,
                        _features(plan, phase, expectation),
                    )
            yield Prospect(
                expectation_id(phase, position),
                phase,
                expectation,
                rule,
                found,
                bounds(found, settings, None),
                plan.segments[k].count,
                touched,
            )


def _features(plan: Plan, phase: Phase, expectation: Expectation) -> tuple[str, ...]:
    """The features that the expected fault touches."""
    fault = expected_fault(phase, expectation)
    return fault.features if isinstance(fault, RowFault) else ()


def _first_touched(plan: Plan, phase: Phase, expectation: Expectation, k: int) -> tuple[float | None, int]:
    """When the first touched request of the expected fault is due (s into the segment), and how many are touched."""
    fault = expected_fault(phase, expectation)
    injection = next(i for i in plan.segment_injections(k) if i.id == injection_id(phase, fault))
    segment = plan.segments[k]
    mask = chosen(plan.seed, injection.id, k, 0, segment.count, injection.share)
    if not mask.any():
        return None, 0
    times = arrival_times(segment.arrivals, plan.seed, k, segment.duration_s)
    return float(times[mask.argmax()]), int(mask.sum())


def _fill(
    rule: AlertRule,
    book: RuleBook,
    expectation: Expectation,
    traffic: PlannedTraffic,
    k: int,
    starts_s: Mapping[int, float],
    counts: Mapping[int, int],
    start_s: float,
    scrape_s: float,
    features: tuple[str, ...],
) -> FillBounds | None:
    expression = book.inlined(rule)
    try:
        shape = conditions(expression) if expression else None
    except PromqlError:
        shape = None
    if not shape:
        return None
    interval_s = rule.interval_ms / 1000
    hold_s = scrape_s + interval_s + whole_intervals_ms(rule.for_ms, rule.interval_ms) / 1000
    planned = traffic.until(k, starts_s, counts)
    found = [fill(shape, labels, planned, start_s, scrape_s, hold_s) for labels in _label_sets(expectation, features)]
    reached = [one for one in found if one is not None]
    return min(reached, key=lambda one: one.low_s) if reached else None


def _label_sets(expectation: Expectation, features: tuple[str, ...]) -> list[dict[str, str]]:
    """The labels of an expectation; where it names no feature, one set for each feature that the fault touches."""
    labels = dict(expectation.labels)
    return [labels] if "feature" in labels or not features else [{**labels, "feature": name} for name in features]
