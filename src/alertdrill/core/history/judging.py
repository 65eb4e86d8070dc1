"""From what rules wrote over a past to what each did about an incident in it, and how often it had fired before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alertdrill.core.alerts import Episode, episodes
from alertdrill.core.history.gaps import Instants, Interval, joined, length_ms, within
from alertdrill.core.history.result import FalseAlarms, Firing, RuleHistory
from alertdrill.core.matchers import in_braces
from alertdrill.core.observations import RawSeries
from alertdrill.core.replay.dependencies import Place, Rules
from alertdrill.core.replay.rule_changes import Written
from alertdrill.core.result import Code, Reason, Verdict
from alertdrill.core.scope import AlertRule
from alertdrill.core.stats import poisson_upper
from alertdrill.core.units import format_duration

PERIOD_S = 30 * 86_400.0
SLACK_MS = 60_000


@dataclass(frozen=True)
class Times:
    """Instants in ms: the past that is judged for false alarms (empty where it begins at the onset), and the range."""

    history_ms: int
    from_ms: int
    onset_ms: int
    to_ms: int


@dataclass(frozen=True)
class Seen:
    """What is known of one alert rule before it is judged.

    Attributes:
        why_not: why it cannot be judged at all.
        why_not_silent: why its silence after the onset would prove nothing.
        blind: when it could not have been seen to fire.
        error_ms: how far off its instants may be in the range.
        notes: what is to be said of it.
    """

    why_not: Reason | None = None
    why_not_silent: Reason | None = None
    blind: tuple[Interval, ...] = ()
    error_ms: int = 0
    notes: tuple[str, ...] = ()


def ids_of(rules: Rules) -> Mapping[Place, str]:
    """What each alert is called: by its name, or, where several rules have it, with their labels, or else numbered."""
    alerts = [place for place in rules.places if rules[place].type == "alerting"]
    names = [rules[place].name for place in alerts]
    found: dict[Place, str] = {}
    for place in alerts:
        rule = rules[place]
        name = rule.name if names.count(rule.name) == 1 else rule.name + in_braces(rule.labels)
        same = sum(1 for other in found.values() if other == name or other.startswith(f"{name} #"))
        found[place] = f"{name} #{same + 1}" if same else name
    return found


def judged(
    rules: Rules,
    place: Place,
    written: Written,
    alerts: Sequence[RawSeries],
    evaluations_ms: Instants,
    times: Times,
    seen: Seen,
) -> RuleHistory:
    """What one alert did.

    Args:
        rules: all of them.
        place: of the alert.
        written: where it stands.
        alerts: samples of ALERTS, staleness markers left out.
        evaluations_ms: shape (n,): of its group.
        times: what is looked at.
        seen: what is known of it.
    """
    alert = AlertRule(rules.groups[place.group], rules[place])
    own = [one for one in alerts if alert.may_give(one.labels)]
    found = episodes(own, alert.interval_ms, evaluations_ms, times.to_ms)
    fired = [one for one in found if one.firing_at is not None]
    fresh = [one for one in fired if one.pending_at >= times.onset_ms]
    first = min(fresh, key=lambda one: (one.firing_at or 0, one.labels), default=None)
    verdict, reason = _verdict(first, found, times, seen)
    detected = first if verdict is Verdict.DETECTED else None
    return RuleHistory(
        id=ids_of(rules)[place],
        alert=alert.name,
        file=written.file,
        line=written.lines.get("alert"),
        verdict=verdict,
        reason=reason,
        labels=detected.label_map if detected else None,
        fault_start=times.onset_ms / 1000,
        pending_at=detected.pending_at / 1000 if detected else None,
        firing_at=_s(detected.firing_at) if detected else None,
        resolved_at=_s(detected.resolved_at) if detected else None,
        ttd_s=((detected.firing_at or 0) - times.onset_ms) / 1000 if detected else None,
        error_s=seen.error_ms / 1000,
        before_onset=tuple(_firing(one) for one in fired if _fires_in(one, times.from_ms, times.onset_ms)),
        after_onset=tuple(_firing(one) for one in fired if (one.firing_at or 0) >= times.onset_ms),
        false_alarms=_false_alarms(fired, times, seen, alert.interval_ms) if seen.why_not is None else None,
        notes=seen.notes,
    )


def _verdict(
    first: Episode | None, found: Sequence[Episode], times: Times, seen: Seen
) -> tuple[Verdict, Reason | None]:
    if seen.why_not is not None:
        return Verdict.INCONCLUSIVE, seen.why_not
    if first is not None:
        return Verdict.DETECTED, None
    active = [one for one in found if one.pending_at < times.onset_ms and one.active_at(times.onset_ms)]
    fired = [one for one in active if one.firing_at is not None]
    if fired:
        since = times.onset_ms - min(one.pending_at for one in fired)
        always = since + SLACK_MS >= times.onset_ms - min(times.history_ms, times.from_ms)
        ahead = "all the time that was looked at" if always else f"for {format_duration(round(since / 1000))} then"
        fires = any((one.firing_at or 0) < times.onset_ms for one in fired)
        text = f"{'firing' if fires else 'pending'} at the onset, active {ahead}"
        return Verdict.INCONCLUSIVE, Reason(
            code=Code.ALREADY_FIRING, text=text, decide_it_by="state an earlier onset if the fault began earlier"
        )
    if seen.why_not_silent is not None:
        return Verdict.INCONCLUSIVE, seen.why_not_silent
    pending = active or any(one.pending_at >= times.onset_ms for one in found)
    code = Code.NEVER_FIRING if pending else Code.NEVER_PENDING
    lasted = format_duration((times.to_ms - times.onset_ms) / 1000)
    text = f"never {'firing' if pending else 'pending'} in {lasted} after the onset"
    return Verdict.MISSED, Reason(code=code, text=text, decide_it_by="lower its threshold or for, or widen --range")


def _false_alarms(fired: Sequence[Episode], times: Times, seen: Seen, interval_ms: int) -> FalseAlarms | None:
    if times.history_ms >= times.onset_ms:
        return None
    before = [one for one in fired if _fires_in(one, times.history_ms, times.onset_ms)]
    stretches = joined((one.firing_at or 0, one.resolved_at or times.to_ms + 1) for one in before)
    blind = within(seen.blind, times.history_ms, times.onset_ms)
    judged_s = (times.onset_ms - times.history_ms - length_ms(blind)) / 1000
    bound = poisson_upper(len(stretches), judged_s / PERIOD_S) if judged_s > 0 else None
    error_s = interval_ms / 1000 if times.history_ms < times.from_ms else seen.error_ms / 1000
    return FalseAlarms(
        count=len(stretches), episodes=len(before), judged_s=judged_s, at_most_per_30_d=bound, error_s=error_s
    )


def _fires_in(one: Episode, from_ms: int, to_ms: int) -> bool:
    """Whether an episode fires at some instant of [from_ms, to_ms)."""
    assert one.firing_at is not None, "only of those that fired"
    return one.firing_at < to_ms and (one.resolved_at is None or one.resolved_at > from_ms)


def _firing(one: Episode) -> Firing:
    return Firing(
        labels=one.label_map,
        pending_at=one.pending_at / 1000,
        firing_at=(one.firing_at or 0) / 1000,
        resolved_at=_s(one.resolved_at),
    )


def _s(at_ms: int | None) -> float | None:
    return None if at_ms is None else at_ms / 1000
