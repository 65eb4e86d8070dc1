"""Which fault should make a loaded alert fire, from the series that it selects. What is not understood is said so.

The drill's own proxies stand in front of the server: an error or a delay of theirs is out of view of what the server
measures itself. Proposed are faults that the server notices: values and bodies that it cannot use, uploads that are
slow, traffic that stays away.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from alertdrill.core.faults.base import Fault
from alertdrill.core.faults.catalogue import FaultSpec
from alertdrill.core.joining.joined import Joined
from alertdrill.core.matchers import Matcher
from alertdrill.core.promql import Selector
from alertdrill.core.scope import AlertRule, RuleBook
from alertdrill.core.view import looks_for_absence

_FAULT: TypeAdapter[Fault] = TypeAdapter(FaultSpec)
QUIET = ("info", "none", "informational")
CODE_LABELS = ("code", "status", "status_code", "http_status", "http_response_code", "response_code")
_REQUESTS = re.compile(r"requests?(_total|_count|_seconds_count|_success_total)?$|requests_total|request_count", re.I)
_LATENCY = re.compile(
    r"(duration|latency|response_time|elapsed|infer_request|request_predict).*(_bucket|_sum|seconds)$"
)
_NULLS = re.compile(r"null|missing|nan_(ratio|count|total|share)", re.I)
_DRIFT = re.compile(r"drift|psi\b|_psi_|wasserstein|kolmogorov|_ks_|divergence", re.I)
_MALFORMED = re.compile(r"malformed|invalid_(request|input)|parse_error|decode_error|validation_error", re.I)
_ERRORS = re.compile(r"(error|errors|failure|failures|exceptions?|failed)(_total|_count)?$", re.I)
_LATE = re.compile(r"label|feedback|quality|accuracy|auc|kpi", re.I)


@dataclass(frozen=True)
class Proposal:
    """A fault that should make an alert fire.

    Attributes:
        alert: its name.
        fault: as a scenario has it.
        why: what it was inferred from.
        labels: that the firing alert must have.
        wait_s: how long it may take: window, `for` and intervals.
    """

    alert: str
    fault: Mapping[str, Any]
    why: str
    labels: Mapping[str, str]
    wait_s: float


@dataclass(frozen=True)
class LeftOut:
    """An alert for which nothing is proposed, and why."""

    alert: str
    why: str


@dataclass(frozen=True)
class Proposals:
    """What is proposed for the loaded alerts, in their order."""

    proposed: tuple[Proposal, ...]
    left_out: tuple[LeftOut, ...]


def proposals(book: RuleBook, joined: Joined, scrape_s: float) -> Proposals:
    """A fault for each loaded alert, as far as its series say which.

    Args:
        book: the loaded rules.
        joined: the model that is broken.
        scrape_s: how often its series are scraped, as far as is known.
    """
    found: list[Proposal] = []
    left: list[LeftOut] = []
    for rule in book.alerts:
        one = _for(rule, book, joined, scrape_s)
        if isinstance(one, Proposal):
            found.append(one)
        else:
            left.append(one)
    return Proposals(tuple(found), tuple(left))


def _for(rule: AlertRule, book: RuleBook, joined: Joined, scrape_s: float) -> Proposal | LeftOut:
    severity = rule.labels.get("severity", "").lower()
    if severity in QUIET:
        return LeftOut(rule.name, f"severity {severity}: nobody is to be woken")
    read = [one for one in book.inputs(rule) if one.name not in book.recorded]
    if not read:
        return LeftOut(rule.name, "it reads no series, and so fires always or never")
    if not book.readable(rule):
        return LeftOut(rule.name, "its expression is not understood")
    chain = " ".join([rule.rule.query, *(book.recorded.get(one.name, "") for one in book.inputs(rule))])
    absent = looks_for_absence(rule.rule.query)
    for guess in _GUESSES:
        found = guess(read, chain, absent, joined)
        if isinstance(found, str):
            return LeftOut(rule.name, found)
        if found is not None:
            fault, why, labels = found
            if not _carried(fault, joined):
                return LeftOut(rule.name, f"{joined.schema.protocol.kind} cannot carry {fault['kind']} as it is set")
            wait_s = book.lookback_ms(rule) / 1000 + rule.rule.for_s + 2 * rule.group.interval_s + 2 * scrape_s
            return Proposal(rule.name, fault, why, labels, wait_s)
    names = ", ".join(dict.fromkeys(one.name or one.text() for one in read))
    return LeftOut(rule.name, f"nothing is known of {names}")


def _carried(fault: Mapping[str, Any], joined: Joined) -> bool:
    """Whether the model's protocol can carry a fault."""
    needs = _FAULT.validate_python(fault).needs
    return not needs & joined.schema.form.lacks.keys()


Guess = tuple[Mapping[str, Any], str, Mapping[str, str]] | str | None
"""A fault, why, and labels of the alert; or why there is none; or nothing to say."""


def _down(read: Sequence[Selector], chain: str, absent: bool, joined: Joined) -> Guess:
    if all(one.name in ("up", "probe_success") for one in read):
        return "it asks whether a process is scraped, which no fault of requests to a running server can stop"
    return None


def _late(read: Sequence[Selector], chain: str, absent: bool, joined: Joined) -> Guess:
    if all(_LATE.search(one.name) for one in read):
        return "it reads what comes later than requests (labels, feedback): no fault of a request raises it in a drill"
    return None


