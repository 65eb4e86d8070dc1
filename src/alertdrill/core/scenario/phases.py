"""A phase: what is broken, which alerts must fire, and which must not."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.faults.catalogue import FaultSpec
from alertdrill.core.matchers import EXAMPLE
from alertdrill.core.scenario.load import PhaseLoad
from alertdrill.core.scenario.part import AutoDurationS, Labels, Matchers, Name, Part, Text, check_together
from alertdrill.core.units import PositiveDurationS, Share

MATCHERS = "further conditions on the labels, with =, !=, =~ or !~, as Prometheus anchors and compares them"


class Notifies(Part):
    """That the alert also reaches a receiver."""

    within: PositiveDurationS = Field(description="from the first confirmed effect of the fault, such as 12s")
    receiver: Text | None = Field(
        default=None,
        description="name of the Alertmanager's receiver that must get it; default: any",
        examples=["pager"],
    )


def _check_probability(share: float) -> float:
    if 0 < share < 1:
        return share
    expected = "a share above 0 and below 1, as no number of drills proves 100%"
    raise BadValue(expected, "write 95%, or leave it out, so that each drill must detect")


class Expectation(Part):
    """An alert that must fire."""

    alert: Text = Field(description="name of the alert", examples=["FeatureDrift"])
    labels: Labels = Field(default_factory=dict, description="labels that the firing alert must have")
    matchers: Matchers = Field(default=(), description=MATCHERS, examples=[[EXAMPLE]])
    match: Literal["any", "all"] = Field(
        default="any",
        description="any: one label set that fits must fire; all: each that can be named beforehand, those of an "
        '`a=~"x|y"` among the matchers, else one `feature` for each feature that the fault edits',
    )
    within: AutoDurationS = Field(
        description="from the first confirmed effect of the fault, such as 10s; auto: enough in 95 of 100 drills",
        examples=["10s", "auto"],
    )
    probability: Annotated[Share, AfterValidator(_check_probability)] | None = Field(
        default=None,
        description="how likely it must be met, judged over the drills of `run --repeat`; default: in each",
        examples=["95%"],
    )
    notifies: Notifies | None = Field(default=None, description="the alert must also reach a receiver in time")
    resolves_within: PositiveDurationS | None = Field(
        default=None, description="from the last confirmed effect of the fault, such as 30s"
    )
    fault: Text | None = Field(default=None, description="id of the fault; needed where a phase has several")

    @model_validator(mode="after")
    def _check_labels(self) -> "Expectation":
        check_together(self.labels, self.matchers)
        return self


class Prohibition(Part):
    """Alerts that must not fire."""

    alert: Text | None = Field(default=None, description="name of the alert")
    labels: Labels = Field(default_factory=dict, description="labels of the alerts")
    matchers: Matchers = Field(default=(), description=MATCHERS, examples=[[EXAMPLE]])
    except_: tuple[Text, ...] = Field(
        default=(), alias="except", description="names of alerts that may fire all the same"
    )

    @model_validator(mode="after")
    def _check_matcher(self) -> "Prohibition":
        if self.alert is None and not self.labels and not self.matchers:
            fix = "add alert: NAME, or labels such as {severity: P0}"
            raise BadValue("an alert, labels or matchers", fix, "neither alert, labels nor matchers")
        check_together(self.labels, self.matchers)
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
