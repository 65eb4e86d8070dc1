"""What several drills of one scenario found together: the models of repeat.json (schema `alertdrill/repeat/v1`).

`summarise` works them out from the results of the runs alone.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.noise import rate
from alertdrill.core.result import (
    AlertNoise,
    DrillVerdict,
    ExpectationResult,
    ProhibitionVerdict,
    Rate,
    Result,
    Verdict,
)
from alertdrill.core.stats import (
    CONFIDENCE,
    hits_needed,
    lower_bound,
    misses_needed,
    time_quantile,
    upper_bound,
    wilson_interval,
)

GateVerdict = Literal["passed", "failed", "inconclusive"]


class _Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class RunSummary(_Frozen):
    """One drill of several."""

    run_id: str = Field(description="its folder, beside that of repeat.json")
    seed: int = Field(description="its seed: the scenario's for the first run, derived from it for the others")
    verdict: DrillVerdict
    started_at: float
    ended_at: float
    could_not_tell: tuple[str, ...] = Field(description="its inconclusive expectations, each with the reason's code")
    troubles: tuple[str, ...]


class BrokenRun(_Frozen):
    """A drill that came to no result."""

    number: int = Field(description="which one it would have been, from 1")
    seed: int
    what: str = Field(description="what went wrong")


class Estimate(_Frozen):
    """How likely an expectation is met. Runs that could not tell are left out."""

    detected: int
    runs: int = Field(description="those that could tell")
    share: float | None
    wilson_low: float = Field(description="two-sided interval for display (Wilson)")
    wilson_high: float
    at_least: float = Field(description="exact one-sided lower bound (Clopper-Pearson), which decides")
    at_most: float = Field(description="exact one-sided upper bound")
    confidence: float


class ProbabilityGate(_Frozen):
    """What became of `expect.probability`."""

    probability: float = Field(description="what was asked for")
    verdict: GateVerdict = Field(
        description="passed: at_least reaches it; failed: at_most is below it; else inconclusive"
    )
    more_if_all_detect: int | None = Field(description="further runs until it passes, if each detects; 0: it has")
    more_if_none_does: int | None = Field(description="further runs until it fails, if none detects; 0: it has")


class TimesToDetect(_Frozen):
    """Quantiles of ttd by the product-limit estimate (Kaplan-Meier), runs that did not fire taken as cut off."""

    fired: int
    cut_off: int = Field(description="runs in which it is known not to have fired up to their deadline")
    least_s: float | None
    p50_s: float | None = Field(description="null: misses leave it open")
    p90_s: float | None
    p95_s: float | None
    largest_s: float | None


class ExpectationSummary(_Frozen):
    """One expectation over all runs."""

    id: str
    phase: str
    fault: str
    alert: str
    labels: dict[str, str]
    matchers: tuple[str, ...]
    within_s: tuple[float, ...] = Field(description="its deadlines; several where `auto` came out differently")
    notifies_receiver: str | None = Field(description="the receiver that must be told; null: any will do")
    control: bool = Field(description="the fault was written with share 0")
    verdicts: dict[str, int] = Field(description="how many runs came to each verdict")
    reasons: dict[str, int] = Field(description="how many runs named each reason")
    notifications: dict[str, int] = Field(description="what became of the notification, in how many runs that fired")
    estimate: Estimate
    gate: ProbabilityGate | None = Field(description="null: no probability was asked for, so each run must detect")
    ttd: TimesToDetect


class ProhibitionSummary(_Frozen):
    """One prohibition over all runs."""

    phase: str | None
    matcher: dict[str, Any]
    quiet: int
    false_alarm: int
    inconclusive: int


class NoiseSummary(_Frozen):
    """False alarms of all runs, over the time of all runs in which no fault could have caused them."""

    fault_free_s: float
    confidence: float
    total: Rate
    alerts: tuple[AlertNoise, ...]


class RepeatResult(_Frozen):
    """What several drills of one scenario found together."""

    schema_: Literal["alertdrill/repeat/v1"] = Field(default="alertdrill/repeat/v1", alias="schema")
    repeat_id: str
    scenario: str
    verdict: DrillVerdict
    asked: int = Field(description="how many runs were asked for")
    interrupted: bool = Field(description="whether it ended before all of them, by the user or by whoever killed it")
    runs: tuple[RunSummary, ...]
    broken: tuple[BrokenRun, ...]
    expectations: tuple[ExpectationSummary, ...]
    prohibitions: tuple[ProhibitionSummary, ...]
    noise: NoiseSummary

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> bytes:
        """Canonical JSON: keys sorted, two spaces, a line end; the same result is the same bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


