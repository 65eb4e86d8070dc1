"""The plan: everything that load, proxies and checker must agree on, fixed before anything starts.

Segments (steady state, phases, gates, settle) hold the recipe of their arrivals, relative to a start that the director
announces during the run. Request i of segment k is the same bytes whoever builds it.
"""

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.faults.base import Fault, Place, RowFault, Spread, Unit
from alertdrill.core.faults.catalogue import FaultSpec
from alertdrill.core.kept import Kept
from alertdrill.core.scenario import Expectation, Load, Phase, RecordedLoad, Scenario
from alertdrill.core.schedule import make_schedule
from alertdrill.core.timeline import Arrivals, fingerprint
from alertdrill.core.traffic_log import TrafficLog
from alertdrill.protocols.schema import Schema

UP_LIMIT_S = 30.0
MARGIN_S = 5.0
LOAD_TIMEOUT_S = 10.0
"""The load gives a request up that has no whole answer after this."""

LAST_EFFECTS_S = LOAD_TIMEOUT_S + 2.0
"""The last exchange of a phase is over this long after its gate began, at most."""


class SegmentKind(StrEnum):
    """What a stretch of the drill is for."""

    STEADY = "steady"
    PHASE = "phase"
    GATE = "gate"
    SETTLE = "settle"


class _Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class Segment(_Frozen):
    """A stretch of the drill with one recipe of arrivals."""

    k: int = Field(ge=0, description="number of the segment, from 0")
    kind: SegmentKind
    name: str = Field(description="name of the phase that it is, or leads to")
    duration_s: float = Field(gt=0, description="the longest it can last; it may end early")
    arrivals: Arrivals
    count: int = Field(ge=0, description="arrivals in the whole duration")
    arrivals_sha256: str = Field(description="hash of the arrival times, whole microseconds")


class Injection(_Frozen):
    """A fault with its share, in one segment."""

    id: str = Field(description="phase/fault, unique in the drill")
    phase: str
    segment: int
    unit: Unit
    place: Place | None
    share: float = Field(ge=0, le=1)
    fault: FaultSpec = Field(description="with the features that its names and patterns stand for")
    chosen: str | None = Field(
        default=None, description="the requests chosen, where that depends on their rows: a compressed bit for each"
    )


class RuleText(_Frozen):
    """A rule file as it was when the drill started."""

    path: str
    text: str
    sha256: str


class TargetPlan(_Frozen):
    """The target as the load sees it."""

    name: str
    version: str
    schema_: Schema = Field(alias="schema", description="features and endpoint")
    headers: dict[str, str] = Field(default_factory=dict, description="headers sent with every request")
    sample_sha256: str = Field(description="hash of the CSV that the rows of requests come from")
    spreads: Mapping[str, Spread] | None = Field(
        default=None,
        description="spread of every numeric feature in the target's own sample, where rows come from a log "
        "or from users of a locustfile; null: rows are drawn from that sample",
    )
    dependency_waits_s: float | None = Field(
        default=None, description="how long the model waits for its dependency; null if nobody knows"
    )

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Plan(_Frozen):
    """What a drill will do."""

    schema_: Literal["alertdrill/plan/v1"] = Field(default="alertdrill/plan/v1", alias="schema")
    run_id: str
    seed: int
    scenario_path: str
    scenario: Scenario
    target: TargetPlan
    rules: tuple[RuleText, ...]
    background_per_s: float = Field(
        default=0.0, ge=0, description="requests a second that others send to the target, as far as is known"
    )
    segments: tuple[Segment, ...]
    injections: tuple[Injection, ...]
    record: Kept = Field(default=Kept.SCOPE, description="which samples the drill keeps")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def segment_injections(self, k: int) -> tuple[Injection, ...]:
        """The injections of segment `k`."""
        return tuple(injection for injection in self.injections if injection.segment == k)

    def phase_segment(self, phase: str) -> Segment:
        """The segment that is the phase itself."""
        return next(s for s in self.segments if s.kind is SegmentKind.PHASE and s.name == phase)


def steady_state_s(scenario: Scenario, tail_s: float) -> float:
    """How long after the first scrapes it is known whether alerts were active before the drill, at most, in s."""
    return 2 * tail_s + max((condition.for_ for condition in scenario.steady_state), default=0.0)


def stretches(scenario: Scenario, tail_s: float) -> Iterator[tuple[SegmentKind, str, float]]:
    """Kind, name and longest duration of every segment, in order: a gate stands before each phase with faults."""
    steady_s = steady_state_s(scenario, tail_s)
    # Between a gate that opens late and its phase lies a random delay below the tail.
    gate_s = max(scenario.settle.timeout, tail_s + LAST_EFFECTS_S) + tail_s + MARGIN_S
    deadline_s = max((e.resolves_within or 0.0 for phase in scenario.phases for e in phase.expect), default=0.0)
    yield SegmentKind.STEADY, "steady_state", UP_LIMIT_S + steady_s + MARGIN_S
    for phase in scenario.phases:
        if phase.faults:
            yield SegmentKind.GATE, phase.name, gate_s + steady_s
            steady_s = 0.0  # decided by the end of the first gate
        yield SegmentKind.PHASE, phase.name, phase.duration
    yield SegmentKind.SETTLE, "settle", gate_s + deadline_s


