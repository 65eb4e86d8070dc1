"""The verdict on one expectation: detected only with evidence, missed only when silence proves something."""

import math
from dataclasses import dataclass

import numpy as np

from alertdrill.core import journal as records
from alertdrill.core.alerts import Episode
from alertdrill.core.attribution import Attribution, is_expected
from alertdrill.core.carry_over import carry_over
from alertdrill.core.case import Case, Delivery
from alertdrill.core.crossing import crossed, phase_offset_ms, previous_evaluation
from alertdrill.core.detection import Bounds, Hop, Instants, Settings, bounds, waterfall
from alertdrill.core.errors import nearest
from alertdrill.core.fill import FillBounds
from alertdrill.core.health import doubt, input_targets, scrape_durations_ms, scrapes
from alertdrill.core.plan import fault_id, injection_id
from alertdrill.core.promql import PromqlError, parse
from alertdrill.core.result import Code, ExpectationResult, HopResult, Reason, Verdict
from alertdrill.core.scenario import Expectation, Phase
from alertdrill.core.scope import AlertRule, expects

ON_TIME = 0.99
CLOCK_DOUBT_S = 0.1


@dataclass(frozen=True)
class Asked:
    """One expectation with what it needs to be judged."""

    case: Case
    attribution: Attribution
    phase: Phase
    expectation: Expectation
    id: str
    delivery: Delivery
    rule: AlertRule | None

    @property
    def within_ms(self) -> int:
        """Deadline for firing, from fault_start."""
        return round(self.expectation.within * 1000)

    @property
    def deadline_ms(self) -> int:
        """Deadline for firing, engine clock."""
        return (self.delivery.first_ms or 0) + self.within_ms


def expectation_id(phase: Phase, position: int) -> str:
    """Name of an expectation in the drill: phase/alert, numbered where a phase expects one alert several times."""
    alert = phase.expect[position].alert
    same = [at for at, one in enumerate(phase.expect) if one.alert == alert]
    return f"{phase.name}/{alert}" if len(same) == 1 else f"{phase.name}/{alert}/{same.index(position) + 1}"


def ask(case: Case, attribution: Attribution, phase: Phase, position: int) -> Asked:
    """Bring together an expectation, its injection and its rule."""
    expectation = phase.expect[position]
    fault = next(f for f in phase.faults if expectation.fault in (None, fault_id(f)))
    rules = case.book.named(expectation.alert)
    fitting = [r for r in rules if all(r.rule.labels.get(k, v) == v for k, v in expectation.labels.items())]
    rule = next(iter(fitting or rules), None)
    return Asked(case, attribution, phase, expectation, expectation_id(phase, position), case.deliveries[injection_id(phase, fault)], rule)


def _why_not_started(asked: Asked) -> Reason | None:
    """Reasons that stand before any alert is looked at."""
    case, delivery = asked.case, asked.delivery
    if asked.rule is None and case.all(records.Rules):
        return None
    steady = case.all(records.SteadyState)
    if any(expects(asked.expectation, dict(labels)) for one in steady for labels in one.active):
        return _reason(Code.ALREADY_FIRING, "active before the drill began", f"wait for it to resolve, then run --only {asked.phase.name}")
    closed_gate = next((g for g in case.all(records.Gate) if g.phase == asked.phase.name and not g.open), None)
    if closed_gate:
        return _reason(Code.SETTLE_TIMEOUT, closed_gate.why, "raise settle.timeout, or see why the alerts stay active")
    if delivery.injection.segment not in case.starts_ms:
        interrupted = next((t.what for t in case.all(records.Trouble)), "the drill ended before this phase")
        return _reason(Code.INTERRUPTED, interrupted, "let the drill run to its end")
    return _why_not_delivered(asked)


def _why_not_delivered(asked: Asked) -> Reason | None:
    case, delivery = asked.case, asked.delivery
    closed = case.closed.get(delivery.injection.segment)
    if closed is None or closed.within_100ms < ON_TIME * closed.scheduled:
        got = f"{closed.within_100ms:,} of {closed.scheduled:,} arrivals were sent within 100 ms" if closed else "the load did not close the phase"
        return _reason(Code.LOAD_UNDER_RATE, got, "run on an idle machine, or lower load.rate")
    if delivery.planned == delivery.stray == 0:
        return _reason(Code.NOTHING_TOUCHED, f"0/{delivery.requests:,} requests touched", "raise the share above 0, or run longer")
    if not delivery.delivered:
        stray = f", {delivery.stray:,} that were not planned" if delivery.stray else ""
        text = f"{delivery.touched:,} of {delivery.planned:,} planned effects confirmed{stray}"
        return _reason(Code.FAULT_NOT_DELIVERED, text, "see that the traffic passes through alertdrill's load and proxies")
    return _clock_doubt(case)


