"""The verdict on one expectation: detected only with evidence, missed only when silence proves something."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from alertdrill.core import journal as records
from alertdrill.core.aftermath import resolution_of
from alertdrill.core.alerts import GAP_INTERVALS, Episode
from alertdrill.core.asked import Asked, ask, because, too_near
from alertdrill.core.attribution import Attribution, is_expected
from alertdrill.core.carry_over import carry_over, remains
from alertdrill.core.case import Case
from alertdrill.core.crossing import crossed
from alertdrill.core.detection import Bounds
from alertdrill.core.health import doubt, engine_trouble, restarted, scrapes
from alertdrill.core.missed import (
    differences,
    labels_differ,
    nearest_episode,
    not_loaded,
    out_of_view,
    signal_of,
    why_silent,
)
from alertdrill.core.notification import Notification, notification_of
from alertdrill.core.plan import Injection
from alertdrill.core.preconditions import why_not_started
from alertdrill.core.receivers import labels_of_posts
from alertdrill.core.result import Code, ExpectationResult, HopResult, LabelDifference, Reason, Verdict, View
from alertdrill.core.scope import AlertRule, expects, wanted_by
from alertdrill.core.timing import bounds_of, settings_of, waterfall_of
from alertdrill.core.witness import fired as posted_instant


@dataclass(frozen=True)
class Found:
    """What detection comes to, before resolution and notification are looked at."""

    verdict: Verdict
    reason: Reason | None
    episode: Episode | None
    differences: tuple[LabelDifference, ...] = ()


def _unseen_before(asked: Asked, rule: AlertRule) -> bool:
    """Whether no evaluation of a rule is known in the last 1.5 intervals before fault_start."""
    start, times = asked.delivery.first_ms or 0, asked.case.evaluations_ms(rule)
    return not bool(np.any((times <= start) & (times >= start - GAP_INTERVALS * rule.interval_ms)))


def detection(asked: Asked) -> Found:
    """Whether the alert fired because of the fault, in time, with the right labels."""
    if asked.rule is None and asked.case.all(records.Rules):
        return Found(Verdict.MISSED, not_loaded(asked), None)
    reason = why_not_started(asked)
    if reason or asked.rule is None:
        return Found(
            Verdict.INCONCLUSIVE,
            reason or because(Code.QUERY_FAILED, "the rules were never read", "keep Prometheus running"),
            None,
        )
    if _unseen_before(asked, asked.rule):
        start, before_ms = asked.delivery.first_ms or 0, round(GAP_INTERVALS * asked.rule.interval_ms)
        again = restarted(asked.case, asked.rule, start - before_ms, start)
        if again:
            return Found(Verdict.INCONCLUSIVE, again, None)
        silent = engine_trouble(asked.case)
        if silent:
            return Found(Verdict.INCONCLUSIVE, silent, None)
        text = "the rule was not evaluated right before the fault, so it may have been active already"
        fix = (
            f"see that it is evaluated every {asked.rule.group.interval_s:g} s before the drill begins, then run again"
        )
        return Found(Verdict.INCONCLUSIVE, because(Code.EVALUATION_GAP, text, fix), None)
    before = _active_before(asked)
    if before:
        text = f"active since {(before.pending_at - (asked.delivery.first_ms or 0)) / 1000:+.1f} s from fault_start"
        return Found(
            Verdict.INCONCLUSIVE, because(Code.ALREADY_FIRING, text, "wait for it to resolve, then run again"), None
        )
    owned = asked.attribution.of_phase(asked.phase.name)
    fired = [e for e in owned if expects(asked.expectation, e.label_map) and e.firing_at is not None]
    if fired:
        return _judge_fired(asked, min(fired, key=lambda e: e.firing_at or 0))
    return _judge_silence(asked, owned)


def _active_before(asked: Asked) -> Episode | None:
    """An expected label set that was pending or firing at the last evaluation before fault_start."""
    start = asked.delivery.first_ms or 0
    for episode in asked.case.episodes:
        if expects(asked.expectation, episode.label_map) and episode.pending_at <= start and episode.active_at(start):
            return episode
    return None


def _judge_fired(asked: Asked, episode: Episode) -> Found:
    rule, first = asked.rule, asked.delivery.first_ms or 0
    served = first if asked.delivery.served_ms is None else asked.delivery.served_ms
    if rule is None or episode.firing_at is None:
        raise ValueError("an episode that fired has a rule and an instant")
    scrape = crossed(asked.case, rule, episode)
    held = (episode.pending_at, episode.pending_at) if scrape is None else scrape
    if held[1] < served:
        text = f"the condition held {(served - held[0]) / 1000:.3f} s before the first touched exchange was answered"
        return Found(
            Verdict.INCONCLUSIVE,
            because(Code.CROSSED_BEFORE_SERVED, text, "run again: something else raised the signal"),
            episode,
        )
    again = restarted(asked.case, rule, first, episode.firing_at)
    if again:
        return Found(Verdict.INCONCLUSIVE, again, episode)
    left = remains(asked.case, rule, wanted_by(asked.expectation), first)
    if left is not None:
        text = f"earlier faults had left the signal {left:.0%} of the way to its threshold when this one began"
        fix = f"run --only {asked.phase.name}, or put the phase first"
        return Found(Verdict.INCONCLUSIVE, because(Code.CARRY_OVER, text, fix), episode)
    ttd_ms = episode.firing_at - first
    doubtful = too_near(asked, "fired", ttd_ms - asked.within_ms)
    if doubtful:
        return Found(Verdict.INCONCLUSIVE, doubtful, episode)
    if ttd_ms <= asked.within_ms:
        return Found(Verdict.DETECTED, None, episode)
    silent = doubt(asked.case, rule, first, episode.firing_at)
    if silent:
        return Found(Verdict.INCONCLUSIVE, silent, episode)
    over = (ttd_ms - asked.within_ms) / 1000
    text = f"fired after {ttd_ms / 1000:.3f} s, {over:.3f} s over {asked.expectation.within:g} s"
    return Found(
        Verdict.LATE,
        because(Code.TOO_LATE, text, f"within: {math.ceil(ttd_ms / 1000)}s, or a shorter `for` or window"),
        episode,
    )


def _judge_silence(asked: Asked, owned: tuple[Episode, ...]) -> Found:
    if asked.rule is None:
        raise ValueError("silence is judged for loaded rules only")
    delivery = asked.delivery
    tail_end = (delivery.over_ms or 0) + asked.case.tail_ms
    reason = doubt(asked.case, asked.rule, delivery.first_ms or 0, min(asked.deadline_ms, tail_end))
    if reason:
        return Found(Verdict.INCONCLUSIVE, reason, None)
    reason = _contradiction(asked, tail_end)
    if reason:
        return Found(Verdict.INCONCLUSIVE, reason, None)
    name, phase = asked.expectation.alert, asked.phase
    others = [e for e in owned if e.alert == name and e.firing_at is not None and not is_expected(phase, e)]
    if others:
        other = nearest_episode(asked.expectation, others)
        return Found(
            Verdict.WRONG_LABELS, labels_differ(asked, other), None, differences(asked.expectation, other.label_map)
        )
    pending = [e for e in owned if expects(asked.expectation, e.label_map)]
    hidden = None if pending else out_of_view(asked)
    if hidden is not None:
        return Found(Verdict.OUT_OF_VIEW, hidden, None)
    return Found(Verdict.MISSED, why_silent(asked, pending), None)


def _contradiction(asked: Asked, tail_end_ms: int) -> Reason | None:
    """Why silence in the recording is not to be believed: nothing was recorded, or the engine posted otherwise."""
    case, first = asked.case, asked.delivery.first_ms or 0
    if not case.recording.named("up"):
        text = "the recording holds no scrapes at all"
        return because(Code.SERIES_NOT_RECORDED, text, "check the folder as the drill left it, or run again")
    added = labels_of_posts(case.plan.scenario, case.plan.run_id)
    for post in case.posts_of(asked.expectation.alert):
        bare = {name: value for name, value in post.labels.items() if added.get(name) != value}
        expected = expects(asked.expectation, post.labels) or expects(asked.expectation, bare)
        if post.status == "firing" and expected and first < post.starts_at_ms <= tail_end_ms:
            text = "the engine posted that the alert fired, and the recording does not show it"
            return because(Code.SERIES_NOT_RECORDED, text, "check the folder as the drill left it, or run again")
    return None


def judge(asked: Asked) -> ExpectationResult:
    """The whole verdict on one expectation."""
    found = detection(asked)
    verdict, reason, episode = found.verdict, found.reason, found.episode
    resolution, notification = None, Notification(None)
    if episode is not None and verdict in (Verdict.DETECTED, Verdict.LATE):
        resolution, why_resolution = resolution_of(asked, episode)
        notification = notification_of(asked, episode)
        if verdict is Verdict.DETECTED:
            verdict, reason = _headline(resolution, why_resolution, notification)
        differs = _differs(asked.case, episode)
        if differs is not None:
            verdict, reason = Verdict.INCONCLUSIVE, differs
    return _result(asked, found, verdict, reason, resolution, notification)


def _differs(case: Case, episode: Episode) -> Reason | None:
    """Why an instant is not to be believed: the engine's own post states another."""
    posted = posted_instant(case, episode)
    if posted is None or posted.agrees:
        return None
    return because(Code.CLOCK_DOUBT, str(posted), "keep Prometheus running and its rules still, then run again")


