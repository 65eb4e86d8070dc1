"""What the director needs from the world; adapters and the virtual world provide it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from alertdrill.core import journal as records
from alertdrill.core.observations import ClockReading, EngineKind, Labels, RawSeries, RuleGroup, SelfMetrics


class SourceFailed(Exception):
    """A question to the engine was not answered; never an answer."""


class Clock(Protocol):
    """Time, in seconds since the epoch."""

    def now(self) -> float:
        """The current instant."""
        ...

    async def sleep_until(self, at: float) -> None:
        """Return at `at`, or at once if it is past."""
        ...


@dataclass(frozen=True)
class ActiveAlert:
    """An alert that is pending or firing now."""

    labels: Labels
    state: Literal["pending", "firing"]


class AlertSource(Protocol):
    """A Prometheus. Every method raises SourceFailed when there is no answer."""

    @property
    def marks(self) -> bool:
        """Whether `raw` gives staleness markers too; known once it was asked."""
        ...

    async def active(self) -> Sequence[ActiveAlert]:
        """Alerts that are pending or firing at the last evaluation."""
        ...

    async def instant(self, query: str, at: float | None = None) -> Sequence[tuple[Labels, float]]:
        """The answer to an instant query: label sets and values."""
        ...

    async def raw(self, selector: str, from_s: float, to_s: float) -> Sequence[RawSeries]:
        """Raw samples of a selector between two instants (s), with staleness markers if `marks`."""
        ...

    async def rules(self) -> Sequence[RuleGroup]:
        """The loaded rule groups."""
        ...

    async def clock(self) -> ClockReading:
        """The engine's clock against ours."""
        ...

    def precision(self) -> Mapping[EngineKind, float]:
        """How far off the instants of alerts may be that it stated so far, s, by what evaluates their rules."""
        ...

    async def of_itself(self) -> SelfMetrics:
        """What the engine counts about itself; one that does not export it does not answer."""
        ...

    def alive(self) -> bool:
        """False once the engine's process is known to be dead."""
        ...


@dataclass(frozen=True)
class HeldAlert:
    """An alert that an Alertmanager has.

    Fields are as in its record of the journal, but inhibiting alerts are fingerprints; `ends_at` (seconds since the
    epoch) is when it is taken for resolved unless it is posted again.
    """

    fingerprint: str
    labels: Labels
    starts_at_ms: int
    updated_at_ms: int
    ends_at: float
    state: str
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    muted_by: tuple[str, ...]


@dataclass(frozen=True)
class HeldSilence:
    """A silence that an Alertmanager has; `ends_at` in seconds since the epoch."""

    id: str
    matchers: tuple[str, ...]
    created_by: str
    comment: str
    ends_at: float
    active: bool


class AlertHolder(Protocol):
    """An Alertmanager. Every method raises SourceFailed when there is no answer."""

    async def alerts(self, names: Sequence[str] | None) -> Sequence[HeldAlert]:
        """The alerts with one of these names; None: all."""
        ...

    async def silence(self, silence_id: str) -> HeldSilence:
        """One silence."""
        ...

    def alive(self) -> bool:
        """False once its process is known to be dead."""
        ...


class Load(Protocol):
    """The load generator."""

    def announce(self, k: int, at: float) -> None:
        """Say ahead that segment `k` begins at `at`."""
        ...

    def close(self, at: float) -> None:
        """Say ahead that nothing is sent from `at` on."""
        ...

    async def ended(self, timeout_s: float) -> bool:
        """Wait until every segment is closed and everything is journaled; False if that took longer."""
        ...

    def last_touched(self) -> float | None:
        """When the last effect of any fault happened; now, while requests of a phase with faults are on their way."""
        ...


class Processes(Protocol):
    """The processes of a drill."""

    def renew(self) -> None:
        """Renew the leases of load and faults."""
        ...

    def dead(self) -> str | None:
        """Which process died although it should live, and how; None if all live."""
        ...

    def announce(self, k: int, at: float) -> None:
        """Say ahead that segment `k` begins at `at`: faults on the target's processes begin and end with it."""
        ...

    def let_go(self, at: float) -> None:
        """End faults on the target's processes at an instant."""
        ...

    def whole(self) -> bool:
        """Whether no process is halted by a fault, and the target answers."""
        ...

    async def confirm(self) -> None:
        """Have load and proxies hand over what they still hold back of their journals."""
        ...


class Journal(Protocol):
    """The journal of the drill; the director and the adapters write to it."""

    def write(self, record: records.Record) -> None:
        """Append a record."""
        ...

    @property
    def notices(self) -> Sequence[records.Notice]:
        """What has shown so far how far notifications have come."""
        ...


@dataclass(frozen=True)
class Traffic:
    """What the load does now.

    Attributes:
        rate_per_s: requests sent, over the last seconds.
        latencies_s: quantiles 0.50, 0.95 and 0.99 of the latency from when a request was due, s; None without answers.
        errors: since the start of the drill: answers of 400 or more by code, failures by kind.
        in_flight: requests without an answer.
    """

    rate_per_s: float
    latencies_s: tuple[float, float, float] | None
    errors: Mapping[str, int]
    in_flight: int


class Progress(Protocol):
    """Somebody who watches the drill."""

    def traffic(self, now: Traffic) -> None:
        """What the load does, a few times a second."""
        ...

    def segment(self, title: str, until: float | None) -> None:
        """A stretch began, that lasts until `until` at most."""
        ...

    def alerts(self, active: Sequence[ActiveAlert]) -> None:
        """The alerts in scope that are active now."""
        ...

    def note(self, text: str) -> None:
        """Something worth a line."""
        ...
