"""What rules would have done in the past of a Prometheus: models of `alertdrill/history/v1`."""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.replay.comparison import Change, Outcome
from alertdrill.core.result import Reason, Verdict


class _Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class Firing(_Frozen):
    """One episode that fired; instants are Unix seconds of evaluations."""

    labels: dict[str, str]
    pending_at: float
    firing_at: float
    resolved_at: float | None = Field(description="null: it fired to the end of the range")


class FalseAlarms(_Frozen):
    """How often a rule fired before the onset."""

    count: int = Field(description="stretches of time in which at least one of its alerts fired")
    episodes: int = Field(description="the same, each label set by itself")
    judged_s: float = Field(description="for how long it could have been seen to fire")
    at_most_per_30_d: float | None = Field(
        description="exact upper bound of the rate, 95%, one-sided (Garwood 1936); null: nothing could be judged"
    )
    error_s: float = Field(description="how far off an instant may be: no visibility is modelled before the range")


class RuleHistory(_Frozen):
    """One alert rule."""

    id: str = Field(description="its name; where several rules have it, with their labels")
    alert: str
    file: str
    line: int | None
    verdict: Verdict = Field(description="detected, missed or inconclusive")
    reason: Reason | None
    labels: dict[str, str] | None = Field(description="of the alert that fired first")
    fault_start: float = Field(description="the onset, Unix seconds")
    fault_start_source: Literal["stated"] = "stated"
    pending_at: float | None
    firing_at: float | None
    resolved_at: float | None
    ttd_s: float | None = Field(description="from the stated onset to the first firing evaluation after it")
    error_s: float = Field(description="how far off the instants may be")
    before_onset: tuple[Firing, ...] = Field(description="episodes of the range that fired before the onset")
    after_onset: tuple[Firing, ...] = Field(description="those that fired from it on")
    false_alarms: FalseAlarms | None = Field(description="null: none were asked for, or the rule could not be judged")
    notes: tuple[str, ...]


class Past(_Frozen):
    """How much of the time before the onset could be looked at; Unix seconds."""

    asked_s: float
    from_: float = Field(alias="from", description="where it begins: as asked, or where the Prometheus begins")
    held_from: float | None = Field(
        description="the first `up` that the Prometheus holds, where that is later than asked; null: it holds all, or "
        "has no `up`, so that nobody knows"
    )
    outages_s: float = Field(description="for how long the Prometheus scraped nothing")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Reading(_Frozen):
    """What was read, and how."""

    chunks: int
    asked: int = Field(description="questions that were put to the Prometheus for samples")
    kept: int = Field(description="chunks that an earlier run had read")
    samples: int
    markers: Literal["remote_read", "inferred"] = Field(description="whether it told its staleness markers")
    seconds: float


class HistoryResult(_Frozen):
    """What alert rules would have done in the past of a Prometheus."""

    schema_: Literal["alertdrill/history/v1"] = Field(default="alertdrill/history/v1", alias="schema")
    mode: Literal["replay"] = "replay"
    prometheus: str
    version: str
    engine: str = Field(description="version of the Prometheus that evaluated the rules")
    from_: float = Field(alias="from", description="the range, Unix seconds")
    to: float
    onset: float
    fault_start_source: Literal["stated"] = "stated"
    zone: str = Field(description="in which times without a zone were read")
    rules: tuple[str, ...] = Field(description="the rule files")
    against: tuple[str, ...] | None = Field(description="those they are compared with")
    fail_on: tuple[str, ...]
    verdict: Literal["passed", "failed", "inconclusive"]
    alerts: tuple[RuleHistory, ...]
    alerts_before: tuple[RuleHistory, ...] | None = Field(description="the same under `against`")
    changes: tuple[Change, ...]
    counts: dict[Outcome, int]
    past: Past
    reading: Reading
    notes: tuple[str, ...]
    questions: int = Field(description="how many the engine of the replay was asked")
    seconds: float = Field(description="how long evaluating took")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> bytes:
        """Canonical JSON: keys sorted, two spaces, a line end."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
