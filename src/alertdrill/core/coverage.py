"""Which alert rules were seen to detect a fault, which never were and why, and which faults no alert saw."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from alertdrill.core.alerts import Episode
from alertdrill.core.asked import expectation_id
from alertdrill.core.attribution import Attribution, attribute
from alertdrill.core.case import Case
from alertdrill.core.coverage_result import (
    BY_LABELS,
    MEANINGS,
    CoverageResult,
    FaultCoverage,
    Gap,
    Ignored,
    RuleCoverage,
    Status,
)
from alertdrill.core.emptiness import empty_selectors
from alertdrill.core.matchers import Matcher, all_match
from alertdrill.core.promql import Selector, normal
from alertdrill.core.result import Result, Verdict
from alertdrill.core.scope import AlertRule, RuleBook, recorded


@dataclass(frozen=True)
class Drilled:
    """A drill that was judged: its facts, and the verdicts drawn from them."""

    name: str
    case: Case
    result: Result

    @cached_property
    def attribution(self) -> Attribution:
        """Whose doing each episode is."""
        return attribute(self.case)


_Name = tuple[str, tuple[tuple[str, str], ...]]
_Text = tuple[str, float, float, tuple[str, ...]]


def _name(rule: AlertRule) -> _Name:
    """What tells a rule from others: the alert, and the labels that it gives."""
    return rule.name, tuple(sorted(rule.rule.labels.items()))


@dataclass(frozen=True)
class Loaded:
    """A rule that is to be covered, where it is written, and what it says in a form that can be compared."""

    rule: AlertRule
    text: _Text
    line: int | None = None

    @classmethod
    def of(cls, book: RuleBook, rule: AlertRule, line: int | None = None) -> "Loaded":
        """A rule among others: what records the metrics that it reads is part of what it says."""
        chain = sorted({one.name for one in book.inputs(rule)} & set(book.recorded))
        recorded = tuple(f"{name} = {normal(book.recorded[name])}" for name in chain)
        return cls(rule, (normal(rule.rule.query), rule.rule.for_s, rule.rule.keep_firing_for_s, recorded), line)

    @property
    def name(self) -> _Name:
        """What tells it from others."""
        return _name(self.rule)


@dataclass
class _Seen:
    """What all drills saw of one rule, as it was then."""

    loaded: Loaded
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    fired: dict[str, None] = field(default_factory=dict)
    false_alarms: int = 0
    missing: set[Selector] | None = None

    @property
    def rule(self) -> AlertRule:
        return self.loaded.rule


def coverage(
    drills: Sequence[Drilled],
    rules: Sequence[Loaded] | None,
    scope: Sequence[Matcher],
    ignored: Sequence[Ignored],
    today: date,
) -> CoverageResult:
    """What the drills say of the rules.

    Args:
        drills: judged drills, older ones first.
        rules: those to cover; None: those that were loaded in the drills.
        scope: matchers on the labels that rules give their alerts, `alertname` included; none: all rules count.
        ignored: rules that are left out.
        today: entries of `ignored` that ended before it leave nothing out.
    """
    seen = _seen(drills)
    if rules is None:
        rules = [one.loaded for one in seen.values()]
    rules = [one for one in rules if all_match(scope, one.rule.labels)]
    in_force = [one for one in ignored if one.until >= today]
    found = [_of_rule(one, seen, in_force) for one in rules]
    counting = [one for one in found if one.ignored is None]
    covered = sum(one.status is Status.COVERED for one in counting)
    faults = tuple(_faults(drills))
    return CoverageResult(
        covered=covered,
        total=len(counting),
        share=covered / len(counting) if counting else None,
        drills=tuple(one.name for one in drills),
        rules=tuple(found),
        faults=faults,
        unseen=tuple(one.id for one in faults if not one.seen_by),
        gaps=tuple(_gaps(counting)),
        notes=tuple(_notes(ignored, in_force, rules, today)),
    )


def _seen(drills: Sequence[Drilled]) -> dict[tuple[_Name, _Text], _Seen]:
    """By name and text: the same rule in another form is another."""
    seen: dict[tuple[_Name, _Text], _Seen] = {}
    for drill in drills:
        book = drill.case.book
        here = {}
        for rule in book.alerts:
            one = Loaded.of(book, rule)
            key = one.name, one.text
            # the newest drill that has it says where it is written; what older ones saw stays
            here[one.name] = seen[key] = replace(seen[key], loaded=one) if key in seen else _Seen(one)
        _take_expectations(drill, here)
        _take_episodes(drill, here)
        for found in here.values():
            if recorded(drill.case.plan.scenario, drill.case.plan.record, found.rule.labels):
                missing = set(_missing(drill.case, found.rule))
                found.missing = missing if found.missing is None else found.missing & missing
    return seen


def _missing(case: Case, rule: AlertRule) -> tuple[Selector, ...]:
    def exists(selector: Selector) -> bool:
        return any(len(one.times_ms) for one in case.recording.select(selector))

    return empty_selectors(rule.rule.query, case.book.recorded, exists)


def _take_expectations(drill: Drilled, here: Mapping[_Name, _Seen]) -> None:
    results = {one.id: one for one in drill.result.expectations}
    for phase in drill.case.plan.scenario.phases:
        for position, expectation in enumerate(phase.expect):
            rule = drill.case.book.rule_of(expectation)
            judged = results.get(expectation_id(phase, position))
            if rule is not None and judged is not None and not judged.passes_as_control:
                fault = f"{drill.result.scenario}/{judged.phase}/{judged.fault}"
                here[_name(rule)].verdicts[fault] = judged.verdict


def _take_episodes(drill: Drilled, here: Mapping[_Name, _Seen]) -> None:
    for one in drill.attribution.owned:
        seen = _of_episode(one.episode, here)
        if seen is not None:
            seen.fired |= {f"{drill.result.scenario}/{name}": None for name in _injections(drill.case, one.phase)}
    for episode in drill.attribution.unexplained:
        seen = _of_episode(episode, here)
        if seen is not None:
            seen.false_alarms += 1


def _of_episode(episode: Episode, here: Mapping[_Name, _Seen]) -> _Seen | None:
    """The rule whose alert fired; None if it never fired."""
    if episode.firing_at is None:
        return None
    return next((seen for seen in here.values() if seen.rule.may_give(episode.label_map)), None)


def _injections(case: Case, phase: str | None) -> Iterator[str]:
    for one in case.deliveries.values():
        if one.injection.phase == phase and one.touched:
            yield one.injection.id


def _faults(drills: Sequence[Drilled]) -> Iterator[FaultCoverage]:
    found: dict[str, FaultCoverage] = {}
    for drill in drills:
        owned: dict[str, dict[str, None]] = defaultdict(dict)
        for one in drill.attribution.owned:
            if one.episode.firing_at is not None:
                owned[one.phase or ""].setdefault(one.episode.alert)
        for delivery in drill.case.deliveries.values():
            if not delivery.delivered:
                continue
            injection = delivery.injection
            phase = next(one for one in drill.case.plan.scenario.phases if one.name == injection.phase)
            name = f"{drill.result.scenario}/{injection.id}"
            found[name] = FaultCoverage(
                id=name,
                kind=injection.fault.kind,
                share=injection.fault.share,
                seen_by=tuple(owned[injection.phase]),
                expected=tuple(dict.fromkeys(one.alert for one in phase.expect)),
            )
    yield from found.values()


def _of_rule(
    loaded: Loaded,
    seen: Mapping[tuple[_Name, _Text], _Seen],
    ignored: Sequence[Ignored],
) -> RuleCoverage:
    rule = loaded.rule
    what = seen.get((loaded.name, loaded.text)) or next(
        (one for one in seen.values() if one.loaded.text == loaded.text), None
    )
    status, why = _status(what, [one for (name, _), one in seen.items() if name == loaded.name])
    about = next((one for one in ignored if one.speaks_of(rule)), None)
    return RuleCoverage(
        alert=rule.name,
        labels=dict(rule.rule.labels),
        file=rule.group.file,
        line=loaded.line,
        group=rule.group.name,
        status=status,
        why=why,
        was=what.rule.name if what is not None and what.rule.name != rule.name else None,
        faults={} if what is None else {**dict.fromkeys(what.fired, "fired"), **_values(what.verdicts)},
        false_alarms=0 if what is None else what.false_alarms,
        ignored=about.reason if about else None,
    )


def _values(verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    return {fault: verdict.value for fault, verdict in verdicts.items()}


def _status(seen: _Seen | None, old: Sequence[_Seen]) -> tuple[Status, str]:
    if seen is None:
        detected = [fault for one in old for fault, verdict in one.verdicts.items() if verdict is Verdict.DETECTED]
        if detected:
            return Status.CHANGED, f"it detected {detected[0]} before it was changed: drill it again, or replay"
        changed = " in this form" if old else ""
        return Status.NEW, f"no drill ran with it{changed}"
    told = {verdict: fault for fault, verdict in seen.verdicts.items()}
    if Verdict.DETECTED in told:
        return Status.COVERED, f"detected {told[Verdict.DETECTED]}"
    failed = [f"{verdict.value} {fault}" for verdict, fault in told.items() if verdict is not Verdict.INCONCLUSIVE]
    if failed:
        return Status.NOT_DETECTED, ", ".join(failed)
    if seen.missing:
        text = ", ".join(one.text() for one in sorted(seen.missing, key=Selector.text))
        return Status.DEAD, f"no drill saw a series of {text}"
    if told:
        return Status.INCONCLUSIVE, f"no drill could tell: {told[Verdict.INCONCLUSIVE]}"
    if seen.fired:
        return Status.UNEXPECTED, f"fired for {', '.join(list(seen.fired)[:3])}, and nobody expects it"
    if seen.false_alarms:
        return Status.ACCIDENTAL, f"fired {seen.false_alarms} times when nothing was broken, and never for a fault"
    return Status.NEVER_FIRED, MEANINGS[Status.NEVER_FIRED]


def _gaps(rules: Iterable[RuleCoverage]) -> Iterator[Gap]:
    rules = tuple(rules)
    for label in BY_LABELS:
        for value in sorted({one.labels.get(label, "") for one in rules}):
            those = [one for one in rules if one.labels.get(label, "") == value]
            covered = sum(one.status is Status.COVERED for one in those)
            yield Gap(label=label, value=value, covered=covered, total=len(those))


def _notes(
    ignored: Sequence[Ignored], in_force: Sequence[Ignored], rules: Sequence[Loaded], today: date
) -> Iterator[str]:
    for one in ignored:
        if one not in in_force:
            yield f"{one.text()} is ignored no more since {one.until} ({one.reason}): drill it, or renew the entry"
        elif not any(one.speaks_of(loaded.rule) for loaded in rules):
            yield f"{one.text()} is ignored, and there is no such rule: remove the entry"
