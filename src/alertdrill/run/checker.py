"""Judges a drill: result = f(plan, journal, recording), the same bytes for the same evidence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from alertdrill import __version__
from alertdrill.core import journal as records
from alertdrill.core import silence, verdict
from alertdrill.core.agreement import Said, agree, agree_on_silence, once
from alertdrill.core.attribution import attribute
from alertdrill.core.case import Case
from alertdrill.core.crossing import Question, questions
from alertdrill.core.delivery import Delivery
from alertdrill.core.noise import noise
from alertdrill.core.plan import Plan
from alertdrill.core.recording import Recording
from alertdrill.core.replicas import Seen, seen_by_each
from alertdrill.core.result import (
    ClockResult,
    Code,
    DrillVerdict,
    EpisodeResult,
    ExpectationResult,
    FaultResult,
    LoadResult,
    NoiseResult,
    ProhibitionResult,
    ProhibitionVerdict,
    Reason,
    ReplicaResult,
    Result,
    SegmentLoad,
    Verdict,
)
from alertdrill.core.scope import expects
from alertdrill.core.witness import testify


def open_questions(plan: Plan, journal: Iterable[records.Record], recording: Recording) -> tuple[Question, ...]:
    """What the engine must be asked, while it lives, for the waterfalls of the alerts that fired."""
    case = Case(plan, journal, recording)
    asked: list[Question] = []
    for phase in plan.scenario.phases:
        for expectation in phase.expect:
            for episode in case.episodes:
                if expects(expectation, episode.label_map) and episode.firing_at is not None:
                    rule = case.book.named(episode.alert)[0]
                    asked += questions(case, rule, episode)
    return tuple(dict.fromkeys(asked))


def judge(plan: Plan, journal: Iterable[records.Record], recording: Recording) -> Result:
    """The result of a drill from its evidence alone."""
    judged = [_judge_one(plan, seen) for seen in seen_by_each(journal, recording)]
    case, replicas = judged[0].case, tuple(_replica(one) for one in judged if one.replica is not None)
    expectations, prohibitions = _expectations(judged), _prohibitions(judged)
    false_alarms = _once(judged, "false_alarms")
    started, ended = case.all(records.Started), case.all(records.Ended)
    last_at = max(one.at for one in [*started, *ended])
    return Result(
        run_id=plan.run_id,
        scenario=plan.scenario.name,
        judged_by=__version__,
        verdict=_drill_verdict(case, expectations, prohibitions, false_alarms),
        started_at=round(started[0].at, 3),
        ended_at=round(last_at, 3),
        expectations=expectations,
        prohibitions=prohibitions,
        also_fired=_once(judged, "also_fired"),
        false_alarms=false_alarms,
        background=_once(judged, "background"),
        noise=max((one.noise for one in judged), key=lambda one: one.total.episodes),
        faults=tuple(_fault(case, delivery) for delivery in case.deliveries.values()),
        load=_load(case),
        clock=_clock(case),
        replicas=replicas,
        second_witness=testify(case),
        troubles=tuple(dict.fromkeys(_in_words(one) for each in judged for one in each.case.all(records.Trouble))),
        environment=started[0].environment,
    )


@dataclass(frozen=True)
class _Judged:
    """A drill as one Prometheus saw it, judged; `replica` is None where there is only one."""

    replica: str | None
    case: Case
    expectations: tuple[ExpectationResult, ...]
    prohibitions: tuple[ProhibitionResult, ...]
    also_fired: tuple[EpisodeResult, ...]
    false_alarms: tuple[EpisodeResult, ...]
    background: tuple[EpisodeResult, ...]
    noise: NoiseResult

    @property
    def lost(self) -> str | None:
        """Why the replica could not be asked to the end; None if it could."""
        found = [one.what for one in self.case.all(records.Trouble) if one.replica is not None]
        return "; ".join(found) or None

    @property
    def slack_s(self) -> float:
        """How far apart replicas may see the same."""
        intervals = [rule.interval_ms for rule in self.case.book.alerts]
        return (self.case.scrape_ms + max(intervals, default=0)) / 1000


def _judge_one(plan: Plan, seen: Seen) -> _Judged:
    case = Case(plan, seen.journal, seen.recording)
    attribution = attribute(case)
    return _Judged(
        replica=seen.replica,
        case=case,
        expectations=verdict.in_file_order(case, attribution),
        prohibitions=silence.of_phases(case, attribution) + silence.of_drill(case, attribution),
        also_fired=silence.also_fired(case, attribution),
        false_alarms=silence.false_alarms(case, attribution),
        background=silence.background(case, attribution),
        noise=noise(case, attribution),
    )


def _expectations(judged: Sequence[_Judged]) -> tuple[ExpectationResult, ...]:
    first = judged[0]
    if first.replica is None:
        return first.expectations
    asked = [expectation for phase in first.case.plan.scenario.phases for expectation in phase.expect]
    return tuple(
        agree([Said(one.replica or "", one.case, expectation, one.expectations[at]) for one in judged])
        for at, expectation in enumerate(asked)
    )


def _prohibitions(judged: Sequence[_Judged]) -> tuple[ProhibitionResult, ...]:
    first = judged[0]
    if first.replica is None:
        return first.prohibitions
    slack_s = max(one.slack_s for one in judged)
    return tuple(
        agree_on_silence([(one.replica or "", _unless_lost(one, at)) for one in judged], slack_s)
        for at in range(len(first.prohibitions))
    )


def _unless_lost(one: _Judged, at: int) -> ProhibitionResult:
    """What a replica says of a prohibition; that one which was lost on the way saw nothing is no proof."""
    said = one.prohibitions[at]
    if one.lost is None or said.verdict is not ProhibitionVerdict.QUIET:
        return said
    reason = Reason(code=Code.QUERY_FAILED, text=one.lost, decide_it_by="keep it running, then run again")
    return said.model_copy(update={"verdict": ProhibitionVerdict.INCONCLUSIVE, "reason": reason})


def _once(
    judged: Sequence[_Judged], kind: Literal["also_fired", "false_alarms", "background"]
) -> tuple[EpisodeResult, ...]:
    found: list[tuple[str | None, tuple[EpisodeResult, ...]]] = [(one.replica, getattr(one, kind)) for one in judged]
    if judged[0].replica is None:
        return found[0][1]
    return once([(name or "", episodes) for name, episodes in found], max(one.slack_s for one in judged))


def _replica(one: _Judged) -> ReplicaResult:
    engine = one.case.engine
    version = engine.version if engine else None
    return ReplicaResult(name=one.replica or "", version=version, clock=_clock(one.case), lost=one.lost)


def _clock(case: Case) -> ClockResult:
    clock = case.clock
    return ClockResult(
        offset_s=round(clock.offset_s, 6) if clock else None, error_s=round(clock.error_s, 6) if clock else None
    )


def _in_words(trouble: records.Trouble) -> str:
    return f"{trouble.kind}: {trouble.what}"


def _drill_verdict(
    case: Case,
    expectations: tuple[ExpectationResult, ...],
    prohibitions: tuple[ProhibitionResult, ...],
    false_alarms: tuple[EpisodeResult, ...],
) -> DrillVerdict:
    """Aborted > failed > inconclusive > passed: a proven miss stays failed."""
    troubles = {one.kind for one in case.all(records.Trouble) if one.replica is None}
    if "stop_condition" in troubles:
        return DrillVerdict.ABORTED
    bad_alarm = bool(false_alarms) and case.plan.scenario.false_alarms == "fail"
    if (
        bad_alarm
        or any(e.verdict not in (Verdict.DETECTED, Verdict.INCONCLUSIVE) for e in expectations)
        or any(p.verdict is ProhibitionVerdict.FALSE_ALARM for p in prohibitions)
    ):
        return DrillVerdict.FAILED
    unsure = any(e.verdict is Verdict.INCONCLUSIVE and not e.passes_as_control for e in expectations)
    unsure = unsure or any(p.verdict is ProhibitionVerdict.INCONCLUSIVE for p in prohibitions)
    return DrillVerdict.INCONCLUSIVE if unsure or troubles or not case.all(records.Ended) else DrillVerdict.PASSED


def _fault(case: Case, delivery: Delivery) -> FaultResult:
    injection = delivery.injection
    return FaultResult(
        id=injection.id.rsplit("/", 1)[-1],
        phase=injection.phase,
        kind=str(injection.fault.kind),
        unit=injection.unit,
        share=injection.share,
        requests=delivery.requests,
        planned=delivery.planned,
        touched=delivery.touched,
        share_seen=_share_seen(case, delivery),
        first_at=None if delivery.first_ms is None else delivery.first_ms / 1000,
        last_at=None if delivery.last_ms is None else delivery.last_ms / 1000,
    )


def _share_seen(case: Case, delivery: Delivery) -> float | None:
    """Touched requests among all that the target saw in the phase, those of others included."""
    k = delivery.injection.segment
    lasted_s = (case.segment_end_ms(k) - case.starts_ms[k]) / 1000 if k in case.starts_ms else 0.0
    seen = delivery.requests + case.plan.background_per_s * lasted_s
    return round(delivery.touched / seen, 4) if seen else None


def _load(case: Case) -> LoadResult:
    closed = [case.closed[k] for k in sorted(case.closed)]
    later = case.all(records.SegmentDrained)
    sent = sum(one.sent for one in closed)
    due = sum(one.scheduled - one.suppressed for one in closed)
    span_s = sum(
        (case.segment_end_ms(one.k) - case.starts_ms[one.k]) / 1000 for one in closed if one.k in case.starts_ms
    )
    return LoadResult(
        requested_rate=round(due / span_s, 2) if span_s else round(case.plan.segments[0].arrivals.rate_per_s, 2),
        achieved_rate=round(sent / span_s, 2) if span_s else None,
        schedule_error_p99_s=max((one.error_p99_s for one in closed), default=None),
        sent=sent,
        answered=sum(one.answered for one in closed) + sum(one.answered for one in later),
        failed=sum(one.failed for one in closed) + sum(one.failed for one in later),
        rate_limited=sum(one.rate_limited for one in closed) + sum(one.rate_limited for one in later),
        denied=sum(one.denied for one in closed) + sum(one.denied for one in later),
        payload_sha256=tuple(one.payload_sha256 for one in closed),
        segments=tuple(_segment_load(case, one) for one in closed),
    )


def _segment_load(case: Case, closed: records.SegmentClosed) -> SegmentLoad:
    segment = case.plan.segments[closed.k]
    later = [one for one in case.all(records.SegmentDrained) if one.k == closed.k]
    return SegmentLoad(
        kind=segment.kind,
        name=segment.name,
        scheduled=closed.scheduled - closed.suppressed,
        sent=closed.sent,
        punctual=closed.within_100ms,
        answered=closed.answered + sum(one.answered for one in later),
        failed=closed.failed + sum(one.failed for one in later),
        rate_limited=closed.rate_limited + sum(one.rate_limited for one in later),
        denied=closed.denied + sum(one.denied for one in later),
        answers_read=closed.answers_read,
        answers_unreadable=closed.answers_unreadable,
        unreadable_example=closed.unreadable_example,
        schedule_error_p50_s=closed.error_p50_s,
        schedule_error_p99_s=closed.error_p99_s,
        first_byte_p50_s=closed.first_byte_p50_s,
        first_byte_p99_s=closed.first_byte_p99_s,
        latency_p50_s=closed.latency_p50_s,
        latency_p95_s=closed.latency_p95_s,
        latency_p99_s=closed.latency_p99_s,
        latency_max_s=closed.latency_max_s,
    )
