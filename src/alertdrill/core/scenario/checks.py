"""What must agree between parts of a scenario."""

import math
from collections.abc import Iterator, Mapping
from itertools import islice

from alertdrill.core.errors import nearest
from alertdrill.core.faults.base import ExchangeFault, RowFault
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.matchers import Matcher, exactly
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.grammar import Path
from alertdrill.core.scenario.notification_checks import notification_checks
from alertdrill.core.scenario.outline import ExpectOutline, FaultOutline, Outline, PhaseLoadOutline, PhaseOutline
from alertdrill.core.scenario.process_checks import process_checks
from alertdrill.core.units import format_duration, format_rate

_SHOWN_IDS = 20

LONGEST_S = 900.0
"""How long a phase may last where neither it nor the limit can be read."""


def cross_checks(outline: Outline) -> Iterator[Finding]:
    """Every disagreement between parts that can be read."""
    yield from _phase_names(outline)
    for position, phase in enumerate(outline.phases or ()):
        if phase is not None:
            yield from _fault_ids(phase, ("phases", position, "faults"))
            yield from _expectations(phase, ("phases", position, "expect"))
    yield from _limits(outline)
    yield from _recorded(outline)
    if outline.load and outline.load.locustfile and outline.load.log is None:
        yield from _own_users(outline)
    yield from _monitoring(outline)
    yield from _one_replica(outline)
    yield from notification_checks(outline)
    yield from process_checks(outline)


def _phase_names(outline: Outline) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for position, phase in enumerate(outline.phases or ()):
        if phase is None or phase.name is None:
            continue
        if phase.name in seen:
            expected = f"a name of its own (phases[{seen[phase.name]}] has it already)"
            yield Finding(("phases", position, "name"), expected, f"write {phase.name}-{position + 1}")
        seen.setdefault(phase.name, position)


def _one_replica(outline: Outline) -> Iterator[Finding]:
    """An expectation of what one replica alone shows: the alerts of all of them are one, without that label."""
    prometheus = outline.monitoring.prometheus if outline.monitoring else None
    label = prometheus.get("replica_label") if isinstance(prometheus, dict) else None
    for position, phase in enumerate(outline.phases or ()):
        for number, expectation in enumerate((phase.expect if phase else None) or ()):
            if label is None or expectation is None:
                continue
            path = ("phases", position, "expect", number)
            if label in (expectation.labels or {}):
                expected = f"labels without {label}, in which alerts of replicas differ that are one alert"
                yield Finding((*path, "labels", label), expected, "remove it")
            if any(one.label == label for one in expectation.matchers or ()):
                expected = f"matchers without {label}, in which alerts of replicas differ that are one alert"
                yield Finding((*path, "matchers"), expected, "remove it")


def _ids(phase: PhaseOutline) -> list[str]:
    """Ids of the faults that can be read: the written one, else the kind."""
    return [name for fault in phase.faults or () if fault is not None and (name := fault.id or fault.kind)]


def _fault_ids(phase: PhaseOutline, path: Path) -> Iterator[Finding]:
    seen: set[str] = set()
    for position, fault in enumerate(phase.faults or ()):
        name = None if fault is None else fault.id or fault.kind
        if fault is None or name is None:
            continue
        if name in seen:
            key = "id" if fault.id else "kind"
            expected = "an id of its own for every fault of a phase (default: its kind)"
            yield Finding((*path, position, key), expected, f"write id: {name}-{position + 1}", f"a second {name}")
        seen.add(name)


def _expectations(phase: PhaseOutline, path: Path) -> Iterator[Finding]:
    seen: set[tuple[str, str, frozenset[Matcher]]] = set()
    known = dict.fromkeys(_ids(phase))
    readable = phase.faults is not None and all(fault is not None for fault in phase.faults)
    for position, expectation in enumerate(phase.expect or ()):
        if expectation is None:
            continue
        if readable:
            yield from _named_fault(known, len(phase.faults or ()), expectation, (*path, position))
        yield from _every_label_set(phase, expectation, (*path, position))
        if expectation.alert is None or expectation.matchers is None:
            continue
        labels = frozenset((*exactly(expectation.labels or {}), *expectation.matchers))
        same = expectation.alert, expectation.receiver, labels
        if same in seen:
            fix = "remove one, or tell them apart by labels or receivers"
            yield Finding((*path, position, "alert"), "an alert, labels and receiver that no other entry has", fix)
        seen.add(same)