def _clock_doubt(case: Case) -> Reason | None:
    clocks = case.all(records.Clock)
    if not clocks:
        return _reason(Code.CLOCK_DOUBT, "the engine's clock was never read", "keep Prometheus running, then run again")
    spread = max((abs(c.offset_s - case.offset_s) for c in clocks), default=0.0)
    if spread > CLOCK_DOUBT_S or max((c.error_s for c in clocks), default=0.0) > CLOCK_DOUBT_S:
        return _reason(Code.CLOCK_DOUBT, f"the clocks moved by {spread:.3f} s during the drill", "synchronise the clocks, then run again")
    return None


def _reason(code: Code, text: str, decide_it_by: str) -> Reason:
    return Reason(code=code, text=text, decide_it_by=decide_it_by)


@dataclass(frozen=True)
class Found:
    """What detection comes to, before resolution and notification are looked at."""

    verdict: Verdict
    reason: Reason | None
    episode: Episode | None


def _active_before(asked: Asked) -> Episode | None:
    """An expected label set that was pending or firing at the last evaluation before fault_start."""
    start = asked.delivery.first_ms or 0
    for episode in asked.case.episodes:
        if expects(asked.expectation, episode.label_map) and episode.pending_at <= start and episode.active_at(start):
            return episode
    return None


def detection(asked: Asked) -> Found:
    """Whether the alert fired because of the fault, in time, with the right labels."""
    if asked.rule is None and asked.case.all(records.Rules):
        return Found(Verdict.MISSED, _not_loaded(asked), None)
    reason = _why_not_started(asked)
    if reason or asked.rule is None:
        return Found(Verdict.INCONCLUSIVE, reason or _reason(Code.QUERY_FAILED, "the rules were never read", "keep Prometheus running"), None)
    before = _active_before(asked)
    if before:
        text = f"active since {(before.pending_at - (asked.delivery.first_ms or 0)) / 1000:+.1f} s from fault_start"
        return Found(Verdict.INCONCLUSIVE, _reason(Code.ALREADY_FIRING, text, "wait for it to resolve, then run again"), None)
    owned = asked.attribution.of_phase(asked.phase.name)
    fired = [e for e in owned if expects(asked.expectation, e.label_map) and e.firing_at is not None]
    if fired:
        return _judge_fired(asked, min(fired, key=lambda e: e.firing_at or 0))
    return _judge_silence(asked, owned)


def _judge_fired(asked: Asked, episode: Episode) -> Found:
    rule, first = asked.rule, asked.delivery.first_ms or 0
    served = first if asked.delivery.served_ms is None else asked.delivery.served_ms
    if rule is None or episode.firing_at is None:
        raise ValueError("an episode that fired has a rule and an instant")
    scrape = crossed(asked.case, rule, episode)
    held = (episode.pending_at, episode.pending_at) if scrape is None else scrape
    if held[1] < served:
        text = f"the condition held {(served - held[0]) / 1000:.3f} s before the first touched exchange was answered"
        return Found(Verdict.INCONCLUSIVE, _reason(Code.CROSSED_BEFORE_SERVED, text, "run again: something else raised the signal"), episode)
    ttd_ms = episode.firing_at - first
    if ttd_ms <= asked.within_ms:
        return Found(Verdict.DETECTED, None, episode)
    silent = doubt(asked.case, rule, first, episode.firing_at)
    if silent:
        return Found(Verdict.INCONCLUSIVE, silent, episode)
    over = (ttd_ms - asked.within_ms) / 1000
    text = f"fired after {ttd_ms / 1000:.3f} s, {over:.3f} s over {asked.expectation.within:g} s"
    return Found(Verdict.LATE, _reason(Code.TOO_LATE, text, f"within: {math.ceil(ttd_ms / 1000)}s, or a shorter `for` or window"), episode)


