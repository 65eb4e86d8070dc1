"""What of a plan cannot succeed, said before anything is broken. Paths start from the name of a phase, or TOP."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alertdrill.core.blast_radius import busiest_per_s
from alertdrill.core.errors import nearest
from alertdrill.core.faults.base import ArrivalFault, SlicedFault
from alertdrill.core.matchers import Matcher, may_match
from alertdrill.core.plan import Plan, Segment, expected_fault, injection_id
from alertdrill.core.profiles import Profile
from alertdrill.core.prospect import Prospect
from alertdrill.core.reach import Reach
from alertdrill.core.scenario import Expectation, Phase
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.grammar import Path
from alertdrill.core.scope import RuleBook
from alertdrill.core.touch import Touch
from alertdrill.core.units import format_duration, format_rate, format_share
from alertdrill.core.view import Sight, in_words, sight, views_of

FEWEST_TOUCHED = 5
"""Fewer touched requests than this raise no alert whose fill is unknown."""

RATE_WINDOW_S = 10.0
DEVIATIONS = 4.0


def too_fast(plan: Plan, touch: Touch) -> Iterator[Finding]:
    """Faults that send more than `limits.max_rate`, which no drill exceeds.

    A rate counts over the busiest 10 s, four standard deviations of a Poisson count below what is planned there.
    """
    limit_per_s = plan.scenario.limits.max_rate
    for phase in plan.scenario.phases:
        segment = plan.phase_segment(phase.name)
        adding = _adding(plan, touch, segment)
        if not adding:
            continue
        schedule, window_s = touch.schedule(segment.k), min(RATE_WINDOW_S, segment.duration_s)
        count = busiest_per_s(schedule.at[schedule.sent], window_s) * window_s
        if count - DEVIATIONS * math.sqrt(count) > limit_per_s * window_s:
            rate_per_s = float(math.ceil(count / window_s))
            fix = f"lower the fault or the load, or raise limits.max_rate to {format_rate(rate_per_s)}"
            expected = f"at most {format_rate(limit_per_s)} (limits.max_rate)"
            got = f"{format_rate(rate_per_s)} with it"
            yield Finding((*_fault_path(phase, adding[0]), "kind"), expected, fix, got)


def _adding(plan: Plan, touch: Touch, segment: Segment) -> list[str]:
    """The injections of a segment that send further requests."""
    schedule = touch.schedule(segment.k)
    arrival = [one.id for one in plan.segment_injections(segment.k) if isinstance(one.fault, ArrivalFault)]
    return [name for name in arrival if (schedule.touched[name] & schedule.sent).any()]


def without_effect(phases: Iterable[Phase], reaches: Iterable[Reach]) -> Iterator[Finding]:
    """Faults that are planned and will touch nothing; a written share of 0 is a control.

    Args:
        phases: those of the scenario.
        reaches: what the injections will touch.
    """
    by_name = {phase.name: phase for phase in phases}
    for one in reaches:
        phase = by_name[one.injection.phase]
        if one.injection.share > 0 and (one.touched == 0 or one.strongest == 0):
            yield _nothing_touched(one, phase, _fault_path(phase, one.injection.id))


def _nothing_touched(one: Reach, phase: Phase, path: Path) -> Finding:
    fault = one.injection.fault
    if one.requests == 0:
        got = f"a phase of {format_duration(phase.duration)} in which no request is sent"
        fix = "give the phase load or time; {kind: traffic_loss, share: 100%} is a fault that stops the traffic"
        return Finding((*path, "kind"), "requests that the fault can touch", fix, got)
    if one.strongest == 0 and fault.profile is not None:
        return _without_strength(fault.profile, phase, (*path, "profile"))
    got = f"{format_share(one.injection.share)}, and none of {one.requests:,} requests touched"
    if isinstance(fault, SlicedFault) and fault.where is not None:
        expected = "a slice with at least one planned request that the fault can change"
        return Finding((*path, "where"), expected, "widen it, or add load", got)
    if one.picked:
        got = f"{fault.kind}, which leaves all {one.picked:,} requests that its share picks as they are"
        fix = f"change its parameters or features; alertdrill faults {fault.kind} says what it cannot change"
        return Finding((*path, "kind"), "a fault that changes what is sent", fix, got)
    return Finding((*path, "share"), "at least one request touched", "raise the share, the load or the duration", got)


def _without_strength(profile: Profile, phase: Phase, path: Path) -> Finding:
    got = f"{profile.kind} from {format_duration(profile.at)} on, no strength at any request of the phase"
    if profile.at < phase.duration:
        return Finding(path, "a time in which requests are due", "let it last longer, or add load", got)
    expected = f"a beginning before the phase ends, after {format_duration(phase.duration)}"
    return Finding(path, expected, "lower at, or lengthen the phase", got)


def _fault_path(phase: Phase, injection: str) -> Path:
    position = next(n for n, fault in enumerate(phase.faults) if injection_id(phase, fault) == injection)
    return (phase.name, "faults", position)


def wrong_alerts(phases: Iterable[Phase], book: RuleBook) -> Iterator[Finding]:
    """Expected alerts that are not loaded, or carry other labels.

    Args:
        phases: those of the scenario.
        book: the loaded rules.
    """
    names = sorted({rule.name for rule in book.alerts})
    for phase in phases:
        for position, expectation in enumerate(phase.expect):
            path, rule = (phase.name, "expect", position), book.rule_of(expectation)
            if rule is None:
                near = nearest(expectation.alert, names)
                fix = f"did you mean {near}?" if near else "load a rule of that name"
                yield Finding((*path, "alert"), "an alert of the loaded rules", fix)
                continue
            for at, one in wanted_at(expectation):
                if not may_match((one,), rule.fixed_labels):
                    fix = "correct the expectation or the rule"
                    said = rule.fixed_labels[one.label]
                    expected = f"{said}, as the rule says" if at[0] == "labels" else f"a matcher of {one.label}: {said}"
                    yield Finding((*path, *at), expected, fix)


def wanted_at(expectation: Expectation) -> Iterator[tuple[Path, Matcher]]:
    """What an expectation asks of labels, each with its path from the expectation."""
    for label, value in expectation.labels.items():
        yield ("labels", label), Matcher(label, "=", value)
    for position, one in enumerate(expectation.matchers):
        yield ("matchers", position), one


def out_of_view(prospects: Iterable[Prospect], book: RuleBook, monitor: bool) -> Iterator[Finding]:
    """Expectations of alerts that can see nothing of their fault.

    Args:
        prospects: what the expectations can hope for.
        book: the loaded rules.
        monitor: whether the reference monitor stands in front of the model.
    """
    for one in prospects:
        fault = expected_fault(one.phase, one.expectation)
        views = None if one.rule is None or fault.share == 0 else views_of(book, one.rule, monitor)
        if views is not None and sight(views, fault, monitor) is Sight.NOTHING:
            path = (one.phase.name, "expect", one.phase.expect.index(one.expectation), "alert")
            acts = f"{fault.kind} at place {getattr(fault, 'place', None)}"
            expected = f"an alert that can see {acts}; all that this one reads is {in_words(views)}"
            yield Finding(path, expected, "another place for the fault, or an alert on what is measured before it")


def hopeless(prospects: Iterable[Prospect], reaches: Iterable[Reach], tail_s: float) -> Iterator[Finding]:
    """Expectations that cannot be met.

    Doses that never suffice, deadlines below the floor or after the end of the watch, phases too short for the rule.

    Args:
        prospects: what the expectations can hope for.
        reaches: what the injections will touch.
        tail_s: how long after its last effect a fault can still make an alert fire.
    """
    by_id = {one.injection.id: one for one in reaches}
    for one in prospects:
        reach = by_id[injection_id(one.phase, expected_fault(one.phase, one.expectation))]
        yield from _Case(one, reach, tail_s).findings()


@dataclass(frozen=True)
class _Case:
    """One expectation, and the fault that must raise its alert."""

    prospect: Prospect
    reach: Reach
    tail_s: float

    @property
    def path(self) -> Path:
        phase, expectation = self.prospect.phase, self.prospect.expectation
        return (phase.name, "expect", phase.expect.index(expectation))

    def findings(self) -> Iterator[Finding]:
        yield from self._too_weak()
        yield from self._too_soon()
        yield from self._too_late()
        yield from self._too_short()

    def _too_weak(self) -> Iterator[Finding]:
        """Doses that never suffice, as far as that can be worked out."""
        prospect, reach = self.prospect, self.reach
        if prospect.fill is not None and math.isinf(prospect.fill.low_s):
            expected, fix = "an alert that the planned dose can raise", "raise the share or the dose"
            if reach.background:
                expected += f", {reach.share_seen:.1%} of all that the target gets"
                fix += ", or the load"
            yield Finding((*self.path, "alert"), expected, fix)
        if prospect.rule is not None and prospect.fill is None and 0 < reach.touched < FEWEST_TOUCHED:
            yield Finding(
                (*_fault_path(prospect.phase, reach.injection.id), "share"),
                f"at least {FEWEST_TOUCHED}, as an alert is expected",
                "raise the share, the load or the duration",
                f"{reach.touched} of {reach.requests:,} requests touched",
            )

    def _too_soon(self) -> Iterator[Finding]:
        """Deadlines below the floor."""
        bounds, odds, expectation = self.prospect.bounds, self.prospect.odds, self.prospect.expectation
        if bounds.floor_s is None:
            return
        expected = f"{bounds.floor_s:g}s, the floor of what the settings allow, or more"
        if expectation.within < bounds.floor_s:
            fix = f"within: {bounds.floor_s:g}s or more"
            if odds is not None:
                fix = f"within: {odds.worst_s:g}s always passes on this plan, {odds.point_s():g}s in 95 of 100 drills"
            yield Finding((*self.path, "within"), expected, fix)
        if expectation.notifies is not None and expectation.notifies.within < bounds.floor_s:
            yield Finding((*self.path, "notifies", "within"), expected, f"write {bounds.floor_s:g}s or more")

    def _too_late(self) -> Iterator[Finding]:
        """Deadlines after the end of the phase and its tail: nobody looks for the alert then."""
        phase, expectation, start_s = self.prospect.phase, self.prospect.expectation, self.prospect.start_s
        if start_s is None:
            return
        deadlines: list[tuple[Path, float]] = [(("within",), expectation.within)]
        if expectation.notifies is not None:
            deadlines.append((("notifies", "within"), expectation.notifies.within))
        for keys, within_s in deadlines:
            if start_s + within_s > phase.duration + self.tail_s:
                watched_s = math.floor((phase.duration + self.tail_s - start_s) * 10) / 10
                needed_s = math.ceil(start_s + within_s - self.tail_s)
                yield Finding(
                    (*self.path, *keys),
                    f"at most {watched_s:g}s, as the drill looks for the alert until {self.tail_s:g}s after the phase",
                    f"write {watched_s:g}s, or duration: {needed_s}s for the phase",
                )

    def _too_short(self) -> Iterator[Finding]:
        """Phases in which the condition cannot hold for long enough, what the rule's window remembers included."""
        one = self.prospect
        if one.rule is None:
            return
        path, for_s = (one.phase.name, "duration"), one.rule.rule.for_s
        if one.phase.duration < for_s:
            expected = f"longer than `for: {for_s:g}s` of {one.rule.name}"
            yield Finding(path, expected, "lengthen the phase")
        elif one.start_s is not None and one.bounds.floor_s is not None:
            needed_s = one.start_s + one.bounds.floor_s
            if one.phase.duration + one.window_s < needed_s:
                expected = f"{math.ceil(needed_s)}s or more, what {one.rule.name} needs to fire (`for: {for_s:g}s`)"
                yield Finding(path, expected, f"write {math.ceil(needed_s)}s or more")
