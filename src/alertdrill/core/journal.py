"""What happened, as it happened: the records of journal.jsonl, and what the checker reads out of them.

One JSON object a line, `record` names its kind, `at` is our wall clock in seconds. The director is the only writer.
"""

from collections.abc import Iterable
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from alertdrill.core.observations import EngineKind, RuleGroup
from alertdrill.core.result import Reason
from alertdrill.core.routing import Routing


class _Record(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    at: float = Field(description="our wall clock, seconds since the epoch")


class _Said(_Record):
    """What one Prometheus said, or what became of it."""

    replica: str | None = Field(
        default=None, exclude_if=lambda name: name is None, description="which of several; absent where there is one"
    )


class Started(_Record):
    """The drill began."""

    record: Literal["started"] = "started"
    environment: dict[str, str]


class Engine(_Said):
    """What the engine says of itself."""

    record: Literal["engine"] = "engine"
    version: str
    scrape_interval_s: float = Field(gt=0)
    evaluation_interval_s: float = Field(gt=0)


class Process(_Said):
    """What the engine says of its process and its configuration; kept when it differs from the last one."""

    record: Literal["process"] = "process"
    started_at: float | None = Field(description="when its process was started, seconds since the epoch, its clock")
    reloaded: bool | None = Field(description="whether the last time it was told to load its configuration it could")


class Clock(_Said):
    """The engine's clock minus ours, bracketed."""

    record: Literal["clock"] = "clock"
    offset_s: float
    error_s: float


class Instants(_Record):
    """How far off the instants of alerts may be; without such a record those of a Prometheus are exact, others not."""

    record: Literal["instants"] = "instants"
    engine: EngineKind = Field(description="what evaluates their rules")
    error_s: float


class Rules(_Said):
    """A snapshot of the engine's /rules; kept when it differs from the last one."""

    record: Literal["rules"] = "rules"
    groups: tuple[RuleGroup, ...]


class Evaluated(_Said):
    """Evaluation times that the engine stated for one rule group since the last such record."""

    record: Literal["evaluated"] = "evaluated"
    file: str
    group: str
    evaluated_at: tuple[float, ...]
    took_s: tuple[float, ...] = Field(default=(), description="how long each of them took; empty where nobody says")


class Replicas(_Record):
    """The replicas of the user's Prometheus, in the order of the scenario."""

    record: Literal["replicas"] = "replicas"
    names: tuple[str, ...] = Field(description="addresses, or values of the label")
    label: str | None = Field(description="in which their series differ; removed before they are compared")
    apart: bool = Field(description="asked one by one; false: one address holds the series of all of them")


class Worker(_Record):
    """One of several processes that share the load, and how well it knows the time."""

    record: Literal["worker"] = "worker"
    worker: int = Field(description="its number, from 1")
    host: str = Field(description="name of its machine")
    ahead_s: float = Field(description="its machine's wall clock minus ours; its instants are corrected by it")
    error_s: float = Field(description="how far off its instants may be with ours, the most so far")


class SegmentStarted(_Record):
    """The director announced a segment."""

    record: Literal["segment_started"] = "segment_started"
    k: int
    start_at: float


class SegmentClosed(_Record):
    """The load closed a segment."""

    record: Literal["segment_closed"] = "segment_closed"
    k: int
    scheduled: int
    sent: int
    suppressed: int = Field(default=0, description="arrivals that a fault kept from being sent")
    within_100ms: int
    answered: int
    failed: int
    rate_limited: int = Field(default=0, description="of those answered, with 429: too many requests")
    denied: int = Field(default=0, description="of those answered, with 401 or 403: not let in")
    in_flight: int
    answers_read: int = Field(
        default=0, description="answers with a 2xx code whose body was read, those of every 50th request"
    )
    answers_unreadable: int = Field(default=0, description="of these, those that hold no prediction")
    unreadable_example: str | None = Field(
        default=None, description="how one of them begins, and what is wrong with it"
    )
    first_sent: float | None
    last_sent: float | None
    error_p50_s: float
    error_p99_s: float
    error_max_s: float
    first_byte_p50_s: float = Field(default=0.0, description="first byte of the answer, from when a request was due")
    first_byte_p99_s: float = 0.0
    latency_p50_s: float = Field(default=0.0, description="whole answer, from when a request was due; see `answered`")
    latency_p95_s: float = 0.0
    latency_p99_s: float = 0.0
    latency_max_s: float = 0.0
    payload_sha256: tuple[str, ...] = Field(
        description="running SHA-256 over the digests of chunks of 40 requests (over their bodies as sent, each behind "
        "its length), read at every 1,000 requests and after the last"
    )


class SegmentDrained(_Record):
    """The last request that was in flight when its segment closed was answered, or has failed."""

    record: Literal["segment_drained"] = "segment_drained"
    k: int
    last_ended: float
    answered: int
    failed: int
    rate_limited: int = 0
    denied: int = 0


class Late(_Record):
    """Requests that our own load sent late: the sign of a stalled host."""

    record: Literal["late"] = "late"
    k: int
    i: tuple[int, ...]
    sent_at: tuple[float, ...]
    late_s: tuple[float, ...]


class Picked(_Record):
    """Requests of a locustfile's users that one injection was to change: bodies that are no rows it could not."""

    record: Literal["picked"] = "picked"
    injection: str
    k: int
    i: tuple[int, ...]


class Touched(_Record):
    """Confirmed effects of one injection: bytes sent, exchanges held."""

    record: Literal["touched"] = "touched"
    injection: str
    k: int
    i: tuple[int, ...]
    effect_at: tuple[float, ...]


class Halted(_Record):
    """A fault stopped or ended processes of the target: once when it began, and once more when it was over."""

    record: Literal["halted"] = "halted"
    injection: str
    k: int
    pids: tuple[int, ...] = Field(description="processes that were seen stopped, or reaped")
    from_at: float | None = Field(description="when the first of them was; null: none was")
    until_at: float | None = Field(
        default=None,
        description="the last look at which all of them were, or nothing answered; null: it had just begun",
    )
    why: str = Field(default="", description="what kept it from being as planned; empty: nothing")


class Served(_Record):
    """When touched exchanges were answered, or cut."""

    record: Literal["served"] = "served"
    injection: str
    k: int
    i: tuple[int, ...]
    served_at: tuple[float | None, ...]
    code: tuple[int, ...]


class SteadyState(_Record):
    """Outcome of the steady state, or of one of its queries."""

    record: Literal["steady_state"] = "steady_state"
    held: bool
    since: float = Field(description="from when on the drill counts: targets up and one full window seen")
    active: tuple[tuple[tuple[str, str], ...], ...] = Field(default=(), description="label sets active in scope")
    why: str = ""


class Gate(_Record):
    """Whether the way to a fault phase was clear."""

    record: Literal["gate"] = "gate"
    phase: str
    open: bool
    why: str = ""


class Post(_Record):
    """An alert post of the engine, as our receiver got it."""

    record: Literal["post"] = "post"
    labels: dict[str, str]
    status: Literal["firing", "resolved"]
    starts_at_ms: int
    ends_at_ms: int | None


class Alertmanager(_Record):
    """The Alertmanager of the drill, as it was at the start."""

    record: Literal["alertmanager"] = "alertmanager"
    version: str
    url: str | None = Field(description="address of the user's own; null: managed")
    routing: Routing | None = Field(description="null where its configuration could not be read")


class Accepted(_Record):
    """An alert that the Alertmanager has, at the first look that showed it and at each that showed a change."""

    record: Literal["accepted"] = "accepted"
    labels: dict[str, str]
    starts_at_ms: int
    updated_at_ms: int = Field(description="when it was last posted to the Alertmanager, by the Alertmanager's clock")
    unseen_at: float | None = Field(description="the last look before that did not show it; null: there was none")
    state: str = Field(description="active, suppressed or unprocessed")
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...] = Field(default=(), description="ids of silences")
    inhibited_by: tuple[dict[str, str], ...] = Field(default=(), description="labels of the alerts that inhibit it")
    muted_by: tuple[str, ...] = Field(default=(), description="names of time intervals (Alertmanager 0.28 and later)")