def _headline(
    resolution: str, why_resolution: Reason | None, notification: Notification
) -> tuple[Verdict, Reason | None]:
    if resolution == "inconclusive":
        return Verdict.INCONCLUSIVE, why_resolution
    if resolution == "flapped":
        return Verdict.FLAPPED, why_resolution
    if notification.outcome == "inconclusive":
        return Verdict.INCONCLUSIVE, notification.reason
    if notification.reason is not None:
        return Verdict.NOT_NOTIFIED, notification.reason
    if resolution == "not_resolved":
        return Verdict.NOT_RESOLVED, why_resolution
    return Verdict.DETECTED, None


def _result(
    asked: Asked,
    found: Found,
    verdict: Verdict,
    reason: Reason | None,
    resolution: str | None,
    notification: Notification,
) -> ExpectationResult:
    case, expectation, delivery, episode = asked.case, asked.expectation, asked.delivery, found.episode
    settings = settings_of(case, asked.rule) if asked.rule else None
    limits, fill = bounds_of(asked, settings) if settings else (Bounds(None, None, None), None)
    hops = waterfall_of(asked, episode, settings, fill) if episode and settings else ()
    start, firing = delivery.first_ms, episode.firing_at if episode else None
    carry = carry_over(case, asked.rule, wanted_by(expectation), start) if asked.rule and start is not None else None
    return ExpectationResult(
        id=asked.id,
        phase=asked.phase.name,
        fault=delivery.injection.id.rsplit("/", 1)[-1],
        alert=expectation.alert,
        labels=dict(expectation.labels),
        matchers=tuple(one.text() for one in expectation.matchers),
        verdict=verdict,
        reason=reason,
        control=delivery.injection.share == 0,
        fault_start=_seconds(start),
        full_dose_at=_seconds(delivery.full_ms),
        dose_at_firing=None if firing is None else _dose_at(case, delivery.injection, firing),
        pending_at=_seconds(episode.pending_at if episode else None),
        firing_at=_seconds(firing),
        resolved_at=_seconds(episode.resolved_at if episode else None),
        notified_at=_seconds(notification.at_ms),
        detection=found.verdict.value,
        resolution=resolution,
        notification=notification.outcome,
        notified_receivers=notification.receivers,
        ttd_s=_difference(firing, start),
        ttd_error_s=None if firing is None or asked.rule is None else _ttd_error_s(case, asked.rule),
        notify_s=_difference(notification.at_ms, firing),
        ttn_s=_difference(notification.at_ms, start),
        silent_s=_silent_s(asked, found),
        within_s=expectation.within,
        probability=expectation.probability,
        notifies_within_s=expectation.notifies.within if expectation.notifies else None,
        notifies_receiver=expectation.notifies.receiver if expectation.notifies else None,
        resolves_within_s=expectation.resolves_within,
        floor_s=limits.floor_s,
        expected_s=limits.expected_s,
        worst_s=limits.worst_s,
        waterfall=tuple(HopResult.model_validate(asdict(hop)) for hop in hops),
        carry_over=carry,
        views=tuple(view for view in View if view in asked.views) if asked.views else None,
        label_differences=found.differences,
        evidence=_evidence(asked, episode) | _of(notification),
    )