def _judge_silence(asked: Asked, owned: tuple[Episode, ...]) -> Found:
    if asked.rule is None:
        raise ValueError("silence is judged for loaded rules only")
    delivery = asked.delivery
    tail_end = (delivery.last_ms or 0) + asked.case.tail_ms
    reason = doubt(asked.case, asked.rule, delivery.first_ms or 0, min(asked.deadline_ms, tail_end))
    if reason:
        return Found(Verdict.INCONCLUSIVE, reason, None)
    name, phase = asked.expectation.alert, asked.phase
    others = [e for e in owned if e.alert == name and e.firing_at is not None and not is_expected(phase, e)]
    if others:
        return Found(Verdict.WRONG_LABELS, _labels_differ(asked, others[0]), None)
    pending = [e for e in owned if expects(asked.expectation, e.label_map)]
    return Found(Verdict.MISSED, _silence(asked, pending), None)


def _not_loaded(asked: Asked) -> Reason:
    names = sorted({rule.name for rule in asked.case.book.alerts})
    near = nearest(asked.expectation.alert, names)
    fix = f"did you mean {near}?" if near else "load a rule of that name"
    return _reason(Code.RULE_NOT_LOADED, f"the engine has no alert {asked.expectation.alert}", fix)


def _labels_differ(asked: Asked, episode: Episode) -> Reason:
    wanted, got = asked.expectation.labels, episode.label_map
    parts = [f"{k}: got {got.get(k, 'none')!r}, expected {v!r}" for k, v in wanted.items() if got.get(k) != v]
    return _reason(Code.LABELS_DIFFER, "fired with other labels: " + ", ".join(parts), "correct the expectation's labels or the rule's")


def _silence(asked: Asked, pending: list[Episode]) -> Reason:
    """Why a healthy rule said nothing: the signal's peak, the scrapes, the requests touched, and what would decide."""
    if asked.rule is None:
        raise ValueError("silence is judged for loaded rules only")
    case, delivery, start = asked.case, asked.delivery, asked.delivery.first_ms or 0
    end = (delivery.last_ms or start) + case.tail_ms
    seen = scrapes(case, asked.rule, start, asked.deadline_ms)
    parts, fixes = [], []
    signal = _signal(asked, start, end)
    if pending:
        held = (pending[0].last_at - pending[0].pending_at) / 1000
        parts.append(f"pending for {held:g} s, needs {asked.rule.rule.for_s:g} s")
        fixes.append(f"for ≤ {held:g}s")
    else:
        parts.append(f"never pending in {asked.within_ms / 1000:g} s")
    if signal is not None:
        peak, op, threshold = signal
        parts.append(f"signal peaked {peak:.3g}, needs {op} {threshold:g}")
        if 0 < peak < threshold and 0 < delivery.injection.share * threshold / peak <= 1:
            fixes.append(f"share ≥ {delivery.injection.share * threshold / peak:.1%}")
        if not pending:
            fixes.append(f"threshold < {peak:.3g}")
    if not input_targets(case, asked.rule):
        parts.append("the rule selects no series that is scraped")
        fixes.append("see that the metrics it names exist")
    else:
        parts.append(f"rule healthy, {seen.seen}/{seen.due} scrapes")
    parts.append(f"{delivery.touched:,}/{delivery.requests:,} requests touched")
    code = Code.NEVER_FIRING if pending else Code.NEVER_PENDING
    return _reason(code, " · ".join(parts), ", or ".join(fixes) or "a larger dose, or a lower threshold")


def _signal(asked: Asked, from_ms: int, to_ms: int) -> tuple[float, str, float] | None:
    """Peak of the series that the rule compares with a number, as (peak, operator, number); None for other shapes."""
    if asked.rule is None:
        return None
    try:
        node = parse(asked.rule.rule.query)
    except PromqlError:
        return None
    if type(node).__name__ != "BinaryExpr":
        return None
    left, right = node.lhs, node.rhs
    if type(left).__name__ != "VectorSelector" or type(right).__name__ != "NumberLiteral" or str(node.op) not in (">", ">="):
        return None
    wanted = asked.expectation.labels
    peaks = [
        float(np.nanmax(one.values[inside]))
        for one in asked.case.recording.named(str(left.name))
        if all(one.labels.get(k, v) == v for k, v in wanted.items())
        if (inside := (one.times_ms > from_ms) & (one.times_ms <= to_ms) & ~np.isnan(one.values)).any()
    ]
    return (max(peaks), str(node.op), float(right.val)) if peaks else None


def settings_of(case: Case, rule: AlertRule) -> Settings:
    """The settings that decide how fast a rule can be."""
    return Settings(rule.for_ms, case.scrape_ms, rule.interval_ms, case.book.lookback_ms(rule) / 1000)


