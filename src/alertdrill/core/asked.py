"""One expectation with everything that it is judged by."""

from dataclasses import dataclass
from functools import cached_property

from alertdrill.core.attribution import Attribution
from alertdrill.core.case import Case
from alertdrill.core.delivery import Delivery
from alertdrill.core.plan import expected_fault, injection_id
from alertdrill.core.result import Code, Reason, View
from alertdrill.core.scenario import Expectation, Phase
from alertdrill.core.scope import AlertRule
from alertdrill.core.view import views_of


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

    @cached_property
    def views(self) -> frozenset[View] | None:
        """Where all that the rule reads is measured; None where that is not known."""
        if self.rule is None:
            return None
        return views_of(self.case.book, self.rule, self.monitored, [one.labels for one in self.case.recording.series])

    @property
    def monitored(self) -> bool:
        """Whether the reference monitor stands in front of the model."""
        return self.case.plan.scenario.monitoring.monitor == "sidecar"

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
    delivery = case.deliveries[injection_id(phase, expected_fault(phase, expectation))]
    rule = case.book.rule_of(expectation)
    return Asked(case, attribution, phase, expectation, expectation_id(phase, position), delivery, rule)


def because(code: Code, text: str, decide_it_by: str) -> Reason:
    """A reason: what happened, and what would decide or change it."""
    return Reason(code=code, text=text, decide_it_by=decide_it_by)


def too_near(asked: Asked, what: str, after_ms: int) -> Reason | None:
    """Why it cannot be told whether something was in time: its engine does not state instants that exactly.

    Args:
        asked: the expectation.
        what: what happened, such as `fired`.
        after_ms: how long after its deadline; negative before it.
    """
    error_ms = 0.0 if asked.rule is None else asked.case.instant_error_ms(asked.rule.group)
    if error_ms is not None and abs(after_ms) >= error_ms:
        return None
    off = "an unknown time" if error_ms is None else f"{error_ms / 1000:g} s"
    text = (
        f"{what} {abs(after_ms) / 1000:.3f} s {'after' if after_ms > 0 else 'before'} the deadline, give or take {off}"
    )
    return because(Code.INSTANT_DOUBT, text, "a deadline that is met or missed by more than that")
