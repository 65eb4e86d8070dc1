"""Whether a drill can play its log. Paths start from the name of a phase, or TOP."""

import math
from collections.abc import Iterator, Mapping

from alertdrill.core.auto import LONG_ENOUGH_S
from alertdrill.core.blast_radius import busiest_per_s
from alertdrill.core.plan import Plan, SegmentKind, begins_in_log_s, speed_of, stretches
from alertdrill.core.scenario import Phase, RecordedLoad, Scenario
from alertdrill.core.scenario.finding import TOP, Finding
from alertdrill.core.scenario.grammar import Path
from alertdrill.core.scenario.part import AUTO_S
from alertdrill.core.scope import RuleBook, in_scope
from alertdrill.core.touch import Touch
from alertdrill.core.traffic_log import TrafficLog
from alertdrill.core.units import format_duration, format_rate

RATE_WINDOW_S = 10.0
SHOWN_ALERTS = 5

_FILE: Path = (TOP, "load", "log", "file")


def played_s(scenario: Scenario, tail_s: float) -> float:
    """How much of a log a drill can play at most, from its beginning, in seconds of the log's own time."""
    phases_s = [min(phase.duration, max(LONG_ENOUGH_S)) for phase in scenario.phases if phase.duration == AUTO_S]
    phases_s += [phase.duration for phase in scenario.phases if phase.duration != AUTO_S]
    others_s = [lasts_s for kind, _, lasts_s in stretches(scenario, tail_s) if kind is not SegmentKind.PHASE]
    fastest = max(speed_of(scenario, phase) for phase in (None, *scenario.phases))
    return fastest * max(math.fsum(phases_s), scenario.limits.max_duration, *others_s)


def too_long(scenario: Scenario, log: TrafficLog) -> Iterator[Finding]:
    """Phases that together last longer than the log; none of them is `auto` any more."""
    needed_s = math.fsum(phase.duration * speed_of(scenario, phase) for phase in scenario.phases)
    if needed_s * 1e6 > log.length_us:
        lasts = format_duration(math.floor(log.length_s * 1000) / 1000)
        got = f"phases that play {format_duration(round(needed_s, 3))} of the log together"
        fix = "shorten the phases, or record a longer log"
        yield Finding((TOP, "phases"), f"at most {lasts}, as long as the log lasts", fix, got, at_key=True)


def too_dense(scenario: Scenario, tail_s: float, log: TrafficLog) -> Iterator[Finding]:
    """The first stretch whose mean rate is above `limits.max_rate`, found without making its arrivals.

    Phases of `auto`, and those after them, whose place in the log is not known yet, are left out.
    """
    phases = {phase.name: phase for phase in scenario.phases}
    for kind, name, lasts_s in stretches(scenario, tail_s):
        phase = phases[name] if kind is SegmentKind.PHASE else None
        from_s = 0.0 if phase is None else begins_in_log_s(scenario, phase)
        if math.isinf(from_s + lasts_s):
            continue
        count = log.count(from_s, lasts_s * speed_of(scenario, phase))
        if count > scenario.limits.max_rate * lasts_s + 1:
            yield _dense(scenario, phase, count / lasts_s)
            return


def too_fast(plan: Plan, touch: Touch) -> Iterator[Finding]:
    """The first stretch that plays its log faster than `limits.max_rate`, in its busiest 10 s."""
    phases = {phase.name: phase for phase in plan.scenario.phases}
    for segment in plan.segments:
        if segment.arrivals.recorded is None:
            return
        window_s = min(RATE_WINDOW_S, segment.duration_s)
        schedule = touch.schedule(segment.k)
        rate_per_s = busiest_per_s(schedule.at[schedule.planned >= 0], window_s)
        if rate_per_s > plan.scenario.limits.max_rate + 1 / window_s:
            phase = phases[segment.name] if segment.kind is SegmentKind.PHASE else None
            yield _dense(plan.scenario, phase, rate_per_s)
            return


def _dense(scenario: Scenario, phase: Phase | None, rate_per_s: float) -> Finding:
    own = phase is not None and phase.load is not None and phase.load.speed is not None
    path: Path = (phase.name, "load", "speed") if phase is not None and own else _FILE
    reached = format_rate(float(math.ceil(rate_per_s)))
    where = f"phase {phase.name}" if phase is not None else "steady state and gates"
    fix = f"thin the log out, lower the speed, or raise limits.max_rate to {reached}"
    expected = f"at most {format_rate(scenario.limits.max_rate)} (limits.max_rate)"
    return Finding(path, expected, fix, f"{reached} in {where}")


def too_quick(scenario: Scenario, book: RuleBook) -> Iterator[Finding]:
    """Speeds other than 1 under alerts that look at windows of wall-clock time: these do not speed up with the log."""
    timed = dict.fromkeys(
        rule.name
        for rule in book.alerts
        if in_scope(scenario, rule.labels) and (book.lookback_ms(rule) > 0 or rule.for_ms > 0)
    )
    if not timed:
        return
    names = ", ".join(list(timed)[:SHOWN_ALERTS]) + (", …" if len(timed) > SHOWN_ALERTS else "")
    for path, speed in _speeds(scenario).items():
        if speed != 1:
            fix = f"leave speed at 1: {names} would see more or less of the log at once"
            yield Finding(path, "1, as alerts in scope are judged over windows of wall-clock time", fix, f"{speed:g}")


def _speeds(scenario: Scenario) -> Mapping[Path, float]:
    found: dict[Path, float] = {}
    if isinstance(scenario.load, RecordedLoad):
        found[TOP, "load", "speed"] = scenario.load.speed
    for phase in scenario.phases:
        if phase.load is not None and phase.load.speed is not None:
            found[phase.name, "load", "speed"] = phase.load.speed
    return found
