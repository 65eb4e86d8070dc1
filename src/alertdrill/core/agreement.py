"""One verdict of what several replicas of a Prometheus say, and in what they disagree.

An Alertmanager is told by every replica and tells people once, so the alert that fires first counts. That one replica
fired proves what reached people; a miss takes the silence of all. A replica that was healthy and silent beside one that
fired is blind, and nobody would notice before the other is gone: that is neither a detection nor a miss.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from alertdrill.core.asked import because
from alertdrill.core.case import Case
from alertdrill.core.result import (
    Code,
    EpisodeResult,
    ExpectationResult,
    ProhibitionResult,
    ProhibitionVerdict,
    Reason,
    ReplicasResult,
    ReplicaVerdict,
    Verdict,
)
from alertdrill.core.scenario import Expectation
from alertdrill.core.scope import AlertRule

SILENT = (Verdict.MISSED, Verdict.WRONG_LABELS, Verdict.OUT_OF_VIEW)
FIRED = (Verdict.DETECTED, Verdict.LATE)
NOT_THE_FAULT = (Code.ALREADY_FIRING, Code.CROSSED_BEFORE_SERVED)
"""Where a replica says so, something but the fault raised the alert, whatever the others saw."""


@dataclass(frozen=True)
class Said:
    """What one replica says of one expectation.

    Attributes:
        replica: its name.
        case: what it saw.
        expectation: what was asked.
        result: the verdict that it alone would give.
    """

    replica: str
    case: Case
    expectation: Expectation
    result: ExpectationResult

    @property
    def fired(self) -> bool:
        """Whether it proves that the alert fired because of the fault."""
        return self.result.detection in FIRED

    @property
    def deaf(self) -> bool:
        """Whether it proves that it would not have raised the alert: silent though healthy, or its rule fails."""
        code = self.result.reason.code if self.result.reason else None
        return self.result.detection in SILENT or (not self.fired and code is Code.RULE_ERROR)

    @property
    def rule(self) -> AlertRule | None:
        """Its rule for the alert; None where it has none."""
        return self.case.book.rule_of(self.expectation)

    def words(self) -> str:
        """What it says, in a few words."""
        one = self.result
        after = "" if one.ttd_s is None else f" after {one.ttd_s:.3f} s"
        why = f" ({one.reason.text})" if one.reason and not self.fired else ""
        return f"{self.replica} says {one.detection}{after}{why}"


def agree(said: Sequence[Said]) -> ExpectationResult:
    """The verdict that replicas come to on one expectation, with what each of them says."""
    fired = [one for one in said if one.fired]
    verdict, reason, decisive = _of_fired(said, fired) if fired else _of_silent(said)
    differ = list(_differences(said, fired))
    alike = all(one.result.reason == reason for one in said)
    if reason is not None and not alike and reason.code is not Code.REPLICAS_DISAGREE:
        reason = reason.model_copy(update={"text": "; ".join([f"{decisive.replica}: {reason.text}", *differ])})
    replicas = ReplicasResult(
        decisive=decisive.replica,
        said=tuple(
            ReplicaVerdict(
                replica=one.replica,
                verdict=one.result.verdict,
                reason=one.result.reason,
                pending_at=one.result.pending_at,
                firing_at=one.result.firing_at,
                resolved_at=one.result.resolved_at,
                ttd_s=one.result.ttd_s,
            )
            for one in said
        ),
        disagreement="; ".join(differ) or None,
    )
    return decisive.result.model_copy(update={"verdict": verdict, "reason": reason, "replicas": replicas})


Decided = tuple[Verdict, Reason | None, Said]


def _of_silent(said: Sequence[Said]) -> Decided:
    """None fired: a miss needs the proven silence of all, so what is inconclusive comes first."""
    one = min(said, key=lambda one: list(Verdict).index(one.result.verdict))
    return one.result.verdict, one.result.reason, one


def _of_fired(said: Sequence[Said], fired: Sequence[Said]) -> Decided:
    """At least one fired: the earliest, unless another contradicts it."""
    first = min(fired, key=lambda one: one.result.ttd_s or 0.0)
    for other in said:
        reason = other.result.reason
        if not other.fired and reason is not None and reason.code in NOT_THE_FAULT:
            return Verdict.INCONCLUSIVE, reason, other
    against = [one for one in said if one.deaf or (one.fired and _contradicts(first, one))]
    if against:
        return Verdict.INCONCLUSIVE, _disagree(said, first, against), first
    on = next((one for one in fired if one.result.resolution == "not_resolved"), None)
    if on is not None and first.result.verdict is Verdict.DETECTED:
        return Verdict.NOT_RESOLVED, on.result.reason, first
    return first.result.verdict, first.result.reason, first


def _contradicts(first: Said, other: Said) -> bool:
    """Whether one that fired too says otherwise: late beyond what intervals explain, or flapping where it did not."""
    if other.result.detection != first.result.detection and not _explained(first, other):
        return True
    flapped = {one.result.resolution == "flapped" for one in (first, other) if one.result.resolution != "inconclusive"}
    return len(flapped) > 1


def _disagree(said: Sequence[Said], first: Said, against: Sequence[Said]) -> Reason:
    rules = list(_rules_differ(said))
    text = "; ".join(["the replicas disagree", *(one.words() for one in said), *rules])
    blind = ", ".join(one.replica for one in against)
    fix = f"compare rules, targets and settings of {blind} with those of {first.replica}, then run again"
    return because(Code.REPLICAS_DISAGREE, text, fix)


def _explained(first: Said, other: Said) -> bool:
    """Whether two instants differ by no more than the scrapes and evaluations of two replicas can.

    Each counts from the same first effect on its own clock. Replicas with the same rule fire between the same floor and
    worst; where these are not known, at most one scrape and one evaluation apart, the longest scrape added.
    """
    a, b = first.result, other.result
    if a.ttd_s is None or b.ttd_s is None:
        return True
    error_s = (a.ttd_error_s or 0.0) + (b.ttd_error_s or 0.0)
    bounds = [one for one in (a, b) if one.floor_s is not None and one.worst_s is not None]
    if len(bounds) == 2:
        spread_s = max((one.worst_s or 0.0) - (one.floor_s or 0.0) for one in bounds)
    else:
        settings = [one.evidence.get("settings", {}) for one in (a, b)]
        spread_s = max(one.get("scrape_s", 0.0) + one.get("evaluation_s", 0.0) for one in settings)
        spread_s += max(_longest_scrape_s(one.case) for one in (first, other))
    return abs(a.ttd_s - b.ttd_s) <= spread_s + error_s


def _longest_scrape_s(case: Case) -> float:
    took = [float(one.values.max()) for one in case.recording.named("scrape_duration_seconds") if len(one.values)]
    return max(took, default=0.0)


def _differences(said: Sequence[Said], fired: Sequence[Said]) -> Iterator[str]:
    """In what replicas differ, in words: who fired, when, what they could see, and their rules."""
    if len({one.result.detection for one in said}) > 1:
        yield "; ".join(one.words() for one in said)
    elif fired:
        first = min(fired, key=lambda one: one.result.ttd_s or 0.0)
        for one in fired:
            if not _explained(first, one):
                apart = (one.result.ttd_s or 0.0) - (first.result.ttd_s or 0.0)
                yield f"{one.replica} fired {apart:.3f} s after {first.replica}, more than their intervals explain"
    ends = {one.result.resolution for one in fired} - {None, "not_asked"}
    if len(ends) > 1:
        yield ", ".join(f"{one.replica}: {one.result.resolution}" for one in fired)
    yield from _rules_differ(said)


def _rules_differ(said: Sequence[Said]) -> Iterator[str]:
    """In what the rules of replicas differ that should be the same."""
    known = [(one.replica, one.rule) for one in said]
    missing = [name for name, rule in known if rule is None]
    if missing and len(missing) < len(known):
        yield f"{', '.join(missing)} has no such rule"
    rules = [(name, rule) for name, rule in known if rule is not None]
    parts: dict[str, Callable[[AlertRule], str]] = {
        "expression": lambda rule: rule.rule.query,
        "for": lambda rule: f"{rule.rule.for_s:g} s",
        "labels": lambda rule: str(dict(sorted(rule.rule.labels.items()))),
        "interval": lambda rule: f"{rule.group.interval_s:g} s",
    }
    for what, part in parts.items():
        values = [(name, part(rule)) for name, rule in rules]
        if len({value for _, value in values}) > 1:
            yield f"their rules differ in {what}: " + ", ".join(f"{value} on {name}" for name, value in values)


def agree_on_silence(said: Sequence[tuple[str, ProhibitionResult]], slack_s: float) -> ProhibitionResult:
    """The verdict on one prohibition: an alarm of any replica reaches people, silence needs all of them.

    Args:
        said: what each replica alone would say.
        slack_s: episodes of one alert that are no further apart are the same.
    """
    order = (ProhibitionVerdict.FALSE_ALARM, ProhibitionVerdict.INCONCLUSIVE, ProhibitionVerdict.QUIET)
    name, worst = min(said, key=lambda one: order.index(one[1].verdict))
    episodes = once([(name, one.episodes) for name, one in said], slack_s)
    reason = worst.reason
    if reason is not None:
        reason = reason.model_copy(update={"text": f"{name}: {reason.text}"})
    differ = len({one.verdict for _, one in said}) > 1
    text = "; ".join(f"{name} says {one.verdict}" for name, one in said) if differ else None
    return worst.model_copy(update={"reason": reason, "episodes": episodes, "disagreement": text})


def once(found: Iterable[tuple[str, Sequence[EpisodeResult]]], slack_s: float) -> tuple[EpisodeResult, ...]:
    """The episodes that replicas saw, each once and as the first replica to see it did, in order."""
    named = [one.model_copy(update={"replica": name}) for name, episodes in found for one in episodes]
    kept: list[EpisodeResult] = []
    for one in sorted(named, key=lambda one: (one.pending_at, one.alert)):
        same = (other for other in kept if (other.alert, other.labels) == (one.alert, one.labels))
        if not any(other.replica != one.replica and _overlap(other, one, slack_s) for other in same):
            kept.append(one)
    return tuple(kept)


def _overlap(earlier: EpisodeResult, later: EpisodeResult, slack_s: float) -> bool:
    return earlier.resolved_at is None or later.pending_at <= earlier.resolved_at + slack_s
