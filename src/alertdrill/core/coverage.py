"""Which alert rules were seen to detect a fault, which never were and why, and which faults no alert saw."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.alerts import Episode
from alertdrill.core.asked import expectation_id
from alertdrill.core.attribution import attribute
from alertdrill.core.case import Case
from alertdrill.core.emptiness import empty_selectors
from alertdrill.core.matchers import Matcher, all_match
from alertdrill.core.promql import Selector, normal
from alertdrill.core.result import Result, Verdict
from alertdrill.core.scope import AlertRule, RuleBook, in_scope

BY_LABELS = ("pillar", "severity")


class Status(StrEnum):
    """What drills say of a rule."""

    COVERED = "covered"
    CHANGED = "changed"
    NEW = "new"
    NOT_DETECTED = "not_detected"
    INCONCLUSIVE = "inconclusive"
    UNEXPECTED = "unexpected"
    ACCIDENTAL = "accidental"
    DEAD = "dead"
    NEVER_FIRED = "never_fired"


MEANINGS: Mapping[Status, str] = {
    Status.COVERED: "a drill expected it, and it detected the fault",
    Status.CHANGED: "it detected a fault in another form: the rule was changed since",
    Status.NEW: "no drill ran with it",
    Status.NOT_DETECTED: "drills expected it, and each time it missed, was late or told something else",
    Status.INCONCLUSIVE: "drills expected it, and none could tell",
    Status.UNEXPECTED: "it fired when something was broken, and no drill expects it",
    Status.ACCIDENTAL: "it fired only when nothing was broken",
    Status.DEAD: "what it reads never existed: it cannot fire",
    Status.NEVER_FIRED: "it never fired, and no drill expects it",
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class RuleCoverage(_Frozen):
    """One alert rule."""

    alert: str
    labels: dict[str, str] = Field(description="that the rule itself gives its alerts")
    file: str = Field(description="as the engine, or the user, names it")
    line: int | None = Field(default=None, description="where the rule starts; null if rules came from an engine")
    group: str
    status: Status
    why: str = Field(description="the same in words, with what was seen")
    was: str | None = Field(default=None, description="the name under which it was drilled; null if it is the same")
    faults: dict[str, str] = Field(
        default={},
        description="fault (scenario/phase/fault) to what the rule did: a verdict, or `fired` where nobody expected it",
    )
    false_alarms: int = Field(default=0, description="how often it fired although nothing was broken")
    ignored: str | None = Field(default=None, description="the reason of the ignore file; null: it counts")


class FaultCoverage(_Frozen):
    """One fault that was delivered."""

    id: str = Field(description="scenario/phase/fault")
    kind: str
    share: float
    seen_by: tuple[str, ...] = Field(description="alerts that fired for it")
    expected: tuple[str, ...] = Field(description="alerts that its phase expected")


class Gap(_Frozen):
    """How many rules with one value of a label are covered."""

    label: str
    value: str = Field(description="empty: rules without this label")
    covered: int
    total: int


class Difference(_Frozen):
    """What changed since another coverage, by rule (alert, and the labels that its rule gives it)."""

    lost: tuple[str, ...] = Field(description="covered there, and here no more")
    gained: tuple[str, ...] = Field(description="covered here, and not there")
    uncovered: tuple[str, ...] = Field(description="not there at all, and not covered here")
    gone: tuple[str, ...] = Field(description="there, and here no more")


class CoverageResult(_Frozen):
    """The coverage of a set of rules by a set of drills."""

    schema_: Literal["alertdrill/coverage/v1"] = Field(default="alertdrill/coverage/v1", alias="schema")
    covered: int
    total: int = Field(description="rules in scope that are not ignored")
    share: float | None = Field(description="covered ÷ total; null where there is no rule")
    drills: tuple[str, ...] = Field(description="scenario/run of every drill that counted")
    rules: tuple[RuleCoverage, ...]
    faults: tuple[FaultCoverage, ...]
    unseen: tuple[str, ...] = Field(description="faults for which no alert fired")
    gaps: tuple[Gap, ...] = Field(description="by pillar and severity")
    notes: tuple[str, ...] = ()
    against: Difference | None = Field(default=None, description="null: nothing to compare with was given")

    def to_json(self) -> bytes:
        """Canonical JSON: keys sorted, two spaces, a line end."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