def make_segments(
    scenario: Scenario, schema: Schema, tail_s: float, log: TrafficLog | None = None
) -> tuple[tuple[Segment, ...], tuple[Injection, ...]]:
    """The segments of a scenario, arrivals included, and the injections in them.

    Args:
        scenario: the drill; its features are names and patterns that the schema knows.
        schema: of the target.
        tail_s: how long a fault can still make an alert in scope fire after its last effect.
        log: the recorded traffic of its load, if it is recorded.
    """
    segments, injections = [], []
    phases = {phase.name: phase for phase in scenario.phases}
    for k, (kind, name, duration_s) in enumerate(stretches(scenario, tail_s)):
        phase = phases[name] if kind is SegmentKind.PHASE else None
        if log is None:
            assert isinstance(scenario.load, Load), "a recorded load has a log"
            arrivals = _drawn(scenario.load, phase)
        else:
            arrivals = _recorded(scenario, phase, duration_s, log)
        inside = [_injection(phase, fault, k, schema) for fault in phase.faults] if phase else []
        times = make_schedule(arrivals, scenario.seed, k, duration_s, inside).at
        injections += inside
        segments.append(
            Segment(
                k=k,
                kind=kind,
                name=name,
                duration_s=duration_s,
                arrivals=arrivals,
                count=len(times),
                arrivals_sha256=fingerprint(times),
            )
        )
    return tuple(segments), tuple(injections)


def _drawn(load: Load, phase: Phase | None) -> Arrivals:
    """The load of a stretch: that of the scenario, unless its phase has its own; only phases have a profile."""
    if phase is None:
        return Arrivals(kind=load.arrivals, rate_per_s=load.rate)
    own = phase.load
    if own is None:
        return Arrivals(kind=load.arrivals, rate_per_s=load.rate, profile=load.profile)
    rate_per_s = own.rate if own.rate is not None else load.rate * (1.0 if own.factor is None else own.factor)
    return Arrivals(kind=own.arrivals or load.arrivals, rate_per_s=rate_per_s, profile=own.profile or load.profile)


def _recorded(scenario: Scenario, phase: Phase | None, duration_s: float, log: TrafficLog) -> Arrivals:
    """What a stretch plays of a log: phases one part after the other, all others from its beginning."""
    from_s = 0.0 if phase is None else begins_in_log_s(scenario, phase)
    played = log.stretch(from_s, duration_s, speed_of(scenario, phase))
    return Arrivals(kind=scenario.load.arrivals, rate_per_s=played.count / duration_s, recorded=played)


def speed_of(scenario: Scenario, phase: Phase | None) -> float:
    """How many times faster than it was recorded a phase plays the log; None: steady state, gates and settle."""
    own = phase.load.speed if phase is not None and phase.load is not None else None
    return own or (scenario.load.speed if isinstance(scenario.load, RecordedLoad) else 1.0)


def begins_in_log_s(scenario: Scenario, phase: Phase) -> float:
    """Where in the log a phase begins, in seconds of the log's own time: where the full one before it ended."""
    before = scenario.phases[: scenario.phases.index(phase)]
    return math.fsum(one.duration * speed_of(scenario, one) for one in before)


def injection_id(phase: Phase, fault: Fault) -> str:
    """Name of one injection in the whole drill."""
    return f"{phase.name}/{fault_id(fault)}"


def fault_id(fault: Fault) -> str:
    """Name of a fault in its phase: its id, else its kind."""
    return fault.id or fault.kind


def expected_fault(phase: Phase, expectation: Expectation) -> Fault:
    """The fault of a phase that an expectation is about: the one it names, or the only one."""
    return next(fault for fault in phase.faults if expectation.fault in (None, fault_id(fault)))


def _injection(phase: Phase, fault: Fault, segment: int, schema: Schema) -> Injection:
    if isinstance(fault, RowFault):
        fault = fault.model_copy(update={"features": named_features(fault, schema)})
    return Injection(
        id=injection_id(phase, fault),
        phase=phase.name,
        segment=segment,
        unit=fault.unit,
        place=getattr(fault, "place", None),
        share=fault.share,
        fault=fault,
    )


def named_features(fault: RowFault, schema: Schema) -> tuple[str, ...]:
    """The features that a fault's names and patterns stand for, each once, in the schema's order for patterns.

    A pattern stands for those that the fault can edit; a name for itself.
    """
    found: dict[str, None] = {}
    for pattern in fault.features:
        if any(feature.name == pattern for feature in schema.features):
            found[pattern] = None
            continue
        for feature in schema.features:
            if feature.kind in fault.edits and fnmatchcase(feature.name, pattern):
                found[feature.name] = None
    return tuple(found)
