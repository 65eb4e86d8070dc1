"""The whole scenario: one idea of how the model can break, and what the alerts must do about it."""

from typing import Literal

from pydantic import Field, StrictInt

from alertdrill.core.scenario.conditions import QueryCondition, SteadyCondition
from alertdrill.core.scenario.load import AnyLoad
from alertdrill.core.scenario.monitoring import Monitoring
from alertdrill.core.scenario.part import Name, Part, Text
from alertdrill.core.scenario.phases import Phase, Prohibition
from alertdrill.core.scenario.target import Target
from alertdrill.core.units import DurationS, PositiveDurationS, RatePerS


class Settle(Part):
    """The gate before every fault phase and at the end."""

    until: Literal["alerts_inactive"] = Field(default="alerts_inactive", description="what the gate waits for")
    timeout: PositiveDurationS = Field(default=60.0, description="how long it waits at most")


class Limits(Part):
    """What a drill never exceeds."""

    max_rate: RatePerS = Field(default=500.0, description="highest rate of the load")
    max_duration: PositiveDurationS = Field(default=900.0, description="longest that the phases may last together")
    lease: DurationS = Field(
        default=5.0,
        ge=3.0,
        description="load and faults end this long after the controller was last heard; at least 3s",
    )


class Scenario(Part):
    """A drill: real load, faults, and the alerts that must and must not fire."""

    version: Literal[1] = Field(description="version of the format", examples=[1])
    name: Name = Field(description="name of the scenario; results are filed under it", examples=["nulls-in-amount"])
    hypothesis: str = Field(default="", description="what you believe will happen, in one sentence")
    tags: tuple[Text, ...] = Field(default=(), description="words to choose scenarios by")
    seed: StrictInt = Field(default=0, ge=0, lt=2**63, description="same seed, same requests and faults")
    target: Target = Field(description="the model endpoint", examples=["{bundled: fraud}"])
    monitoring: Monitoring = Field(default_factory=Monitoring, description="who watches the target")
    load: AnyLoad = Field(description="the traffic", examples=["{rate: 100/s}"])
    steady_state: tuple[SteadyCondition, ...] = Field(
        default=(), description="what must hold before the first phase, else nothing is broken"
    )
    phases: tuple[Phase, ...] = Field(
        min_length=1, description="a list of phases, in order", examples=["[{name: baseline, duration: 15s}]"]
    )
    settle: Settle = Field(default_factory=Settle, description="the gate before every fault phase and at the end")
    must_not_fire: tuple[Prohibition, ...] = Field(
        default=(), description="alerts that must not fire in any phase; an expectation wins over a prohibition"
    )
    false_alarms: Literal["fail", "report"] = Field(
        default="fail", description="what an alert in scope that no fault explains does to the drill"
    )
    stop_conditions: tuple[QueryCondition, ...] = Field(
        default=(), description="the drill stops and rolls back when one of these holds"
    )
    limits: Limits = Field(default_factory=Limits, description="what the drill never exceeds")
