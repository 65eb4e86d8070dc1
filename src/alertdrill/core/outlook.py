"""What `alertdrill plan` shows, and writes with --json: the models of schema `alertdrill/outlook/v1`."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.blast_radius import BlastRadius
from alertdrill.core.errors import Mistake
from alertdrill.core.faults.base import Place, RowFault, Unit
from alertdrill.core.odds import LIKELY_ENOUGH
from alertdrill.core.plan import Plan, Segment, SegmentKind, expected_fault, fault_id
from alertdrill.core.prospect import Prospect
from alertdrill.core.reach import Reach, strength_at
from alertdrill.core.scenario import Scenario
from alertdrill.core.scenario.part import AUTO_S
from alertdrill.core.stats import hits_needed
from alertdrill.core.touch import Touch
from alertdrill.core.units import format_share

PARTS = 60
"""Into so many equal parts a stretch is divided for what changes within it."""

NOTICEABLE = 0.95
"""Below this ratio of the share of all to the share of ours, dilution is worth a note."""


class _Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class Stretch(_Frozen):
    """Steady state, a gate, a phase or the settling at the end."""

    kind: SegmentKind
    name: str = Field(description="name of the phase that it is, or leads to")
    begins_s: float = Field(description="when it begins if every gate opens as soon as it can, from the first request")
    least_s: float = Field(description="how long it lasts if it ends as soon as it can; a phase: its duration")
    longest_s: float = Field(description="how long it lasts at most")
    rate_per_s: float = Field(description="mean requests a second over least_s, arrival faults left out")
    rates_per_s: tuple[float, ...] | None = Field(
        default=None,
        description="requests a second in each sixtieth of least_s, where a profile, a log or an arrival fault has "
        "them vary",
    )


class InjectionOutlook(_Frozen):
    """A fault in its phase, and the requests that it will touch."""

    id: str
    phase: str
    kind: str
    unit: Unit
    place: Place | None
    features: tuple[str, ...] = Field(description="features that it edits, patterns resolved; empty for other units")
    share: float = Field(description="as written, 0 to 1")
    profile: str | None = Field(description="kind of its profile")
    requests: int = Field(description="requests of the phase in full")
    touched: int = Field(description="how many of them it touches")
    share_seen: float | None = Field(description="touched ÷ all that the target gets; null where that is not known")
    first_s: float | None = Field(description="when the first touched request is due, from the start of the phase")
    last_s: float | None = Field(description="when the last one is due")
    strength: tuple[float, ...] = Field(description="highest factor of share or dose in each sixtieth of the phase")


class ExpectationOutlook(_Frozen):
    """An expected alert, and what the settings allow; all times from the first touched request."""

    id: str
    phase: str
    fault: str
    alert: str
    labels: Mapping[str, str]
    matchers: tuple[str, ...] = Field(default=(), description="further conditions on the labels")
    loaded: bool
    for_s: float | None = Field(description="`for` of the rule")
    floor_s: float | None = Field(description="never sooner; null where it cannot be derived")
    expected_s: float | None = Field(description="on average")
    worst_s: float | None = Field(description="never later; null where the alert is not sure to fire")
    within_s: float
    within_is_auto: bool
    odds_within: float | None = Field(description="share of drills in which it fires within within_s, 0 to 1")
    point_95_s: float | None = Field(description="what 95 of 100 drills do not exceed")
    begins_s: float | None = Field(description="when the first touched request is due, from the start of the phase")


class MistakeOutlook(_Frozen):
    """Why the drill cannot succeed."""

    where: str
    line: int | None
    got: str
    expected: str
    fix: str


class Outlook(_Frozen):
    """What a drill will do and can hope for."""

    schema_: Literal["alertdrill/outlook/v1"] = Field(default="alertdrill/outlook/v1", alias="schema")
    scenario: str
    hypothesis: str
    tail_s: float = Field(description="how long after its last effect a fault can still make an alert fire")
    background_per_s: float | None = Field(description="requests a second of others; null where nobody knows")
    stretches: tuple[Stretch, ...]
    injections: tuple[InjectionOutlook, ...]
    expectations: tuple[ExpectationOutlook, ...]
    blast_radius: BlastRadius
    notes: tuple[str, ...] = Field(description="what is worth knowing and no mistake")
    mistakes: tuple[MistakeOutlook, ...] = Field(description="why the drill cannot succeed; empty: it can")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> bytes:
        """Canonical JSON: keys sorted, two spaces, a line end; the same outlook is the same bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True)
