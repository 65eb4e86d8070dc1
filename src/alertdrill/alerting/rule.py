"""The nouns of a rule file: recordings, alerts, groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How soon somebody must act."""

    P0 = "P0"  # at once, at night too: customers get no prediction
    P1 = "P1"  # within the hour, in working hours
    P2 = "P2"  # a ticket


class Type(StrEnum):
    """What the alert speaks of."""

    SYMPTOM = "symptom"  # what users of the model meet
    CAUSE = "cause"  # what may lead to it


class Pillar(StrEnum):
    """The part of a model's health that an alert watches."""

    DATA = "data"
    MODEL = "model"
    SYSTEM = "system"
    BUSINESS = "business"


@dataclass(frozen=True)
class Recording:
    """A recording rule.

    Attributes:
        record: name of the recorded metric, `level:metric:operation`.
        expr: PromQL, of one line or several.
        comment: what it is; a recording without one belongs to the one before it.
    """

    record: str
    expr: str
    comment: str = ""


@dataclass(frozen=True)
class Alert:
    """An alerting rule. Durations are Prometheus's (`5s`, `10m`); an empty one is left out.

    Attributes:
        name: of the alert, and of its runbook.
        expr: PromQL, of one line or several.
        summary: one line for a pager; a template of Prometheus's.
        description: numbers and what is tolerated; a template too.
        wait: the rule's `for`.
        hold: the rule's `keep_firing_for`.
        more: labels beside severity, type and pillar.
        comment: why the rule is as it is.
    """

    name: str
    expr: str
    severity: Severity
    type: Type
    pillar: Pillar
    summary: str
    description: str
    wait: str = ""
    hold: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """All labels that the rule adds."""
        return {"severity": self.severity, "type": self.type, "pillar": self.pillar, **self.more}


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other.

    Attributes:
        name: unique in its file.
        rules: recordings before the alerts that read them.
        interval: between evaluations; empty: Prometheus's global one.
    """

    name: str
    rules: tuple[Recording | Alert, ...]
    interval: str = ""
