"""A phase: what is broken, which alerts must fire, and which must not."""

from typing import Literal

from pydantic import Field, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.faults.catalogue import FaultSpec
from alertdrill.core.scenario.load import PhaseLoad
from alertdrill.core.scenario.part import AutoDurationS, Labels, Name, Part, Text
from alertdrill.core.units import PositiveDurationS


class Notifies(Part):
    """That the alert also reaches a receiver."""

    within: PositiveDurationS = Field(description="from the first confirmed effect of the fault, such as 12s")
    receiver: Text | None = Field(
        default=None,
        description="name of the Alertmanager's receiver that must get it; default: any",
        examples=["pager"],
    )


class Expectation(Part):
    """An alert that must fire."""

    alert: Text = Field(description="name of the alert", examples=["FeatureDrift"])
    labels: Labels = Field(default_factory=dict, description="labels that the firing alert must have")
    within: AutoDurationS = Field(
        description="from the first confirmed effect of the fault, such as 10s; auto: enough in 95 of 100 drills",
        examples=["10s", "auto"],
    )
    notifies: Notifies | None = Field(default=None, description="the alert must also reach a receiver in time")
    resolves_within: PositiveDurationS | None = Field(
        default=None, description="from the last confirmed effect of the fault, such as 30s"
    )
    fault: Text | None = Field(default=None, description="id of the fault; needed where a phase has several")


class Prohibition(Part):
    """Alerts that must not fire."""

    alert: Text | None = Field(default=None, description="name of the alert")
    labels: Labels = Field(default_factory=dict, description="labels of the alerts")
    except_: tuple[Text, ...] = Field(
        default=(), alias="except", description="names of alerts that may fire all the same"
    )

    @model_validator(mode="after")
    def _check_matcher(self) -> "Prohibition":
        if self.alert is None and not self.labels:
            fix = "add alert: NAME, or labels such as {severity: P0}"
            raise BadValue("an alert or labels", fix, "neither alert nor labels")
        return self


class Phase(Part):
    """A stretch of the drill: a baseline if it has no faults, else a fault phase."""

    name: Name = Field(description="unique name of the phase", examples=["baseline"])
    duration: AutoDurationS = Field(
        description="the longest that the phase lasts, such as 30s; auto: enough for its alerts in 95 of 100 drills",
        examples=["30s", "auto"],
    )
    load: PhaseLoad | None = Field(default=None, description="traffic that differs from `load` in this phase")
    end_when: Literal["decided"] | None = Field(
        default=None,
        description="decided: end two evaluations after every expected alert fired and notified; default: last in full",
    )
    faults: tuple[FaultSpec, ...] = Field(default=(), description="what is broken during the phase")
    expect: tuple[Expectation, ...] = Field(default=(), description="alerts that must fire")
    must_not_fire: tuple[Prohibition, ...] = Field(
        default=(), description="alerts that must not fire in this phase and one tail after it"
    )