class Header(_Frozen):
    """What of a repeat the results of its runs do not say."""

    repeat_id: str
    scenario: str
    asked: int
    interrupted: bool
    broken: tuple[BrokenRun, ...]
    false_alarms_fail: bool


def seed_of(seed: int, number: int) -> int:
    """The seed of run `number`, from 1: the scenario's own, then 63 bits of BLAKE2b of it and the number.

    So run 1 is the drill that `run` without `--repeat` does, a longer series begins with the runs of a shorter one, and
    each run draws other arrivals, rows and choices.
    """
    if number == 1:
        return seed
    return int.from_bytes(blake2b(f"{seed}/repeat/{number}".encode(), digest_size=8).digest(), "big") >> 1


def summarise(header: Header, runs: Sequence[tuple[int, Result]]) -> RepeatResult:
    """What the results of the runs, each with its seed, come to together."""
    results = [result for _, result in runs]
    expectations = tuple(_expectation(ones) for ones in _by_id(results).values())
    prohibitions = _prohibitions(results)
    return RepeatResult(
        repeat_id=header.repeat_id,
        scenario=header.scenario,
        verdict=_verdict(header, results, expectations, prohibitions),
        asked=header.asked,
        interrupted=header.interrupted,
        runs=tuple(_run(seed, result) for seed, result in runs),
        broken=header.broken,
        expectations=expectations,
        prohibitions=prohibitions,
        noise=_noise(results),
    )


def _by_id(results: Sequence[Result]) -> Mapping[str, list[ExpectationResult]]:
    found: dict[str, list[ExpectationResult]] = {}
    for result in results:
        for one in result.expectations:
            found.setdefault(one.id, []).append(one)
    return found


def _run(seed: int, result: Result) -> RunSummary:
    unsure = [one for one in result.expectations if one.verdict is Verdict.INCONCLUSIVE and not one.passes_as_control]
    return RunSummary(
        run_id=result.run_id,
        seed=seed,
        verdict=result.verdict,
        started_at=result.started_at,
        ended_at=result.ended_at,
        could_not_tell=tuple(f"{one.id}: {one.reason.code if one.reason else 'unknown'}" for one in unsure),
        troubles=result.troubles,
    )


def _expectation(ones: Sequence[ExpectationResult]) -> ExpectationSummary:
    first, told = ones[0], [one for one in ones if one.verdict is not Verdict.INCONCLUSIVE]
    estimate = _estimate(sum(one.verdict is Verdict.DETECTED for one in told), len(told))
    gated = first.probability is not None and not all(one.passes_as_control for one in ones)
    return ExpectationSummary(
        id=first.id,
        phase=first.phase,
        fault=first.fault,
        alert=first.alert,
        labels=first.labels,
        matchers=first.matchers,
        within_s=tuple(sorted({one.within_s for one in ones})),
        notifies_receiver=first.notifies_receiver,
        control=first.control,
        verdicts=dict(sorted(Counter(one.verdict.value for one in ones).items())),
        reasons=dict(sorted(Counter(one.reason.code.value for one in ones if one.reason).items())),
        notifications=dict(sorted(Counter(one.notification for one in ones if one.notification).items())),
        estimate=estimate,
        gate=_gate(first.probability, estimate) if gated and first.probability is not None else None,
        ttd=_times(told),
    )


def _estimate(detected: int, runs: int) -> Estimate:
    interval = wilson_interval(detected, runs)
    return Estimate(
        detected=detected,
        runs=runs,
        share=round(detected / runs, 6) if runs else None,
        wilson_low=round(interval.low, 6),
        wilson_high=round(interval.high, 6),
        at_least=round(lower_bound(detected, runs), 6),
        at_most=round(upper_bound(detected, runs), 6),
        confidence=CONFIDENCE,
    )


