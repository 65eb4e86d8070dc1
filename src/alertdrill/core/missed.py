"""Why an alert did not fire as expected, in words: what the rule saw, and what would have decided it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alertdrill.core.alerts import Episode
from alertdrill.core.asked import Asked, because
from alertdrill.core.blind import Cause, blindness
from alertdrill.core.errors import nearest
from alertdrill.core.health import input_targets, scrapes
from alertdrill.core.matchers import may_match
from alertdrill.core.promql import PromqlError, parse, selectors
from alertdrill.core.result import Code, LabelDifference, Reason
from alertdrill.core.scenario import Expectation
from alertdrill.core.scope import AlertRule, expects, wanted_by
from alertdrill.core.units import format_duration
from alertdrill.core.view import SERVER_JOB, Sight, in_words, looks_for_absence, sight


def not_loaded(asked: Asked) -> Reason:
    """The engine has no such alert; the nearest name that it has."""
    names = sorted({rule.name for rule in asked.case.book.alerts})
    near = nearest(asked.expectation.alert, names)
    fix = f"did you mean {near}?" if near else "load a rule of that name"
    return because(Code.RULE_NOT_LOADED, f"the engine has no alert {asked.expectation.alert}", fix)


def differences(expectation: Expectation, labels: Mapping[str, str]) -> tuple[LabelDifference, ...]:
    """In which labels an alert is not the one that an expectation asks for."""
    return tuple(
        LabelDifference(
            label=one.label,
            got=labels.get(one.label),
            expected=one.value if one.op == "=" else one.text().removeprefix(one.label),
        )
        for one in wanted_by(expectation)
        if not one.matches(labels)
    )


def nearest_episode(expectation: Expectation, others: Sequence[Episode]) -> Episode:
    """Of episodes with other labels the one that differs in the fewest, the first of several."""
    return min(others, key=lambda one: (len(differences(expectation, one.label_map)), one.firing_at or 0))


def labels_differ(asked: Asked, episode: Episode) -> Reason:
    """The alert fired with other labels; which."""
    parts = [
        f"{one.label}: got {'none' if one.got is None else repr(one.got)}, expected "
        + (repr(one.expected) if one.label in asked.expectation.labels else one.expected)
        for one in differences(asked.expectation, episode.label_map)
    ]
    return because(
        Code.LABELS_DIFFER,
        "fired with other labels: " + ", ".join(parts),
        "correct the expectation's labels or the rule's",
    )


def out_of_view(asked: Asked) -> Reason | None:
    """Why the alert could not have seen the fault: its series are measured where nothing of it can be seen."""
    views, injection = asked.views, asked.delivery.injection
    if asked.rule is None or views is None:
        return None
    seen = sight(views, injection.fault, asked.monitored)
    if seen is Sight.FAULT or (seen is Sight.ABSENCE and looks_for_absence(asked.rule.rule.query)):
        return None
    only = "" if seen is Sight.NOTHING else ", where only the absence of these requests shows"
    where = "on the processes of the model" if injection.place is None else f"at place {injection.place}"
    acts = f"{injection.fault.kind} acts {where}"
    text = f"all that {asked.rule.name} reads is {in_words(views)}{only}; {acts}"
    return because(Code.OUT_OF_VIEW, text, "another place for the fault, or an alert on what is measured before it")


def why_silent(asked: Asked, pending: list[Episode]) -> Reason:
    """Why a healthy rule said nothing: the signal's peak, the scrapes, the requests touched, and what would decide."""
    if asked.rule is None:
        raise ValueError("silence is judged for loaded rules only")
    case, delivery, start = asked.case, asked.delivery, asked.delivery.first_ms or 0
    end = (delivery.over_ms or start) + case.tail_ms
    parts, fixes = _held(asked, asked.rule, pending)
    signal = signal_of(asked, start, end)
    if signal is not None:
        peak, threshold = signal.peak, signal.threshold
        parts.append(f"signal peaked {peak:.3g}, needs {signal.op} {threshold:g}")
        if 0 < peak < threshold and 0 < delivery.injection.share * threshold / peak <= 1:
            fixes.append(f"share ≥ {delivery.injection.share * threshold / peak:.1%}")
        if not pending:
            fixes.append(f"threshold < {peak:.3g}")
    for cause in _causes(asked, asked.rule, pending, start, end):
        parts.append(cause.text)
        fixes = [cause.fix]
    if input_targets(case, asked.rule):
        seen = scrapes(case, asked.rule, start, asked.deadline_ms)
        parts.append(f"rule healthy, {seen.seen}/{seen.due} scrapes")
    parts.append(f"{delivery.touched:,}/{delivery.requests:,} requests touched")
    code = Code.NEVER_FIRING if pending else Code.NEVER_PENDING
    return because(code, " · ".join(parts), ", or ".join(fixes) or "a larger dose, or a lower threshold")


