"""What the plan lets every expectation hope for: fill, floor, expected and worst, worked out from planned requests."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alertdrill.core.asked import expectation_id
from alertdrill.core.detection import Bounds, Settings, bounds, whole_intervals_ms
from alertdrill.core.faults.base import ArrivalFault, BodyFault, Fault, ProcessFault, RowFault, SampleFault
from alertdrill.core.fill import FillBounds, fill
from alertdrill.core.matchers import may_match
from alertdrill.core.odds import Odds, odds_of
from alertdrill.core.plan import Injection, Plan, SegmentKind, expected_fault, injection_id
from alertdrill.core.promql import Condition, PromqlError, conditions
from alertdrill.core.scenario import Expectation, Phase
from alertdrill.core.scope import AlertRule, RuleBook
from alertdrill.core.touch import Touch
from alertdrill.core.traffic import PlannedTraffic
from alertdrill.protocols.rows import Rows


@dataclass(frozen=True)
class Prospect:
    """What one expectation can hope for.

    Attributes:
        id: name of the expectation.
        phase, expectation: what is expected, and where.
        rule: the rule that must fire; None where no such alert is loaded.
        start_s: when the first touched request is due, seconds from the start of the phase; None if none is touched.
        fill: None where it cannot be derived; infinite where the plan never fills the rule.
        bounds: floor, expected and worst, from the first touched request.
        odds: the distribution of ttd; None where the fill is unknown, or not sure to be reached.
        window_s: how far back the rule looks; 0 where it is not loaded.
    """

    id: str
    phase: Phase
    expectation: Expectation
    rule: AlertRule | None
    start_s: float | None
    fill: FillBounds | None
    bounds: Bounds
    odds: Odds | None
    window_s: float


def assumed_starts(plan: Plan, touch: Touch, tail_s: float) -> tuple[dict[int, float], dict[int, int]]:
    """Segment starts (s from 0) and counts before a run: steady state and gates last a tail, phases their duration."""
    starts, counts, now = {}, {}, 0.0
    for segment in plan.segments:
        lasts = segment.duration_s if segment.kind is SegmentKind.PHASE else min(segment.duration_s, max(tail_s, 1.0))
        starts[segment.k], counts[segment.k] = now, int((touch.schedule(segment.k).at < lasts).sum())
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
    look = _Look(plan, traffic, book, scrape_s, starts_s, counts)
    for phase in plan.scenario.phases:
        if plan.phase_segment(phase.name).k in starts_s:
            for position in range(len(phase.expect)):
                yield look.at(phase, position)


def never_alone(
    found: Sequence[Prospect],
    plan: Plan,
    sample: Rows,
    book: RuleBook,
    scrape_s: float,
    starts_s: Mapping[int, float],
    counts: Mapping[int, int],
    reference: Rows | None = None,
) -> Iterator[str]:
    """Names of expectations whose fault would not raise the alert by itself, though its phase does.

    Inside a phase an alert counts for the fault that the expectation names, whichever raised it.

    Args:
        found: the prospects of the plan.
        plan: the plan.
        sample: the rows that its requests are made of.
        book: the loaded rules.
        scrape_s: scrape interval, seconds.
        starts_s: segment number to its start (s, any origin).
        counts: segment number to how many of its requests are sent.
        reference: what the monitor compares with, where that is not the sample.
    """
    for one in found:
        if len(one.phase.faults) < 2 or one.fill is None or math.isinf(one.fill.low_s):
            continue
        k, wanted = plan.phase_segment(one.phase.name).k, expected_fault(one.phase, one.expectation)
        kept = tuple(
            other
            for other in plan.injections
            if other.segment != k
            or other.id == injection_id(one.phase, wanted)
            or isinstance(other.fault, ArrivalFault)  # requests keep their index
        )
        alone = plan.model_copy(update={"injections": kept})
        traffic = PlannedTraffic(alone, sample, Touch(alone), reference)
        look = _Look(alone, traffic, book, scrape_s, starts_s, counts)
        by_itself = look.at(one.phase, one.phase.expect.index(one.expectation)).fill
        if by_itself is not None and math.isinf(by_itself.low_s):
            yield one.id


@dataclass(frozen=True)
class _Look:
    """What all prospects of a plan are worked out from; see `prospects`."""

    plan: Plan
    traffic: PlannedTraffic
    book: RuleBook
    scrape_s: float
    starts_s: Mapping[int, float]
    counts: Mapping[int, int]

    def at(self, phase: Phase, position: int) -> Prospect:
        expectation = phase.expect[position]
        wanted = injection_id(phase, expected_fault(phase, expectation))
        injection = next(one for one in self.plan.injections if one.id == wanted)
        schedule = self.traffic.touch.schedule(injection.segment)
        mask = self.traffic.touch.mask(injection, 0, len(schedule))
        start_s = float(schedule.at[mask.argmax()]) if mask.any() else None
        rule = self.book.rule_of(expectation)
        found = None if rule is None or start_s is None else self._fill(rule, expectation, injection, start_s)
        settings = self._settings(rule)
        return Prospect(
            id=expectation_id(phase, position),
            phase=phase,
            expectation=expectation,
            rule=rule,
            start_s=start_s,
            fill=found,
            bounds=bounds(found, settings, None),
            odds=odds_of(found, settings),
            window_s=settings.window_s,
        )

    def _settings(self, rule: AlertRule | None) -> Settings:
        scrape_ms = round(self.scrape_s * 1000)
        if rule is None:
            return Settings(0, scrape_ms, scrape_ms, 0.0)
        return Settings(rule.for_ms, rule.scrape_ms(scrape_ms), rule.interval_ms, self.book.lookback_ms(rule) / 1000)

    def _fill(
        self, rule: AlertRule, expectation: Expectation, injection: Injection, start_s: float
    ) -> FillBounds | None:
        shape, k = _shape(self.book.inlined(rule)), injection.segment
        if not shape or any(isinstance(one.fault, ProcessFault) for one in self.plan.segment_injections(k)):
            return None  # what a target that stands still does to a rule depends on who waits for it, and how long
        interval_s = rule.interval_ms / 1000
        scrape_s = rule.scrape_ms(round(self.scrape_s * 1000)) / 1000
        hold_s = scrape_s + interval_s + whole_intervals_ms(rule.for_ms, rule.interval_ms) / 1000
        planned = self.traffic.until(k, self.starts_s, self.counts)

        def filled(label_sets: list[dict[str, str]]) -> list[FillBounds]:
            start = self.starts_s[k] + start_s
            found = [fill(shape, labels, planned, start, scrape_s, hold_s) for labels in label_sets]
            return [one for one in found if one is not None]

        reached = filled(_label_sets(expectation, injection.fault))
        if not reached and isinstance(injection.fault, SampleFault | BodyFault) and "feature" not in expectation.labels:
            reached = filled(_of_features(expectation, self.plan.target.schema_.names()))
        return min(reached, key=lambda one: one.low_s) if reached else None


def _shape(expression: str | None) -> tuple[Condition, ...] | None:
    try:
        return conditions(expression) if expression else None
    except PromqlError:
        return None


def _label_sets(expectation: Expectation, fault: Fault) -> list[dict[str, str]]:
    """The labels of an expectation; where it names no feature, one set for each feature that the fault touches."""
    labels = dict(expectation.labels)
    features = fault.features if isinstance(fault, RowFault) else ()
    return [labels] if "feature" in labels or not features else _of_features(expectation, features)


def _of_features(expectation: Expectation, features: Iterable[str]) -> list[dict[str, str]]:
    """One set of labels a feature, of those that the expectation's matchers pass."""
    sets = [{**expectation.labels, "feature": name} for name in features]
    return [labels for labels in sets if may_match(expectation.matchers, labels)]