def _gate(probability: float, estimate: Estimate) -> ProbabilityGate:
    detected, runs = estimate.detected, estimate.runs
    verdict: GateVerdict = "inconclusive"
    if lower_bound(detected, runs) >= probability:
        verdict = "passed"
    elif upper_bound(detected, runs) < probability:
        verdict = "failed"
    return ProbabilityGate(
        probability=probability,
        verdict=verdict,
        more_if_all_detect=hits_needed(detected, runs, probability),
        more_if_none_does=misses_needed(detected, runs, probability),
    )


def _times(told: Sequence[ExpectationResult]) -> TimesToDetect:
    """Ttd of the runs that fired, in time or late; of the others, for how long they are known to have been silent."""
    fired = [one.ttd_s for one in told if one.ttd_s is not None]
    silent = [one.silent_s for one in told if one.ttd_s is None and one.silent_s is not None]
    times, observed = [*fired, *silent], [True] * len(fired) + [False] * len(silent)
    return TimesToDetect(
        fired=len(fired),
        cut_off=len(silent),
        least_s=min(fired, default=None),
        p50_s=time_quantile(times, observed, 0.5),
        p90_s=time_quantile(times, observed, 0.9),
        p95_s=time_quantile(times, observed, 0.95),
        largest_s=max(fired, default=None),
    )


def _prohibitions(results: Sequence[Result]) -> tuple[ProhibitionSummary, ...]:
    if not results:
        return ()
    return tuple(
        ProhibitionSummary(
            phase=first.phase,
            matcher=first.matcher,
            quiet=counts[ProhibitionVerdict.QUIET],
            false_alarm=counts[ProhibitionVerdict.FALSE_ALARM],
            inconclusive=counts[ProhibitionVerdict.INCONCLUSIVE],
        )
        for position, first in enumerate(results[0].prohibitions)
        if (counts := Counter(result.prohibitions[position].verdict for result in results))
    )


def _noise(results: Sequence[Result]) -> NoiseSummary:
    found = [result.noise for result in results if result.noise is not None]
    watched_s = round(sum(one.fault_free_s for one in found), 3)
    alerts = [alert for one in found for alert in one.alerts]
    return NoiseSummary(
        fault_free_s=watched_s,
        confidence=CONFIDENCE,
        total=rate(sum(one.total.episodes for one in found), watched_s),
        alerts=tuple(
            AlertNoise(
                alert=name,
                rate=rate(sum(one.rate.episodes for one in alerts if one.alert == name), watched_s),
                flaps=sum(one.flaps for one in alerts if one.alert == name),
            )
            for name in sorted({one.alert for one in alerts})
        ),
    )


def _verdict(
    header: Header,
    results: Sequence[Result],
    expectations: Sequence[ExpectationSummary],
    prohibitions: Sequence[ProhibitionSummary],
) -> DrillVerdict:
    """Aborted > failed > inconclusive > passed.

    An expectation with a probability is judged by its gate, runs that could not tell left out. One without must be met
    in every run, as if they had been asked for one by one. Nothing may be a false alarm in any run.
    """
    if any(result.verdict is DrillVerdict.ABORTED for result in results):
        return DrillVerdict.ABORTED
    plain = [one for one in expectations if one.gate is None]
    gates = [one.gate.verdict for one in expectations if one.gate is not None]
    told = (Verdict.DETECTED.value, Verdict.INCONCLUSIVE.value)
    missed = any(set(one.verdicts) - set(told) for one in plain)
    alarms = header.false_alarms_fail and any(result.false_alarms for result in results)
    if missed or alarms or "failed" in gates or any(one.false_alarm for one in prohibitions):
        return DrillVerdict.FAILED
    unsure = any(
        one.verdict is Verdict.INCONCLUSIVE and not one.passes_as_control
        for result in results
        for one in result.expectations
        if one.id in {summary.id for summary in plain}
    )
    unwatched = any(not one.quiet for one in prohibitions)
    every_run = not gates and (header.broken or any(result.verdict is not DrillVerdict.PASSED for result in results))
    if not results or unsure or unwatched or every_run or "inconclusive" in gates:
        return DrillVerdict.INCONCLUSIVE
    return DrillVerdict.PASSED