def _bounds(asked: Asked, settings: Settings) -> tuple[Bounds, FillBounds | None]:
    record = next((f for f in asked.case.all(records.Fill) if f.expectation == asked.id), None)
    if record is None or record.low_s is None or record.likely_s is None or asked.rule is None:
        return Bounds(None, None, None), None
    fill = FillBounds(record.low_s, record.likely_s, math.inf if record.high_s is None else record.high_s)
    durations = [d for t in input_targets(asked.case, asked.rule) for d in scrape_durations_ms(asked.case, t).values()]
    return bounds(fill, settings, phase_offset_ms(asked.case, asked.rule), max(durations, default=0.0) / 1000), fill


def _waterfall(asked: Asked, episode: Episode, settings: Settings, fill: FillBounds | None) -> tuple[Hop, ...]:
    first = asked.delivery.first_ms
    if asked.rule is None or episode.firing_at is None or first is None or episode.pending_at < first:
        return ()
    scrape = crossed(asked.case, asked.rule, episode)
    instants = Instants(
        first, asked.delivery.served_ms, scrape[0] if scrape else None,
        previous_evaluation(asked.case, asked.rule, episode), episode.pending_at, episode.firing_at,
    )
    return waterfall(instants, settings, fill.low_s if fill else None)


def _notified_ms(asked: Asked, episode: Episode) -> int | None:
    """When our receiver got the first post of an episode's firing."""
    for post in asked.case.all(records.Post):
        same = post.status == "firing" and all(post.labels.get(k) == v for k, v in episode.label_map.items())
        if same and post.starts_at_ms == episode.firing_at:
            return asked.case.engine_ms(post.at)
    return None


def _resolution(asked: Asked, episode: Episode) -> tuple[str, Reason | None]:
    """`resolved`, `flapped`, `not_resolved` or `inconclusive`, and why."""
    last, wanted, resolved = asked.delivery.last_ms or 0, asked.expectation.resolves_within, episode.resolved_at
    early = resolved is not None and resolved < last
    if wanted is None and not early:
        return ("resolved" if resolved is not None else "not_asked"), None
    deadline = last + round((wanted or 0.0) * 1000)
    silent = _doubt_about_end(asked, episode, last, deadline)
    if silent:
        return "inconclusive", silent
    if resolved is not None and early:
        text = f"resolved {(last - resolved) / 1000:.1f} s before the fault ended"
        return "flapped", _reason(Code.RESOLVED_EARLY, text, "a longer window, or keep_firing_for")
    if resolved is not None and resolved <= deadline:
        return "resolved", None
    return "not_resolved", _reason(Code.STILL_FIRING, f"still firing {wanted:g} s after the fault ended", "raise resolves_within, or shorten the window")


