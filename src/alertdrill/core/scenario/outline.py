"""What of a scenario can be read although other parts of it are wrong, so that all mistakes are found at once."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator
from pydantic.functional_validators import ModelWrapValidatorHandler

from alertdrill.core.rates import RateSpec
from alertdrill.core.scenario.part import Matchers
from alertdrill.core.units import DurationS, Factor, RatePerS


def _or_none(value: Any, read: ModelWrapValidatorHandler[Any]) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


Lenient = WrapValidator(_or_none)
OptionalText = Annotated[str | None, Lenient]
OptionalDurationS = Annotated[DurationS | None, Lenient]
OptionalRatePerS = Annotated[RatePerS | None, Lenient]
OptionalRateProfile = Annotated[RateSpec | None, Lenient]


class _Outline(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="ignore")


class FaultOutline(_Outline):
    """How a fault is named, where it acts, and whether it depends on what rows hold."""

    id: OptionalText = None
    kind: OptionalText = None
    where: Any = None
    select: Any = None
    place: Any = None


class ExpectOutline(_Outline):
    """Which alert is expected of which fault."""

    alert: OptionalText = None
    labels: Annotated[dict[str, str] | None, Lenient] = None
    matchers: Annotated[Matchers | None, Lenient] = ()
    match: Any = None
    fault: OptionalText = None
    notifies: Annotated[dict[str, Any] | None, Lenient] = None

    @property
    def receiver(self) -> str:
        """The receiver that must be told; empty where any will do."""
        return str((self.notifies or {}).get("receiver", ""))


class PhaseLoadOutline(_Outline):
    """The load of one phase."""

    rate: OptionalRatePerS = None
    factor: Annotated[Factor | None, Lenient] = None
    arrivals: Any = None
    profile: OptionalRateProfile = None
    speed: Any = None


class PhaseOutline(_Outline):
    """A phase; entries that cannot be read, and durations that are still to be worked out, are None."""

    name: OptionalText = None
    duration: OptionalDurationS = None
    load: Annotated[PhaseLoadOutline | None, Lenient] = None
    faults: Annotated[tuple[Annotated[FaultOutline | None, Lenient], ...] | None, Lenient] = ()
    expect: Annotated[tuple[Annotated[ExpectOutline | None, Lenient], ...] | None, Lenient] = ()


class JobOutline(_Outline):
    """A scrape job's name."""

    job: OptionalText = None


class MonitoringOutline(_Outline):
    """Which keys the monitoring has."""

    prometheus: Any = "managed"
    alertmanager: Any = "none"
    notify: Any = "silenced"
    rules: Any = "bundled"
    scrape: Annotated[tuple[Annotated[JobOutline | None, Lenient], ...] | None, Lenient] = ()
    scrape_interval: Any = None
    evaluation_interval: Any = None


class LogOutline(_Outline):
    """The file of recorded traffic."""

    file: OptionalText = None


class LoadOutline(_Outline):
    """The rate of the load, where it is recorded, and who makes it."""

    rate: OptionalRatePerS = None
    arrivals: Any = None
    profile: OptionalRateProfile = None
    log: Annotated[LogOutline | None, Lenient] = None
    locustfile: OptionalText = None


class LimitsOutline(_Outline):
    """Two limits; None where the file has something unreadable."""

    max_rate: OptionalRatePerS = 500.0
    max_duration: OptionalDurationS = 900.0


class Outline(_Outline):
    """A scenario's readable parts."""

    target: Any = None
    monitoring: Annotated[MonitoringOutline | None, Lenient] = Field(default_factory=MonitoringOutline)
    load: Annotated[LoadOutline | None, Lenient] = None
    phases: Annotated[tuple[Annotated[PhaseOutline | None, Lenient], ...] | None, Lenient] = ()
    limits: Annotated[LimitsOutline | None, Lenient] = Field(default_factory=LimitsOutline)