def _ttd_error_s(case: Case, rule: AlertRule) -> float | None:
    """How far off ttd may be: the two clocks, and what the engine does not know of its own instants."""
    own_ms, clock_ms = case.instant_error_ms(rule.group), case.clock_error_ms
    return None if own_ms is None or clock_ms is None else round((own_ms + clock_ms) / 1000, 6)


def _silent_s(asked: Asked, found: Found) -> float | None:
    """For how long after fault_start it is certain that the alert did not fire; None where it did, or nobody knows."""
    if found.verdict not in (Verdict.MISSED, Verdict.WRONG_LABELS, Verdict.OUT_OF_VIEW):
        return None
    if asked.rule is None or asked.delivery.first_ms is None:
        return asked.expectation.within
    tail_end = (asked.delivery.over_ms or 0) + asked.case.tail_ms
    return (min(asked.deadline_ms, tail_end) - asked.delivery.first_ms) / 1000


def _dose_at(case: Case, injection: Injection, at_ms: int) -> float | None:
    """How strong a fault was at an instant, from 0 to 1: the factor of its share or dose; None before its phase."""
    start_ms, profile = case.starts_ms.get(injection.segment), injection.fault.profile
    if start_ms is None:
        return None
    if profile is None:
        return 1.0
    if at_ms >= case.segment_end_ms(injection.segment):
        return 0.0
    return round(float(profile.strength(np.array([(at_ms - start_ms) / 1000]))[0]), 4)