class Silence(_Record):
    """A silence that the drill set, or that silenced one of its alerts."""

    record: Literal["silence"] = "silence"
    id: str
    ours: bool
    matchers: tuple[str, ...]
    created_by: str
    comment: str
    ends_at: float = Field(description="seconds since the epoch, by the Alertmanager's clock")


class Delivered(_Record):
    """An alert in a notification that a receiver of the managed Alertmanager got."""

    record: Literal["delivered"] = "delivered"
    receiver: str
    integration: str = Field(description="what its configuration has: email, webhook, slack, …")
    to: tuple[str, ...] = Field(default=(), description="recipients of an e-mail")
    labels: dict[str, str]
    status: Literal["firing", "resolved"]
    starts_at_ms: int


class Answer(_Said):
    """The engine's answer to a question of the checker: label sets for which an expression held at an instant."""

    record: Literal["answer"] = "answer"
    query: str
    time_ms: int
    labels: tuple[dict[str, str], ...]


class Fill(_Said):
    """How long the planned arrivals needed to make a rule's condition true, from fault_start."""

    record: Literal["fill"] = "fill"
    expectation: str
    low_s: float | None
    likely_s: float | None
    high_s: float | None


class NotReplayed(_Record):
    """A rule that a replay could not evaluate as an engine would have, and why: its silence says nothing."""

    record: Literal["not_replayed"] = "not_replayed"
    file: str
    group: str
    alert: str
    reason: Reason