class Ignored(_Frozen):
    """Rules that coverage leaves out, and why."""

    alert: str | None = Field(default=None, description="name of the alert; none: any")
    labels: dict[str, str] = Field(default={}, description="labels that the rule gives its alerts")
    reason: str = Field(min_length=3, description="why it need not be drilled")
    until: date = Field(description="the last day on which it is left out, such as 2027-03-31")

    def speaks_of(self, rule: AlertRule) -> bool:
        """Whether it is about a rule."""
        wanted = self.labels | ({"alertname": self.alert} if self.alert else {})
        return bool(wanted) and all(rule.labels.get(name) == value for name, value in wanted.items())

    def text(self) -> str:
        """What it is about."""
        return self.alert or ", ".join(f"{name}={value}" for name, value in self.labels.items())


class IgnoreFile(_Frozen):
    """The file of `--ignore`."""

    ignore: tuple[Ignored, ...] = Field(description="rules that are left out")


@dataclass(frozen=True)
class Drilled:
    """A drill that was judged: its facts, and the verdicts drawn from them."""

    name: str
    case: Case
    result: Result


_Name = tuple[str, tuple[tuple[str, str], ...]]
_Text = tuple[str, float, float, tuple[str, ...]]


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
        """What tells it from others: the alert, and the labels that it gives."""
        return self.rule.name, tuple(sorted(self.rule.rule.labels.items()))


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
            if in_scope(drill.case.plan.scenario, found.rule.labels):
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
                here[rule.name, tuple(sorted(rule.rule.labels.items()))].verdicts[fault] = judged.verdict


def _take_episodes(drill: Drilled, here: Mapping[_Name, _Seen]) -> None:
    attribution = attribute(drill.case)
    for one in attribution.owned:
        for seen in _of_episode(one.episode, here):
            for injection in _injections(drill.case, one.phase):
                seen.fired.setdefault(f"{drill.result.scenario}/{injection}")
    for episode in attribution.unexplained:
        for seen in _of_episode(episode, here):
            seen.false_alarms += 1


def _of_episode(episode: Episode, here: Mapping[_Name, _Seen]) -> Iterator[_Seen]:
    if episode.firing_at is None:
        return
    for (name, _), seen in here.items():
        labels = episode.label_map
        if name == episode.alert and all(labels.get(k) == v for k, v in seen.rule.fixed_labels.items()):
            yield seen
            return


def _injections(case: Case, phase: str | None) -> Iterator[str]:
    for one in case.deliveries.values():
        if one.injection.phase == phase and one.touched:
            yield one.injection.id


def _faults(drills: Sequence[Drilled]) -> Iterator[FaultCoverage]:
    found: dict[str, FaultCoverage] = {}
    for drill in drills:
        owned: dict[str, dict[str, None]] = defaultdict(dict)
        for one in attribute(drill.case).owned:
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
        return Status.DEAD, f"{text} never existed"
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


def named(rule: RuleCoverage) -> str:
    """A rule's alert, with the labels that tell it from others of the same name."""
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(rule.labels.items()) if name in BY_LABELS)
    return f"{rule.alert}{{{labels}}}" if labels else rule.alert


def difference(before: CoverageResult, after: CoverageResult) -> Difference:
    """What changed between two coverages; rules that were only renamed are the same rule."""
    old = {named(one): one for one in before.rules if one.ignored is None}
    new = {named(one): one for one in after.rules if one.ignored is None}
    lost, gained, uncovered, kept = [], [], [], set()
    for name, one in new.items():
        was = old.get(name) or next((o for o in old.values() if one.was and o.alert == one.was), None)
        covered = one.status is Status.COVERED
        if was is None:
            gained += [name] if covered else []
            uncovered += [] if covered else [name]
            continue
        kept.add(named(was))
        was_covered = was.status is Status.COVERED
        lost += [name] if was_covered and not covered else []
        gained += [name] if covered and not was_covered else []
    gone = tuple(name for name in old if name not in kept)
    return Difference(lost=tuple(lost), gained=tuple(gained), uncovered=tuple(uncovered), gone=gone)


def read_coverage(text: bytes) -> CoverageResult:
    """A coverage from its JSON.

    Raises:
        ValueError: it is none.
    """
    return CoverageResult.model_validate_json(text)