def _evidence(asked: Asked, episode: Episode | None) -> dict[str, object]:
    case, delivery = asked.case, asked.delivery
    evidence: dict[str, object] = {
        "requests": delivery.requests,
        "planned": delivery.planned,
        "touched": delivery.touched,
        "last_effect_at": _seconds(delivery.last_ms),
        "tail_s": case.tail_ms / 1000,
    }
    if asked.rule is not None:
        evidence["rule"] = {
            "file": asked.rule.group.file,
            "group": asked.rule.group.name,
            "query": asked.rule.rule.query,
            "for_s": asked.rule.rule.for_s,
        }
        settings = settings_of(case, asked.rule)
        evidence["settings"] = {
            "window_s": settings.window_s,
            "scrape_s": settings.scrape_ms / 1000,
            "evaluation_s": settings.evaluation_ms / 1000,
        }
        if delivery.first_ms is not None:
            signal = signal_of(asked, delivery.first_ms, (delivery.over_ms or delivery.first_ms) + case.tail_ms)
            if signal is not None:
                evidence["signal"] = {
                    "peak": signal.peak,
                    "peak_at": signal.peak_ms / 1000,
                    "op": signal.op,
                    "threshold": signal.threshold,
                }
            seen = scrapes(case, asked.rule, delivery.first_ms, asked.deadline_ms)
            evidence["scrapes"] = {"seen": seen.seen, "due": seen.due}
    if episode is not None:
        evidence["alert_labels"] = dict(episode.labels)
    return evidence


def _of(notification: Notification) -> dict[str, object]:
    return {"notification": dict(notification.evidence)} if notification.evidence else {}


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _difference(later: int | None, earlier: int | None) -> float | None:
    return None if later is None or earlier is None else (later - earlier) / 1000


def in_file_order(case: Case, attribution: Attribution) -> tuple[ExpectationResult, ...]:
    """Verdicts on every expectation of the drill, in the order of the file."""
    return tuple(
        judge(ask(case, attribution, phase, position))
        for phase in case.plan.scenario.phases
        for position in range(len(phase.expect))
    )
