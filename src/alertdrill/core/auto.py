"""`within: auto` and `duration: auto`, turned into numbers before the plan is made."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from alertdrill.core.prospect import Prospect
from alertdrill.core.scenario import Expectation, Phase, Scenario
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.part import AUTO_S

LONG_ENOUGH_S = (60.0, 300.0)
"""How long phases of `duration: auto` are taken to last while it is worked out how long they need."""

EVALUATIONS = 2
MARGIN_S = 1.0

Look = Callable[[Scenario], Sequence[Prospect]]


def in_numbers(scenario: Scenario, look: Look, tail_s: float) -> tuple[Scenario, tuple[Finding, ...]]:
    """The scenario without any `auto`, and where that cannot be worked out.

    `within` is the time that suffices in 95 of 100 drills (`odds`). A phase lasts until the last of its expectations is
    decided in as many: first touched request + `within` + two evaluations + 1 s to notify, and not less than its sure
    bound, in whole seconds.

    Args:
        scenario: the scenario as it was written.
        look: works out what a scenario without `duration: auto` can hope for.
        tail_s: how long after its last effect a fault can still make an alert fire.
    """
    if not any(AUTO_S in (phase.duration, *(one.within for one in phase.expect)) for phase in scenario.phases):
        return scenario, ()
    found: tuple[Finding, ...] = ()
    for longest_s in LONG_ENOUGH_S:
        trial = _lasting(scenario, min(longest_s, scenario.limits.max_duration))
        prospects = look(trial)
        phases = [
            _Numbers(phase, [one for one in prospects if one.phase.name == phase.name], tail_s)
            for phase in scenario.phases
        ]
        found = tuple(finding for one in phases for finding in one.missing())
        if not found:
            return scenario.model_copy(update={"phases": tuple(one.phase_in_numbers() for one in phases)}), ()
        if trial == scenario or not any(one.fill is not None and math.isinf(one.fill.high_s) for one in prospects):
            break
    return scenario, found


def _lasting(scenario: Scenario, longest_s: float) -> Scenario:
    phases = [
        phase.model_copy(update={"duration": longest_s}) if phase.duration == AUTO_S else phase
        for phase in scenario.phases
    ]
    return scenario.model_copy(update={"phases": tuple(phases)})


@dataclass(frozen=True)
class _Numbers:
    """One phase as it was written, and what its expectations can hope for, in their order."""

    phase: Phase
    prospects: Sequence[Prospect]
    tail_s: float

    def missing(self) -> Iterator[Finding]:
        """What cannot be worked out."""
        name = self.phase.name
        if self.phase.duration == AUTO_S and not self.phase.expect:
            expected = "a duration, as the phase expects no alert to take it from"
            yield Finding((name, "duration"), expected, "write a number, such as 30s")
        for position, one in enumerate(self.prospects):
            if self.phase.expect[position].within == AUTO_S and one.odds is None:
                why, fix = _why_unknown(one)
                yield Finding((name, "expect", position, "within"), f"a duration, as {why}", fix)

    def phase_in_numbers(self) -> Phase:
        """The phase without any `auto`; only where nothing is missing."""
        expect = tuple(
            expectation.model_copy(update={"within": _within_s(expectation, one)})
            for expectation, one in zip(self.phase.expect, self.prospects, strict=True)
        )
        return self.phase.model_copy(update={"expect": expect, "duration": self._duration_s()})

    def _duration_s(self) -> float:
        if self.phase.duration != AUTO_S:
            return self.phase.duration
        return float(
            math.ceil(max(self._needed_s(*pair) for pair in zip(self.phase.expect, self.prospects, strict=True)))
        )

    def _needed_s(self, expectation: Expectation, one: Prospect) -> float:
        start_s = one.start_s or 0.0
        evaluation_s = 0.0 if one.rule is None else one.rule.interval_ms / 1000
        decided_s = start_s + _within_s(expectation, one) + EVALUATIONS * evaluation_s + MARGIN_S
        sure_s = start_s + (one.bounds.worst_s or 0.0) + MARGIN_S
        notified_s = start_s + expectation.notifies.within - self.tail_s if expectation.notifies else 0.0
        return max(decided_s, sure_s, notified_s)


def _within_s(expectation: Expectation, one: Prospect) -> float:
    if expectation.within != AUTO_S:
        return expectation.within
    assert one.odds is not None, "whatever is missing was refused"
    return one.odds.point_s()


def _why_unknown(one: Prospect) -> tuple[str, str]:
    alert, number = one.expectation.alert, "write a number, such as 15s"
    if one.rule is None:
        return f"no alert {alert} is loaded", f"correct the name of the alert, or {number}"
    if one.start_s is None:
        return "the fault touches no request", "correct its share, where or profile, or write a number"
    if one.fill is None:
        return f"nobody can tell how long {alert} takes with this fault", number
    if math.isinf(one.fill.low_s):
        return f"the planned dose never raises {alert}", f"raise the share or the dose, or {number}"
    return f"the planned dose does not surely raise {alert}", f"raise the share, the dose or the duration, or {number}"