def _every_label_set(phase: PhaseOutline, expectation: ExpectOutline, path: Path) -> Iterator[Finding]:
    """A `match: all` of which nobody can say beforehand which label sets it stands for."""
    if expectation.match != "all" or any(one.alternatives() for one in expectation.matchers or ()):
        return
    ids = [fault for fault in phase.faults or () if fault is not None]
    named = [fault for fault in ids if expectation.fault in (None, fault.id or fault.kind)]
    kind = KINDS.get(named[0].kind or "") if named else None
    if kind is not None and not (issubclass(kind, RowFault) and "feature" not in (expectation.labels or {})):
        expected = (
            "label sets that can be named beforehand: a fault that edits features, or a matcher that lists values"
        )
        yield Finding((*path, "match"), expected, "add matchers: ['instance=~\"a|b\"'], or write match: any")


def _named_fault(known: Mapping[str, None], faults: int, expectation: ExpectOutline, path: Path) -> Iterator[Finding]:
    shown = list(islice(known, _SHOWN_IDS))
    if not known and not faults:
        yield Finding(
            path, "a fault in this phase that the alert must notice", "add faults, or use must_not_fire", "no faults"
        )
    elif expectation.fault is None and faults > 1:
        fix = f"add fault: {shown[0]}" if known else "add fault: …"
        yield Finding((*path, "fault"), "the fault that must raise the alert, as the phase has several", fix, "nothing")
    elif expectation.fault is not None and expectation.fault not in known:
        fix = f"write {nearest(expectation.fault, shown) or shown[0]}" if known else "remove it"
        more = ", …" if len(known) > len(shown) else ""
        yield Finding((*path, "fault"), f"the id of a fault of this phase ({', '.join(shown)}{more})", fix)


def _limits(outline: Outline) -> Iterator[Finding]:
    limits = outline.limits
    rate_per_s = outline.load.rate if outline.load else None
    if limits and limits.max_rate and rate_per_s and rate_per_s > limits.max_rate:
        yield _too_high(("load", "rate"), rate_per_s, limits.max_rate)
    if limits and limits.max_rate:
        yield from _phase_rates(outline, limits.max_rate)
        yield from _profiles(outline, limits.max_rate, limits.max_duration or LONGEST_S)
    total_s = math.fsum(phase.duration or 0.0 for phase in outline.phases or () if phase)
    if limits and limits.max_duration and total_s > limits.max_duration:
        total = format_duration(total_s)
        expected = f"at most {format_duration(limits.max_duration)} (limits.max_duration)"
        fix = f"shorten the phases, or raise limits.max_duration to {total}"
        yield Finding(("phases",), expected, fix, f"phases that last {total} together", at_key=True)


def _too_high(path: Path, rate_per_s: float, max_rate: float, got: str | None = None) -> Finding:
    fix = f"lower it, or raise limits.max_rate to {format_rate(rate_per_s)}"
    return Finding(path, f"at most {format_rate(max_rate)} (limits.max_rate)", fix, got)


def _phase_rates(outline: Outline, max_rate: float) -> Iterator[Finding]:
    for position, phase in enumerate(outline.phases or ()):
        load = phase.load if phase else None
        if load is None:
            continue
        if load.rate is not None and load.rate > max_rate:
            yield _too_high(("phases", position, "load", "rate"), load.rate, max_rate)
        reached = _plain_rate(outline, load)
        if load.factor is not None and reached is not None and reached > max_rate:
            expected = f"at most {format_rate(max_rate)} (limits.max_rate), not {format_rate(reached)}"
            fix = f"lower it, or raise limits.max_rate to {format_rate(reached)}"
            yield Finding(("phases", position, "load", "factor"), expected, fix)


def _plain_rate(outline: Outline, load: PhaseLoadOutline | None) -> float | None:
    """The rate of a phase without its profile; None where it cannot be read."""
    rate_per_s = outline.load.rate if outline.load else None
    if load is None or rate_per_s is None:
        return rate_per_s
    return rate_per_s * (1.0 if load.factor is None else load.factor)


