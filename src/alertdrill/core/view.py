"""Where the series of an alert are measured, and which exchange faults act where that place cannot see them.

A request passes the edge proxy, the monitor, the model proxy and the model's server. A number that is measured at one
of these holds what happens behind it, and nothing of what happens before: a delay in front of a server never moves
that server's own latency.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any

from alertdrill.core.exchanges import alters
from alertdrill.core.faults.base import ExchangeEffect, ExchangeFault, Fault, Place, ProcessFault
from alertdrill.core.halt import Halt
from alertdrill.core.promql import PromqlError, Selector, parse, walk
from alertdrill.core.result import View
from alertdrill.core.scope import AlertRule, RuleBook

SERVER_JOB = "model"


WORDS: Mapping[View, str] = {
    View.EDGE: "measured by the monitor, in front of the model",
    View.SERVER: "measured by the model's own server",
    View.DATA: "counted from what requests hold",
    View.LABELS: "counted from ground truth that comes later",
}

PREFIXES: tuple[tuple[str, View], ...] = (
    ("model_feature_", View.DATA),
    ("model_drift_", View.DATA),
    ("model_malformed_requests", View.DATA),
    ("model_labels_", View.LABELS),
    ("model_label_lag_", View.LABELS),
    ("model_quality", View.LABELS),
    ("model_proxy_quality", View.LABELS),
    ("model_business_kpi", View.LABELS),
    ("model_feedback_", View.LABELS),
    ("model_accuracy_check", View.LABELS),
    ("model_requests_", View.EDGE),
    ("model_request_", View.EDGE),
    ("model_prediction", View.EDGE),
    ("model_malformed_answers", View.EDGE),
)
"""What the reference monitor exports of the exchanges that it sees; what it says of itself is not among it."""

OF_ITSELF = tuple(f"model_{of}_" for of in ("monitor", "mirror", "tail", "truth", "process", "gpu", "dependency"))
"""What the reference monitor exports of itself, of processes and of dependencies."""


def view_of(labels: Mapping[str, str], monitor: bool) -> View | None:
    """Where a series is measured; None where that is not known.

    Args:
        labels: of the series, its name under `__name__`.
        monitor: whether the reference monitor stands in front of the model.
    """
    name = labels.get("__name__", "")
    found = next((view for prefix, view in PREFIXES if name.startswith(prefix)), None)
    if found is not None:
        return found if monitor else None
    own = labels.get("job") == SERVER_JOB and name != "up" and not name.startswith(("scrape_", *OF_ITSELF))
    return View.SERVER if own else None


def views_of(
    book: RuleBook, rule: AlertRule, monitor: bool, series: Iterable[Mapping[str, str]] = ()
) -> frozenset[View] | None:
    """Where all that a rule reads is measured, through chains; None where that is not known of every part.

    Args:
        book: the loaded rules.
        rule: the alert.
        monitor: whether the reference monitor stands in front of the model.
        series: labels of the series that there are; what a selector itself says counts where it selects none of them.
    """
    series = tuple(series)
    found: set[View | None] = set()
    for selector in book.inputs(rule):
        if selector.name not in book.recorded:
            selected = [one for one in series if selector.matches(one)] or [_said(selector)]
            found |= {view_of(one, monitor) for one in selected}
    known = {one for one in found if one is not None}
    return frozenset(known) if known == found and known else None


def _said(selector: Selector) -> dict[str, str]:
    """The labels that every series of a selector has."""
    return {"__name__": selector.name} | {one.label: one.value for one in selector.matchers if one.op == "="}


def in_words(views: Collection[View]) -> str:
    """Where it is measured, for people."""
    return " and ".join(WORDS[view] for view in View if view in views)


class Sight(StrEnum):
    """What can be seen of a fault."""

    NOTHING = "nothing"
    ABSENCE = "absence"  # that requests are missing, and no more
    FAULT = "fault"


def sight(views: Iterable[View], fault: Fault, monitor: bool) -> Sight:
    """What the best of some views can see of a fault; `FAULT` where nothing else is certain.

    Args:
        views: where numbers are measured.
        fault: what happens.
        monitor: whether the reference monitor stands in front of the model.
    """
    if isinstance(fault, ProcessFault):
        return _sight_of_halt(views, fault.halt())
    if not isinstance(fault, ExchangeFault):
        return Sight.FAULT  # broken values can raise errors, and late answers, anywhere
    effect = fault.effect(0.5, 1.0)
    if effect.upload_s and fault.place is Place.EDGE and monitor:
        return Sight.NOTHING  # it begins to count, and to pass a request on, once it has all of it
    if effect.upload_s or not all(_blind(view, fault.place, effect) for view in views):
        return Sight.FAULT  # a body that comes slowly is noticed by all that read it
    return Sight.NOTHING if _passed_on(effect) else Sight.ABSENCE


def _sight_of_halt(views: Iterable[View], halt: Halt) -> Sight:
    """What stands in front sees whatever a halt does; a server that stands still counts nothing, a new one anew."""
    seeing = {View.EDGE} if halt is Halt.STOP else {View.EDGE, View.SERVER}
    return Sight.FAULT if seeing & set(views) else Sight.ABSENCE


def _blind(view: View, place: Place, effect: ExchangeEffect) -> bool:
    """Whether a view can see nothing of an effect but, at most, that requests are missing."""
    match view:
        case View.EDGE:
            return place is Place.EDGE
        case View.SERVER:
            return place in (Place.EDGE, Place.MODEL)
        case View.DATA:
            return True
        case View.LABELS:
            return not alters(effect)


def _passed_on(effect: ExchangeEffect) -> bool:
    return effect.answer is None and effect.cut is None and not effect.replay


def looks_for_absence(expression: str) -> bool:
    """Whether an alert can fire because something is missing.

    It compares with `<` or `==`, asks `absent`, or for the time: how long ago something was grows by itself.
    """
    try:
        top = parse(expression)
    except PromqlError:
        return True
    return any(_of_absence(node) for node in walk(top))


def _of_absence(node: Any) -> bool:
    kind = type(node).__name__
    if kind == "Call":
        return str(node.func.name).startswith(("absent", "time"))
    return kind == "BinaryExpr" and str(node.op) in ("<", "<=", "==", "unless")
