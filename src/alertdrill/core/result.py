"""What a drill found: the models of result.json (schema `alertdrill/result/v1`)."""

import json
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Verdict(StrEnum):
    """Headline of an expectation: the first that applies, in this order."""

    INCONCLUSIVE = "inconclusive"
    OUT_OF_VIEW = "out_of_view"
    MISSED = "missed"
    WRONG_LABELS = "wrong_labels"
    LATE = "late"
    FLAPPED = "flapped"
    NOT_NOTIFIED = "not_notified"
    NOT_RESOLVED = "not_resolved"
    DETECTED = "detected"


class View(StrEnum):
    """Where a series is measured, or what it counts."""

    EDGE = "edge"
    SERVER = "server"
    DATA = "data"
    LABELS = "labels"


class ProhibitionVerdict(StrEnum):
    """What became of a prohibition."""

    QUIET = "quiet"
    FALSE_ALARM = "false_alarm"
    INCONCLUSIVE = "inconclusive"


class DrillVerdict(StrEnum):
    """Verdict of the whole drill."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ABORTED = "aborted"


EXIT_CODES = {DrillVerdict.PASSED: 0, DrillVerdict.FAILED: 1, DrillVerdict.INCONCLUSIVE: 3, DrillVerdict.ABORTED: 4}


class Code(StrEnum):
    """Why a verdict is not `detected` or `quiet`."""

    RULE_NOT_LOADED = "rule_not_loaded"
    RULE_UNHEALTHY = "rule_unhealthy"
    RULE_ERROR = "rule_error"
    RULE_NO_DATA = "rule_no_data"
    ALREADY_FIRING = "already_firing"
    CARRY_OVER = "carry_over"
    NOTHING_TOUCHED = "nothing_touched"
    FAULT_NOT_DELIVERED = "fault_not_delivered"
    LOAD_UNDER_RATE = "load_under_rate"
    SCRAPE_GAP = "scrape_gap"
    EVALUATION_GAP = "evaluation_gap"
    ENGINE_RESTARTED = "engine_restarted"
    QUERY_FAILED = "query_failed"
    CLOCK_DOUBT = "clock_doubt"
    INSTANT_DOUBT = "instant_doubt"
    SETTLE_TIMEOUT = "settle_timeout"
    CROSSED_BEFORE_SERVED = "crossed_before_served"
    SERIES_NOT_RECORDED = "series_not_recorded"
    NEVER_PENDING = "never_pending"
    NEVER_FIRING = "never_firing"
    LABELS_DIFFER = "labels_differ"
    TOO_LATE = "too_late"
    RESOLVED_EARLY = "resolved_early"
    SUPPRESSED = "suppressed"
    WRONG_RECEIVER = "wrong_receiver"
    OUT_OF_VIEW = "out_of_view"
    NOT_POSTED = "not_posted"
    NOT_ACCEPTED = "not_accepted"
    NOT_DELIVERED = "not_delivered"
    STILL_FIRING = "still_firing"
    INTERRUPTED = "interrupted"
    REPLICAS_DISAGREE = "replicas_disagree"
    RELOAD_FAILED = "reload_failed"
    NOT_REPLAYABLE = "not_replayable"


class _Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


def _absent(value: object) -> bool:
    return value in (None, ())


class Reason(_Frozen):
    """Why, and what would change it."""

    code: Code
    text: str
    decide_it_by: str


class HopResult(_Frozen):
    """One part of ttd."""

    hop: Literal["served", "crossed", "pending", "firing", "engine_gap"]
    seconds: float
    floor_s: float | None
    setting: str | None
    error_s: float | None = Field(default=None, description="how far off `seconds` may be; null: not known")


class LabelDifference(_Frozen):
    """One label of an alert that fired with other labels than asked for."""

    label: str
    got: str | None = Field(description="null: the alert has no such label")
    expected: str = Field(description='the value, or a matcher such as =~"P[01]"')


class ReplicaVerdict(_Frozen):
    """What one replica of a Prometheus alone would say of an expectation; instants are on its own clock."""

    replica: str
    verdict: Verdict
    reason: Reason | None
    pending_at: float | None
    firing_at: float | None
    resolved_at: float | None
    ttd_s: float | None


class ReplicasResult(_Frozen):
    """What the replicas of a Prometheus said of an expectation."""

    decisive: str = Field(description="whose instants the expectation has: of those that fired, the earliest")
    said: tuple[ReplicaVerdict, ...]
    disagreement: str | None = Field(description="in what they differ, in words; null: in no more than their intervals")


class ExpectationResult(_Frozen):
    """Verdict on one expectation. Instants are seconds since the epoch, on the engine's clock."""

    id: str
    phase: str
    fault: str
    alert: str
    labels: dict[str, str]
    matchers: tuple[str, ...] = Field(default=(), description="further conditions on the labels, as they were written")
    verdict: Verdict
    reason: Reason | None
    control: bool = Field(description="the fault was written with share 0: `nothing_touched` is the passing answer")
    fault_start: float | None
    fault_start_source: Literal["measured", "stated"] = "measured"
    full_dose_at: float | None = Field(description="first confirmed effect at the profile's full strength")
    dose_at_firing: float | None = Field(
        default=None, description="the profile's strength when the alert fired, 0 to 1; 0 after the phase"
    )
    pending_at: float | None
    firing_at: float | None
    resolved_at: float | None
    notified_at: float | None
    detection: str
    resolution: str | None
    notification: str | None = Field(
        description="posted, accepted or delivered: how far it came; or late, not_posted, not_accepted, not_delivered, "
        "wrong_receiver, suppressed, inconclusive"
    )
    notified_receivers: tuple[str, ...] = Field(
        default=(), description="receivers that got it, or to whom the Alertmanager routes it"
    )
    ttd_s: float | None
    ttd_error_s: float | None = Field(
        default=None, description="how far off ttd_s may be: the error of the engine's clock against ours"
    )
    notify_s: float | None
    ttn_s: float | None
    silent_s: float | None = Field(
        default=None, description="where it did not fire: for how long after fault_start that is certain"
    )
    within_s: float
    probability: float | None = Field(
        default=None, description="how likely it must be detected, which `run --repeat` judges; null: each time"
    )
    notifies_within_s: float | None
    notifies_receiver: str | None = Field(default=None, description="the receiver that must be told; null: any will do")
    resolves_within_s: float | None
    floor_s: float | None
    expected_s: float | None
    worst_s: float | None
    waterfall: tuple[HopResult, ...]
    carry_over: float | None
    views: tuple[View, ...] | None = Field(
        default=None,
        description="where all that the rule reads is measured: edge (by the monitor, before the model), "
        "server (by the model's server), data (what requests hold), labels (ground truth); null: not known",
    )
    label_differences: tuple[LabelDifference, ...] = Field(
        default=(), description="of `wrong_labels`: how the episode that comes nearest differs"
    )
    evidence: dict[str, Any]
    replicas: ReplicasResult | None = Field(
        default=None, exclude_if=_absent, description="absent where there is one Prometheus"
    )

    @property
    def passes_as_control(self) -> bool:
        """Whether its fault, written with share 0, touched nothing: as it should."""
        return self.control and self.reason is not None and self.reason.code is Code.NOTHING_TOUCHED