def _held(asked: Asked, rule: AlertRule, pending: list[Episode]) -> tuple[list[str], list[str]]:
    """For how long the condition held, and what would have made that enough."""
    if not pending:
        return [f"never pending in {asked.within_ms / 1000:g} s"], []
    held = max(one.last_at - one.pending_at for one in pending) / 1000
    several = len({one.labels for one in pending}) > 1
    once = f"for: 0s, or an evaluation more often than every {rule.group.interval_s:g} s"
    fleeting = "labels that stay the same from one evaluation to the next" if several else once
    return [f"pending for {held:g} s, needs {rule.rule.for_s:g} s"], [f"for ≤ {held:g}s" if held else fleeting]


def _causes(asked: Asked, rule: AlertRule, pending: list[Episode], start_ms: int, end_ms: int) -> Iterator[Cause]:
    """What, other than too small a signal, kept a rule from speaking in time: the last one tells most."""
    case, window_ms = asked.case, asked.case.book.lookback_ms(rule)
    lasted_ms = (asked.delivery.over_ms or start_ms) - start_ms
    if not pending and window_ms > lasted_ms:
        text = f"the rule looks back {format_duration(window_ms / 1000)}, the fault lasted {lasted_ms / 1000:g} s"
        yield Cause(text, "a fault that fills the window, a shorter window, or a lower threshold")
    vanished = asked.delivery.halted and any(job == SERVER_JOB for job, _ in input_targets(case, rule))
    if vanished:
        yield Cause("series of the server vanish with it", "ask for absent(), or for up: no sample is no number")
    blind = None if pending or vanished else blindness(case, rule, start_ms, end_ms)
    if blind is not None:
        yield blind
    times, interval_s = case.evaluations_ms(rule), rule.group.interval_s
    if not np.any((times > start_ms) & (times <= asked.deadline_ms)):
        text = f"not evaluated once from the fault to its deadline: it is every {interval_s:g} s"
        yield Cause(text, f"evaluate it more often than every {interval_s:g} s, or raise within")
    later = [e for e in case.episodes if expects(asked.expectation, e.label_map) and e.pending_at > end_ms]
    if later:
        after_s, tail_s = (later[0].pending_at - start_ms) / 1000, case.tail_ms / 1000
        text = f"active after {after_s:.1f} s, later than the fault can have caused it"
        yield Cause(text, f"see what holds it up: all that it reads is over {tail_s:g} s after the fault")


@dataclass(frozen=True)
class Signal:
    """The highest value of the series that a rule compares with a number, and when (ms, engine clock)."""

    peak: float
    peak_ms: int
    op: str
    threshold: float


def signal_of(asked: Asked, from_ms: int, to_ms: int) -> Signal | None:
    """The peak of the series that the rule compares with a number; None for rules of other shapes."""
    if asked.rule is None:
        return None
    try:
        node = parse(asked.rule.rule.query)
    except PromqlError:
        return None
    if type(node).__name__ != "BinaryExpr":
        return None
    left, right = node.lhs, node.rhs
    if (
        type(left).__name__ != "VectorSelector"
        or type(right).__name__ != "NumberLiteral"
        or str(node.op) not in (">", ">=")
    ):
        return None
    selected = selectors(left.prettify())[0]
    wanted = wanted_by(asked.expectation)
    peaks = [
        (float(one.values[inside].max()), int(one.times_ms[inside][one.values[inside].argmax()]))
        for one in asked.case.recording.select(selected)
        if may_match(wanted, one.labels)
        if (inside := (one.times_ms > from_ms) & (one.times_ms <= to_ms) & ~np.isnan(one.values)).any()
    ]
    if not peaks:
        return None
    peak, at_ms = max(peaks, key=lambda one: one[0])
    return Signal(peak, at_ms, str(node.op), float(right.val))