class Planned:
    """A plan, and everything that was worked out from it before a run.

    Attributes:
        written: the scenario as it was written, `auto` included.
        starts_s: segment number to its start, if every gate opens as soon as it can.
        background_per_s: requests a second of others; None where nobody knows.
    """

    plan: Plan
    written: Scenario
    touch: Touch
    tail_s: float
    starts_s: Mapping[int, float]
    background_per_s: float | None
    reaches: Sequence[Reach]
    prospects: Sequence[Prospect]
    blast_radius: BlastRadius

    def outlook(self, notes: Sequence[str], mistakes: Sequence[Mistake]) -> Outlook:
        """What `plan` shows, with what else is to be said."""
        return Outlook(
            scenario=self.plan.scenario.name,
            hypothesis=self.plan.scenario.hypothesis,
            tail_s=self.tail_s,
            background_per_s=self.background_per_s,
            stretches=tuple(self._stretch(segment) for segment in self.plan.segments),
            injections=tuple(self._injection(one) for one in self.reaches),
            expectations=tuple(self._expectation(one) for one in self.prospects),
            blast_radius=self.blast_radius,
            notes=(*notes, *self._notes()),
            mistakes=tuple(
                MistakeOutlook(where=one.where, line=one.line, got=one.got, expected=one.expected, fix=one.fix)
                for one in mistakes
            ),
        )

    def _stretch(self, segment: Segment) -> Stretch:
        begins_s = self.starts_s[segment.k]
        phase = segment.kind is SegmentKind.PHASE
        least_s = segment.duration_s if phase else min(segment.duration_s, max(self.tail_s, 1.0))
        schedule = self.touch.schedule(segment.k)
        arrivals = segment.arrivals
        varies = schedule.touched or arrivals.profile is not None or arrivals.recorded is not None
        edges = np.linspace(0.0, least_s, PARTS + 1)
        counts = np.histogram(schedule.at[schedule.sent], edges)[0]
        return Stretch(
            kind=segment.kind,
            name=segment.name,
            begins_s=begins_s,
            least_s=least_s,
            longest_s=segment.duration_s,
            rate_per_s=arrivals.mean_per_s(least_s),
            rates_per_s=tuple((counts * PARTS / least_s).tolist()) if varies else None,
        )

    def _injection(self, reach: Reach) -> InjectionOutlook:
        one = reach.injection
        lasts_s = self.plan.segments[one.segment].duration_s
        fine = strength_at(one, (np.arange(PARTS * 10) + 0.5) * lasts_s / (PARTS * 10))
        return InjectionOutlook(
            id=one.id,
            phase=one.phase,
            kind=one.fault.kind,
            unit=one.unit,
            place=one.place,
            features=one.fault.features if isinstance(one.fault, RowFault) else (),
            share=one.share,
            profile=None if one.fault.profile is None else one.fault.profile.kind,
            requests=reach.requests,
            touched=reach.touched,
            share_seen=None if self.background_per_s is None else round(reach.share_seen, 6),
            first_s=_to_ms(reach.first_s),
            last_s=_to_ms(reach.last_s),
            strength=tuple(fine.reshape(PARTS, 10).max(axis=1).round(4).tolist()),
        )

    def _expectation(self, one: Prospect) -> ExpectationOutlook:
        expectation = one.expectation
        return ExpectationOutlook(
            id=one.id,
            phase=one.phase.name,
            fault=fault_id(expected_fault(one.phase, expectation)),
            alert=expectation.alert,
            labels=expectation.labels,
            matchers=tuple(one.text() for one in expectation.matchers),
            loaded=one.rule is not None,
            for_s=None if one.rule is None else one.rule.rule.for_s,
            floor_s=one.bounds.floor_s,
            expected_s=one.bounds.expected_s,
            worst_s=one.bounds.worst_s,
            within_s=expectation.within,
            within_is_auto=self._written(one) == AUTO_S,
            odds_within=None if one.odds is None else round(one.odds.within(expectation.within), 4),
            point_95_s=None if one.odds is None else one.odds.point_s(),
            begins_s=_to_ms(one.start_s),
        )

    def _written(self, one: Prospect) -> float:
        phase = next(phase for phase in self.written.phases if phase.name == one.phase.name)
        return phase.expect[one.phase.expect.index(one.expectation)].within

    def _notes(self) -> Iterator[str]:
        for written, phase in zip(self.written.phases, self.plan.scenario.phases, strict=True):
            if written.duration == AUTO_S:
                yield f"{phase.name}: duration: auto is {phase.duration:g} s"
        for one in self.prospects:
            if one.expectation.probability is not None:
                runs = hits_needed(0, 0, one.expectation.probability)
                asked = format_share(one.expectation.probability)
                yield f"{one.id}: probability {asked} takes --repeat {runs or 'above 100,000'}, if every drill detects"
        for reach in self.reaches:
            if reach.touched and reach.share_seen < NOTICEABLE * reach.share_of_ours:
                others = f"{reach.share_seen:.1%} of all, as others send {self.background_per_s or 0.0:.0f}/s"
                yield f"{reach.injection.id}: {reach.share_of_ours:.1%} of ours are {others}"
        for one in self.prospects:
            yield from _on_odds(one)


def _to_ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _on_odds(one: Prospect) -> Iterator[str]:
    if one.odds is None:
        if one.fill is not None and math.isfinite(one.fill.low_s):
            yield f"{one.id}: not sure to fire, as the planned dose may not hold the condition for long enough"
        return
    odds, point_s = one.odds.within(one.expectation.within), one.odds.point_s()
    if 0 < odds < LIKELY_ENOUGH:
        yield f"{one.id}: within {one.expectation.within:g} s passes in {odds:.0%} of drills, {point_s:g} s in 95%"