def _nulls(read: Sequence[Selector], chain: str, absent: bool, joined: Joined) -> Guess:
    for one in read:
        matcher = next((m for m in one.matchers if m.op in ("=", "=~") and _NULLS.search(m.value)), None)
        if matcher is None and not _NULLS.search(one.name):
            continue
        name, labels = _feature(one, chain, joined)
        if name is None:
            return f"it counts nulls of {_said_feature(one)}, which the model does not take"
        where = f"{matcher.text()} of {one.name}" if matcher else one.name
        return {"kind": "nulls", "features": [name], "share": "50%"}, f"nulls, from {where}", labels
    return None


def _drift(read: Sequence[Selector], chain: str, absent: bool, joined: Joined) -> Guess:
    for one in read:
        if not _DRIFT.search(one.name):
            continue
        name, labels = _feature(one, chain, joined, numeric=True)
        if name is None:
            return f"it watches drift of {_said_feature(one)}, which is no number that the model takes"
        fault = {"kind": "mean_shift", "features": [name], "by": "3sd", "share": "100%"}
        return fault, f"drift, from {one.name}", labels
    return None


def _malformed(read: Sequence[Selector], chain: str, absent: bool, joined: Joined) -> Guess:
    found = next((one.name for one in read if _MALFORMED.search(one.name)), None)
    if found is None:
        return None
    return {"kind": "malformed_json", "share": "50%"}, f"bodies that cannot be read, from {found}", {}


def _errors(read: Sequence[Selector], chain: str, absent: bool, joined: Joined) -> Guess:
    """Answers of an error: the server gives them itself, if its requests are wrong enough."""
    for one in read:
        codes = [m for m in one.matchers if m.label in CODE_LABELS]
        if _passes(codes, "400", "422") and not _passes(codes, "200"):
            return {"kind": "malformed_json", "share": "50%"}, f"4xx, from {_text(codes)} of {one.name}", {}
        failing = (bool(codes) and _passes(codes, "500", "503") and not _passes(codes, "200")) or (
            not absent and bool(_ERRORS.search(one.name))
        )
        if failing:
            name = joined.schema.features[0].name
            where = f"{_text(codes)} of {one.name}" if codes else one.name
            why = f"errors of the server, from {where}; some servers answer a wrong type with 5xx, others with 4xx"
            return {"kind": "wrong_type", "features": [name], "to": "object", "share": "50%"}, why, {}
    return None


def _traffic(read: Sequence[Selector], chain: str, absent: bool, joined: Joined) -> Guess:
    counts = next((one.name for one in read if _REQUESTS.search(one.name)), None)
    if counts is None or not absent:
        return None
    return {"kind": "traffic_loss", "share": "100%"}, f"requests that stay away, from {counts}", {}


def _latency(read: Sequence[Selector], chain: str, absent: bool, joined: Joined) -> Guess:
    found = next((one.name for one in read if _LATENCY.search(one.name)), None)
    if found is None or absent:
        return None
    threshold = max((float(text) for text in re.findall(r">=? *(\d+(?:\.\d+)?)", chain)), default=1.0)
    over_s = min(max(2 * threshold, 0.5), 30.0)
    why = f"slow answers, from {found}; a delay before the server is out of its view, a slow upload may be in it"
    return {"kind": "slow_upload", "over": f"{over_s:g}s", "share": "50%", "place": "edge"}, why, {}


_GUESSES: tuple[Callable[[Sequence[Selector], str, bool, Joined], Guess], ...] = (
    _down,
    _nulls,
    _drift,
    _late,
    _malformed,
    _errors,
    _traffic,
    _latency,
)


def _passes(codes: Sequence[Matcher], *values: str) -> bool:
    """Whether a code, or its class as instrumentators write it, passes all matchers, of which there is one."""
    shown = [*values, *(f"{value[0]}xx" for value in values)]
    return bool(codes) and any(all(one.matches({one.label: value}) for one in codes) for value in shown)


def _text(matchers: Sequence[Matcher]) -> str:
    return ",".join(one.text() for one in matchers)


def _feature(
    selector: Selector, chain: str, joined: Joined, numeric: bool = False
) -> tuple[str | None, Mapping[str, str]]:
    """The feature that a selector names, else the first that can be broken; with the label that its alert has."""
    able = [one.name for one in joined.schema.features if one.watched and (one.numeric or not numeric)]
    named = [one for one in selector.matchers if one.label in ("feature", "column", "field")]
    fitting = [name for name in able if all(one.matches({one.label: name}) for one in named)]
    if not fitting:
        return None, {}
    kept = next((label for label in ("feature", "column") if re.search(rf"by *\([^)]*\b{label}\b", chain)), None)
    return fitting[0], {kept: fitting[0]} if kept is not None else {}


def _said_feature(selector: Selector) -> str:
    named = [one for one in selector.matchers if one.label in ("feature", "column", "field")]
    return _text(named) or "features"


def grouped(found: Sequence[Proposal]) -> Iterator[tuple[Mapping[str, Any], list[Proposal]]]:
    """The proposals by their fault: alerts that the same one should raise share a phase."""
    kinds: list[tuple[Mapping[str, Any], list[Proposal]]] = []
    for one in found:
        same = next((members for fault, members in kinds if dict(fault) == dict(one.fault)), None)
        if same is None:
            kinds.append((one.fault, [one]))
        else:
            same.append(one)
    yield from kinds