TroubleKind = Literal[
    "child_died", "query_failed", "engine_gone", "stop_condition", "interrupted", "unsteady", "alertmanager_gone"
]


class Trouble(_Said):
    """Something that weakens evidence: a dead process, a query that failed, a stop condition, an interrupt."""

    record: Literal["trouble"] = "trouble"
    kind: TroubleKind
    what: str


class Ended(_Record):
    """The drill ended; without it the journal is partial."""

    record: Literal["ended"] = "ended"


Record = Annotated[
    Started
    | Engine
    | Process
    | Clock
    | Instants
    | Rules
    | Evaluated
    | Replicas
    | Worker
    | SegmentStarted
    | SegmentClosed
    | SegmentDrained
    | Late
    | Picked
    | Touched
    | Halted
    | Served
    | SteadyState
    | Gate
    | Post
    | Alertmanager
    | Accepted
    | Silence
    | Delivered
    | Answer
    | Fill
    | NotReplayed
    | Trouble
    | Ended,
    Field(discriminator="record"),
]

Notice = Post | Accepted | Delivered
"""What shows how far a notification has come."""

R = TypeVar(
    "R",
    Started,
    Engine,
    Process,
    Clock,
    Instants,
    Rules,
    Evaluated,
    Replicas,
    Worker,
    SegmentStarted,
    SegmentClosed,
    SegmentDrained,
    Late,
    Picked,
    Touched,
    Halted,
    Served,
    SteadyState,
    Gate,
    Post,
    Alertmanager,
    Accepted,
    Silence,
    Delivered,
    Answer,
    Fill,
    NotReplayed,
    Trouble,
    Ended,
)

_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record, config=ConfigDict(defer_build=True))


def to_line(record: Record) -> bytes:
    """One line of journal.jsonl."""
    return _ADAPTER.dump_json(record) + b"\n"


def from_lines(lines: Iterable[bytes]) -> tuple[Record, ...]:
    """The records of a journal; a last line cut short (the writer was killed) is left out.

    Raises:
        ValueError: a line that is not the last is no record.
    """
    records: list[Record] = []
    pending: Exception | None = None
    for line in lines:
        if pending is not None:
            raise ValueError(str(pending))
        try:
            records.append(_ADAPTER.validate_json(line))
        except ValueError as error:
            pending = error
    return tuple(records)