def _profiles(outline: Outline, max_rate: float, longest_s: float) -> Iterator[Finding]:
    """Profiles that go above the limit, each once; a phase of unknown duration lasts as long as it may."""
    seen: set[Path] = set()
    for position, phase in enumerate(outline.phases or ()):
        if phase is None:
            continue
        own = phase.load.profile if phase.load else None
        path: Path = ("phases", position, "load", "profile") if own else ("load", "profile")
        profile = own or (outline.load.profile if outline.load else None)
        rate_per_s = (phase.load.rate if phase.load else None) or _plain_rate(outline, phase.load)
        if profile is None or rate_per_s is None or rate_per_s > max_rate or path in seen:
            continue
        peak_per_s = rate_per_s * profile.highest(phase.duration or longest_s)
        if peak_per_s > max_rate:
            seen.add(path)
            yield _too_high(path, peak_per_s, max_rate, f"up to {format_rate(peak_per_s)} in phases[{position}]")


def _recorded(outline: Outline) -> Iterator[Finding]:
    """Loads of phases that do not go with the load."""
    recorded = outline.load is not None and outline.load.arrivals == "recorded"
    for position, phase in enumerate(outline.phases or ()):
        load = phase.load if phase else None
        if load is None or outline.load is None:
            continue
        path = ("phases", position, "load")
        for key in ("rate", "factor", "arrivals", "profile") if recorded else ("speed",):
            if key in load.model_fields_set:
                expected = "speed alone, as the load is recorded" if recorded else "a recorded load, as it has a speed"
                fix = "remove it" if recorded else "write a rate or a factor"
                yield Finding((*path, key), expected, fix, key, at_key=True)


def _own_users(outline: Outline) -> Iterator[Finding]:
    """Faults that cannot act on requests which users of a locustfile make."""
    for position, phase in enumerate(outline.phases or ()):
        for number, fault in enumerate((phase.faults if phase else None) or ()):
            kind = KINDS.get(fault.kind or "") if fault else None
            if fault is None or kind is None:
                continue
            path: Path = ("phases", position, "faults", number)
            if kind.own_load_only is not None:
                expected = f"a fault that goes with load.locustfile, not {fault.kind}: {kind.own_load_only}"
                yield Finding((*path, "kind"), expected, "remove the fault, or load.locustfile")
            elif issubclass(kind, ExchangeFault):
                for key in _by_rows(fault):
                    expected = "a fault of all requests alike beside load.locustfile, as a fault proxy reads no bodies"
                    yield Finding((*path, key), expected, f"remove {key}", key, at_key=True)


def _by_rows(fault: FaultOutline) -> Iterator[str]:
    """The keys of a fault that make it depend on what rows hold."""
    if fault.where is not None:
        yield "where"
    if isinstance(fault.select, dict) and fault.select.get("kind") != "mcar":
        yield "select"


def _monitoring(outline: Outline) -> Iterator[Finding]:
    monitoring = outline.monitoring
    if monitoring is None:
        return
    if isinstance(monitoring.prometheus, dict):
        for key in ("rules", "scrape", "scrape_interval", "evaluation_interval"):
            if key in monitoring.model_fields_set:
                fix = f"remove {key}, or write prometheus: managed"
                got = f"{key} for a Prometheus of your own"
                expected = "a managed one, as your own is read and never changed"
                yield Finding(("monitoring", key), expected, fix, got, at_key=True)
    elif (
        isinstance(outline.target, dict)
        and {"url", "command"} & outline.target.keys()
        and monitoring.rules == "bundled"
    ):
        written = "rules" in monitoring.model_fields_set
        expected = "rule files, as bundled rules belong to bundled targets"
        fix = "write [alerts.yml]" if written else "add monitoring: {rules: [alerts.yml]}"
        yield Finding(("monitoring", "rules"), expected, fix, None if written else "no rules")
    seen: set[str] = set()
    for position, job in enumerate(monitoring.scrape or ()):
        if job and job.job in seen:
            yield Finding(("monitoring", "scrape", position, "job"), "a job name of its own", "write another name")
        seen.add((job.job or "") if job else "")