def _doubt_about_end(asked: Asked, episode: Episode, last_ms: int, deadline_ms: int) -> Reason | None:
    """Why an alert that vanished need not have resolved, or one that is not known to have resolved need not fire still.

    A target that goes down takes its series away up to one look back later, and a rule that fails writes no samples.
    """
    if asked.rule is None:
        return None
    firing, resolved, interval = episode.firing_at or episode.pending_at, episode.resolved_at, asked.rule.interval_ms
    if resolved is None:
        return doubt(asked.case, asked.rule, max(firing, last_ms), deadline_ms)
    since = min(last_ms, resolved - asked.case.book.lookback_ms(asked.rule) - interval)
    return doubt(asked.case, asked.rule, max(firing, since), resolved + interval // 2)


def _notification(asked: Asked, notified_ms: int | None) -> tuple[str | None, Reason | None]:
    """`posted`, `late`, `not_posted` or `inconclusive`, and why; None where nobody asked and nothing came."""
    wanted, case = asked.expectation.notifies, asked.case
    if notified_ms is None and wanted is None:
        return None, None
    if notified_ms is None and case.plan.scenario.monitoring.prometheus != "managed":
        text = "no receiver of alertdrill's listens to a Prometheus of your own"
        return "inconclusive", _reason(Code.NOT_POSTED, text, "leave notifies out, or use the managed Prometheus")
    if notified_ms is None and wanted is not None:
        if (asked.delivery.first_ms or 0) + round(wanted.within * 1000) > case.recording.to_ms:
            text = "the drill ended before its deadline to notify"
            return "inconclusive", _reason(Code.INTERRUPTED, text, "let the drill run to its end")
        return "not_posted", _reason(Code.NOT_POSTED, "no alert post reached the receiver", "see alerting.alertmanagers of the engine")
    ttn_ms = (notified_ms or 0) - (asked.delivery.first_ms or 0)
    if wanted is not None and ttn_ms > round(wanted.within * 1000):
        text = f"posted after {ttn_ms / 1000:.3f} s, asked for {wanted.within:g} s"
        return "late", _reason(Code.TOO_LATE, text, f"notifies: {{within: {math.ceil(ttn_ms / 1000)}s}}")
    return "posted", None


def judge(asked: Asked) -> ExpectationResult:
    """The whole verdict on one expectation."""
    found = detection(asked)
    verdict, reason, episode = found.verdict, found.reason, found.episode
    resolution, notification, notified = None, None, None
    if episode is not None and verdict in (Verdict.DETECTED, Verdict.LATE):
        resolution, why_resolution = _resolution(asked, episode)
        notified = _notified_ms(asked, episode)
        notification, why_notification = _notification(asked, notified)
        if verdict is Verdict.DETECTED:
            verdict, reason = _headline(resolution, why_resolution, notification, why_notification)
    return _result(asked, found, verdict, reason, resolution, notification, notified)


def _headline(
    resolution: str, why_resolution: Reason | None, notification: str | None, why_notification: Reason | None
) -> tuple[Verdict, Reason | None]:
    if resolution == "inconclusive":
        return Verdict.INCONCLUSIVE, why_resolution
    if resolution == "flapped":
        return Verdict.FLAPPED, why_resolution
    if notification == "inconclusive":
        return Verdict.INCONCLUSIVE, why_notification
    if notification in ("late", "not_posted"):
        return Verdict.NOT_NOTIFIED, why_notification
    if resolution == "not_resolved":
        return Verdict.NOT_RESOLVED, why_resolution
    return Verdict.DETECTED, None


def _result(
    asked: Asked, found: Found, verdict: Verdict, reason: Reason | None,
    resolution: str | None, notification: str | None, notified: int | None,
) -> ExpectationResult:
    case, expectation, delivery, episode = asked.case, asked.expectation, asked.delivery, found.episode
    settings = settings_of(case, asked.rule) if asked.rule else None
    limits, fill = _bounds(asked, settings) if settings else (Bounds(None, None, None), None)
    hops = _waterfall(asked, episode, settings, fill) if episode and settings else ()
    start, firing = delivery.first_ms, episode.firing_at if episode else None
    carry = carry_over(case, asked.rule, expectation.labels, start) if asked.rule and start is not None else None
    return ExpectationResult(
        id=asked.id, phase=asked.phase.name, fault=delivery.injection.id.rsplit("/", 1)[-1], alert=expectation.alert,
        labels=dict(expectation.labels), verdict=verdict, reason=reason, control=delivery.injection.share == 0,
        fault_start=_seconds(start), full_dose_at=_seconds(start), pending_at=_seconds(episode.pending_at if episode else None),
        firing_at=_seconds(firing), resolved_at=_seconds(episode.resolved_at if episode else None), notified_at=_seconds(notified),
        detection=found.verdict.value, resolution=resolution, notification=notification,
        ttd_s=_difference(firing, start), notify_s=_difference(notified, firing), ttn_s=_difference(notified, start),
        within_s=expectation.within, notifies_within_s=expectation.notifies.within if expectation.notifies else None,
        resolves_within_s=expectation.resolves_within, floor_s=limits.floor_s, expected_s=limits.expected_s, worst_s=limits.worst_s,
        waterfall=tuple(HopResult(hop=h.hop, seconds=h.seconds, floor_s=h.floor_s, setting=h.setting) for h in hops),
        carry_over=carry, evidence=_evidence(asked, episode),
    )


def _evidence(asked: Asked, episode: Episode | None) -> dict[str, object]:
    case, delivery = asked.case, asked.delivery
    evidence: dict[str, object] = {
        "requests": delivery.requests, "planned": delivery.planned, "touched": delivery.touched,
        "last_effect_at": _seconds(delivery.last_ms), "tail_s": case.tail_ms / 1000,
    }
    if asked.rule is not None:
        evidence["rule"] = {"file": asked.rule.group.file, "group": asked.rule.group.name, "query": asked.rule.rule.query, "for_s": asked.rule.rule.for_s}
        if delivery.first_ms is not None:
            seen = scrapes(case, asked.rule, delivery.first_ms, asked.deadline_ms)
            evidence["scrapes"] = {"seen": seen.seen, "due": seen.due}
    if episode is not None:
        evidence["alert_labels"] = dict(episode.labels)
    return evidence


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