class EpisodeResult(_Frozen):
    """One episode. Instants are seconds since the epoch, on the engine's clock."""

    alert: str
    labels: dict[str, str]
    phase: str | None
    pending_at: float
    firing_at: float | None
    resolved_at: float | None
    in_baseline: bool | None = Field(
        default=None,
        description="whether the same label set also fired between the steady state and the first fault; null: nobody "
        "watched it then",
    )
    host_stalls: tuple[float, ...] = Field(
        default=(), description="lateness in seconds of our own sends around it: a stalled host, not the model"
    )
    replica: str | None = Field(
        default=None, exclude_if=_absent, description="the replica that saw it first; absent where there is none"
    )


class ProhibitionResult(_Frozen):
    """Verdict on one prohibition; `phase` is null for one that covers the whole drill."""

    phase: str | None
    matcher: dict[str, Any]
    verdict: ProhibitionVerdict
    reason: Reason | None
    episodes: tuple[EpisodeResult, ...]
    disagreement: str | None = Field(
        default=None, exclude_if=_absent, description="what replicas say differently of it; absent where they agree"
    )


class Rate(_Frozen):
    """Episodes an hour, with an exact interval (Garwood); null where nothing was watched."""

    episodes: int
    per_hour: float | None
    low_per_hour: float | None
    high_per_hour: float | None


class StretchNoise(_Frozen):
    """One stretch of the drill in which no fault could have caused an alert."""

    kind: str = Field(description="steady, phase, gate or settle")
    name: str = Field(description="the phase that it is, or leads to")
    fault_free_s: float = Field(description="how much of it lies outside every tail")
    episodes: int = Field(description="false alarms in it")


class AlertNoise(_Frozen):
    """How noisy one alert in scope is."""

    alert: str
    rate: Rate = Field(description="its false alarms")
    flaps: int = Field(description="how often a label set fired again within one tail of its end, faults or not")


