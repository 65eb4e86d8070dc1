"""Reasons that leave an expectation undecided before any alert is looked at."""

from alertdrill.core import journal as records
from alertdrill.core.asked import Asked, because
from alertdrill.core.case import Case
from alertdrill.core.delivery import Delivery
from alertdrill.core.health import ENGINE_TROUBLES, not_reloaded
from alertdrill.core.result import Code, Reason
from alertdrill.core.scenario import locustfile
from alertdrill.core.scope import expects

ON_TIME = 0.99
MOST_LIMITED = 0.01
MOST_DENIED = 0.5
CLOCK_DOUBT_S = 0.1


def why_not_started(asked: Asked) -> Reason | None:
    """Reasons that stand before any alert is looked at."""
    case, delivery = asked.case, asked.delivery
    if asked.rule is None and case.all(records.Rules):
        return None
    steady = case.all(records.SteadyState)
    if any(expects(asked.expectation, dict(labels)) for one in steady for labels in one.active):
        return because(
            Code.ALREADY_FIRING,
            "active before the drill began",
            f"wait for it to resolve, then run --only {asked.phase.name}",
        )
    if case.steady is None:
        return because(Code.INTERRUPTED, "the steady state was not reached", "let the drill run to its end")
    closed_gate = next((g for g in case.all(records.Gate) if g.phase == asked.phase.name and not g.open), None)
    if closed_gate:
        return because(Code.SETTLE_TIMEOUT, closed_gate.why, "raise settle.timeout, or see why the alerts stay active")
    if delivery.injection.segment not in case.starts_ms:
        interrupted = next((t.what for t in case.all(records.Trouble)), "the drill ended before this phase")
        return because(Code.INTERRUPTED, interrupted, "let the drill run to its end")
    return _why_nothing_can_be_said(asked)


def why_not_delivered(case: Case, delivery: Delivery) -> Reason | None:
    """Why what a fault was to touch is not known to have been touched; None if it is, or was to touch nothing."""
    closed = case.closed.get(delivery.injection.segment)
    due = closed.scheduled - closed.suppressed if closed else 0
    if closed is None:
        died = next(iter(case.all(records.Trouble)), None)
        if died is None:
            text = "the load did not send all of the phase"
            return because(Code.LOAD_UNDER_RATE, text, "let the drill run to its end")
        code = Code.QUERY_FAILED if died.kind in ENGINE_TROUBLES else Code.LOAD_UNDER_RATE
        fix = "see why the drill ended early, then run again"
        return because(code, f"the load did not send all of the phase: {died.what}", fix)
    if closed.within_100ms < ON_TIME * due:
        got = f"{closed.within_100ms:,} of {due:,} arrivals were sent within 100 ms"
        own = locustfile(case.plan.scenario.load) is not None
        more = ", or raise load.users: they must be free when requests are due" if own else ""
        return because(Code.LOAD_UNDER_RATE, got, f"run on an idle machine, or lower load.rate{more}")
    away = _turned_away(case)
    if away is not None:
        return away
    if delivery.why_not:
        fix = "see what else starts, stops or answers for the target, then run again"
        return because(Code.FAULT_NOT_DELIVERED, delivery.why_not, fix)
    if not delivery.had_nothing_to_touch and not delivery.delivered:
        stray = f", {delivery.stray:,} that were not planned" if delivery.stray else ""
        text = f"{delivery.touched:,} of {delivery.planned:,} planned effects confirmed{stray}"
        return because(
            Code.FAULT_NOT_DELIVERED, text, "see that the traffic passes through alertdrill's load and proxies"
        )
    return None


def _turned_away(case: Case) -> Reason | None:
    """Why a load says little that is turned away, for its rate or its sender, while nothing is broken yet."""
    first = min((one.segment for one in case.plan.injections), default=0)
    before = [one for k, one in case.closed.items() if k < first]
    answered, denied = sum(one.answered for one in before), sum(one.denied for one in before)
    if denied > MOST_DENIED * answered:
        text = f"{denied:,} of {answered:,} requests were answered 401 or 403 (not let in) before anything was broken"
        fix = "write in target.headers, or target.tls, what the target wants, such as {Authorization: {env: NAME}}"
        return because(Code.LOAD_UNDER_RATE, text, fix)
    limited = sum(one.rate_limited for one in before)
    if limited <= MOST_LIMITED * answered:
        return None
    text = f"{limited:,} of {answered:,} requests were answered 429 (too many) before anything was broken"
    return because(Code.LOAD_UNDER_RATE, text, "lower load.rate, or have the target take more from this drill")


def _why_nothing_can_be_said(asked: Asked) -> Reason | None:
    case, delivery = asked.case, asked.delivery
    reason = why_not_delivered(case, delivery)
    if reason:
        return reason
    if delivery.had_nothing_to_touch:
        text = f"0/{delivery.requests:,} requests touched" if delivery.halted is None else "no process stopped or ended"
        if delivery.injection.share == 0:
            return because(Code.NOTHING_TOUCHED, f"{text}, as a control must", "no need: this is how a control passes")
        fix = "raise the share, widen the slice or run longer, and see that the fault changes what is sent"
        return because(Code.NOTHING_TOUCHED, text, fix)
    return not_reloaded(case) or _clock_doubt(case)


def _clock_doubt(case: Case) -> Reason | None:
    clocks = case.all(records.Clock)
    if not clocks:
        return because(Code.CLOCK_DOUBT, "the engine's clock was never read", "keep Prometheus running, then run again")
    moved = max(abs(c.offset_s - case.offset_s) - c.error_s for c in clocks)
    if moved > CLOCK_DOUBT_S:
        text = f"the clocks moved by {moved:.3f} s or more during the drill"
        return because(Code.CLOCK_DOUBT, text, "synchronise the clocks, then run again")
    error = max(c.error_s for c in clocks)
    if error > CLOCK_DOUBT_S:
        text = f"the engine's clock could be read to within {error:.3f} s only: it answers slowly"
        return because(Code.CLOCK_DOUBT, text, "see why it answers slowly, then run again")
    return None
