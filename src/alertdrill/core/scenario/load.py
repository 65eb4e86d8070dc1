"""The traffic of a drill: drawn at a rate that may vary, or as a log recorded it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, StrictInt, Tag, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.log_rows import zone_of
from alertdrill.core.rates import RateSpec
from alertdrill.core.scenario.part import Part, Text
from alertdrill.core.timeline import ArrivalKind
from alertdrill.core.units import Factor, PositiveDurationS, RatePerS, Share

Speed = Annotated[Factor, Field(gt=0)]
DrawnKind = Literal[ArrivalKind.POISSON, ArrivalKind.CONSTANT]


class Send(StrEnum):
    """What of a log is sent again."""

    REQUESTS = "requests"
    TIMES = "times"


class LogFormat(StrEnum):
    """What a line of a log is."""

    LINES = "lines"
    CLOUDEVENTS = "cloudevents"


def _check_zone(zone: str) -> str:
    try:
        zone_of(zone)
    except ValueError:
        raise BadValue("UTC, or an offset from it", "write UTC, or one such as '+02:00'") from None
    return zone


class Log(Part):
    """Recorded traffic: one request a line."""

    file: Text = Field(
        description="file of recorded requests: .jsonl, .ndjson, .log, .csv (each also .gz) or .parquet",
        examples=["traffic.jsonl"],
    )
    format: LogFormat = Field(
        default=LogFormat.LINES,
        description="lines: each is a request with its time; cloudevents: each is an event of a payload logger, as "
        "KServe has one, and those about requests hold one",
    )
    time: Text = Field(
        default="time",
        description="column, or JSON pointer such as /request/at, of the time of a request: epoch seconds, epoch "
        "milliseconds or ISO 8601 with a zone",
        examples=["time"],
    )
    zone: Annotated[Text, AfterValidator(_check_zone)] | None = Field(
        default=None,
        description="zone of times that name none: UTC, or an offset such as +02:00",
        examples=["+02:00"],
    )
    features: Text | None = Field(
        default=None,
        description="JSON pointer to the object that holds the features, such as /request/instances/0; default: the "
        "row itself",
        examples=["/request"],
    )
    request: Text | None = Field(
        default=None,
        description="column, or JSON pointer, of the whole request as it was sent, JSON or its text, which is read by "
        "the target's protocol; instead of `features`",
        examples=["/body"],
    )
    send: Send = Field(
        default=Send.REQUESTS,
        description="requests: its own rows in its order at its times; times: rows drawn from the sample at its times",
    )
    broken: Share = Field(
        default=0.01, description="share of lines that cannot be used above which it is refused, such as 1%"
    )

    @model_validator(mode="after")
    def _check_one_place(self) -> "Log":
        if self.features is not None and self.request is not None:
            raise BadValue("features or the whole request", "remove one of the two", "both", ("request",))
        if self.format is LogFormat.CLOUDEVENTS:
            for name in ("features", "request"):
                if getattr(self, name) is not None:
                    expected = "none, as events hold whole requests under data"
                    raise BadValue(expected, "remove it", None, (name,))
        return self


class Warmup(Part):
    """Requests that wake a target before the drill, for one that scales to zero."""

    requests: StrictInt = Field(default=1, ge=1, le=10_000, description="how many answers of 2xx, one by one")
    within: PositiveDurationS = Field(default=60.0, description="how long that may take, such as 60s")


_WARMUP = "requests to the target before the drill, no part of it; for a target that scales to zero"


class Load(Part):
    """The traffic of a drill, drawn at a rate."""

    strangers: ClassVar[Mapping[str, str]] = {
        "speed": "none, as these arrivals are drawn: a rate says all that it could"
    }

    rate: RatePerS = Field(description="mean arrivals, such as 100/s")
    arrivals: DrawnKind = Field(
        default=ArrivalKind.POISSON,
        description="poisson (exponential gaps), constant (equal gaps) or recorded (the times of a `log`)",
    )
    profile: RateSpec | None = Field(
        default=None,
        description="how the rate varies from the start of each phase without a profile of its own; steady state, "
        "gates and settle have the plain rate",
    )
    warmup: Warmup | None = Field(default=None, description=_WARMUP)
    locustfile: Text | None = Field(
        default=None,
        description="Locust file whose users make the requests, each at its planned time; its code is run, so `run` "
        "wants --allow-locustfile",
        examples=["users.py"],
    )
    users: StrictInt | None = Field(
        default=None, ge=1, le=10_000, description="how many users of `locustfile` there are", examples=[20]
    )

    @model_validator(mode="after")
    def _check_users(self) -> "Load":
        if self.locustfile is not None and self.users is None:
            raise BadValue("users, as it has a locustfile", "add users: 20, say", "no users")
        if self.locustfile is None and self.users is not None:
            raise BadValue(
                "users of a locustfile", "add locustfile: users.py, or remove users", "users alone", ("users",)
            )
        return self


_AT_TIMES_OF_LOG: Final = "none, as recorded requests come at the times of their log"
_ROWS_OF_LOG: Final = "none, as recorded requests are sent by no users"


class RecordedLoad(Part):
    """The traffic of a drill, as a log recorded it."""

    strangers: ClassVar[Mapping[str, str]] = {
        "rate": _AT_TIMES_OF_LOG,
        "profile": _AT_TIMES_OF_LOG,
        "locustfile": _ROWS_OF_LOG,
        "users": _ROWS_OF_LOG,
    }

    arrivals: Literal[ArrivalKind.RECORDED] = Field(
        description="recorded: at the times of `log`", examples=["recorded"]
    )
    log: Log = Field(description="the recorded traffic", examples=["{file: traffic.jsonl}"])
    speed: Speed = Field(default=1.0, description="how many times faster than it was recorded the log is played")
    warmup: Warmup | None = Field(default=None, description=_WARMUP)


def _which(value: Any) -> str:
    recorded = isinstance(value, RecordedLoad) or (
        isinstance(value, dict) and ("log" in value or value.get("arrivals") == ArrivalKind.RECORDED)
    )
    return "(recorded)" if recorded else "(drawn)"


AnyLoad = Annotated[Annotated[Load, Tag("(drawn)")] | Annotated[RecordedLoad, Tag("(recorded)")], Discriminator(_which)]
"""Traffic that is drawn at a rate, or recorded."""


def locustfile(load: AnyLoad) -> str | None:
    """The file whose users make the requests of a load; None where the load makes them itself."""
    return load.locustfile if isinstance(load, Load) else None


class PhaseLoad(Part):
    """What is different about the traffic of one phase."""

    rate: RatePerS | None = Field(default=None, description="mean arrivals instead of those of `load`, such as 300/s")
    factor: Factor | None = Field(
        default=None, description="times the rate of `load`: 3 is a surge, 0.2 a loss, 0 no traffic"
    )
    arrivals: DrawnKind | None = Field(
        default=None, description="poisson or constant instead of the kind that `load` has"
    )
    profile: RateSpec | None = Field(
        default=None, description="how the rate varies over the phase, instead of the profile of `load`"
    )
    speed: Speed | None = Field(
        default=None, description="how many times faster than it was recorded the log is played, instead of load.speed"
    )

    @model_validator(mode="after")
    def _check_one_rate(self) -> "PhaseLoad":
        if self.rate is not None and self.factor is not None:
            raise BadValue("a rate or a factor", "remove one of the two", "both")
        return self