class NoiseResult(_Frozen):
    """What fired where no fault could have caused it."""

    fault_free_s: float = Field(description="time outside every tail, from the steady state to the end of the load")
    confidence: float = Field(description="of every interval")
    total: Rate
    stretches: tuple[StretchNoise, ...]
    alerts: tuple[AlertNoise, ...]


class FaultResult(_Frozen):
    """What one injection did."""

    id: str
    phase: str
    kind: str
    unit: str
    share: float
    requests: int
    planned: int
    touched: int
    share_seen: float | None
    first_at: float | None
    last_at: float | None


class SegmentLoad(_Frozen):
    """What the load did in one stretch of the drill.

    Latencies and the time to the first byte count from when a request was due; their quantiles are at most 1.1% above
    the true ones.
    """

    kind: str = Field(description="steady, phase, gate or settle")
    name: str = Field(description="the phase that it is, or leads to")
    scheduled: int = Field(description="arrivals that were due before its end")
    sent: int
    punctual: int = Field(description="sent within 100 ms of when they were due")
    answered: int
    failed: int
    rate_limited: int = Field(default=0, description="of those answered, with 429: too many requests")
    denied: int = Field(default=0, description="of those answered, with 401 or 403: not let in")
    answers_read: int = Field(
        default=0, description="answers with a 2xx code whose body was read, those of every 50th request"
    )
    answers_unreadable: int = Field(default=0, description="of these, those that hold no prediction")
    unreadable_example: str | None = Field(
        default=None, description="how one of them begins, and what is wrong with it"
    )
    schedule_error_p50_s: float
    schedule_error_p99_s: float
    first_byte_p50_s: float
    first_byte_p99_s: float
    latency_p50_s: float
    latency_p95_s: float
    latency_p99_s: float
    latency_max_s: float


class LoadResult(_Frozen):
    """What the load did."""

    requested_rate: float = Field(description="arrivals a second that were due, with what phases and faults change")
    achieved_rate: float | None
    schedule_error_p99_s: float | None
    sent: int
    answered: int
    failed: int
    rate_limited: int = Field(default=0, description="of those answered, with 429: too many requests")
    denied: int = Field(default=0, description="of those answered, with 401 or 403: not let in")
    payload_sha256: tuple[tuple[str, ...], ...] = Field(
        description="by segment: a running hash of the bodies sent, at every 1,000 requests and after the last; the "
        "same for the same plan, whatever the number of workers"
    )
    segments: tuple[SegmentLoad, ...] = Field(default=(), description="by stretch of the drill, in order")


class ClockResult(_Frozen):
    """The engine's clock minus ours."""

    offset_s: float | None
    error_s: float | None


class ReplicaResult(_Frozen):
    """One of the replicas of a Prometheus."""

    name: str = Field(description="its address, or its value of the replica label")
    version: str | None
    clock: ClockResult
    lost: str | None = Field(description="why it could not be asked to the end; null: it could")


class WitnessResult(_Frozen):
    """Instants of episodes that Prometheus's own alert posts state too, and where they differ from its samples."""

    instants: int = Field(description="instants at which an alert fired or resolved that a post states too")
    max_difference_s: float = Field(description="the most by which a post and the samples differ")
    differences: tuple[str, ...] = Field(description="those of more than a millisecond, in words")


class Result(_Frozen):
    """What a drill found."""

    schema_: Literal["alertdrill/result/v1"] = Field(default="alertdrill/result/v1", alias="schema")
    run_id: str
    scenario: str
    verdict: DrillVerdict
    judged_by: str = Field(default="", description="version of alertdrill that drew the verdicts")
    mode: Literal["live", "replay"] = Field(
        default="live", description="replay: rules were evaluated over the recording of a drill"
    )
    started_at: float
    ended_at: float
    expectations: tuple[ExpectationResult, ...]
    prohibitions: tuple[ProhibitionResult, ...]
    also_fired: tuple[EpisodeResult, ...]
    false_alarms: tuple[EpisodeResult, ...]
    background: tuple[EpisodeResult, ...]
    noise: NoiseResult | None = Field(default=None, description="false alarms an hour, and noise by alert")
    faults: tuple[FaultResult, ...]
    load: LoadResult
    clock: ClockResult = Field(description="of several replicas that of the first")
    replicas: tuple[ReplicaResult, ...] = Field(
        default=(), exclude_if=_absent, description="absent where there is one Prometheus"
    )
    second_witness: WitnessResult | None = Field(
        default=None, description="null where Prometheus posts its alerts to nobody of ours"
    )
    troubles: tuple[str, ...]
    environment: dict[str, str]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> bytes:
        """Canonical JSON: keys sorted, two spaces, a line end; the same result is the same bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
