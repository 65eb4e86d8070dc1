"""Evaluates alert rules over the past of a user's Prometheus: reads it, replays it span by span, judges."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.access_environment import TENANT, access_from_environment, as_environment
from alertdrill.adapters.past_of_prometheus import Held, Told, held_of, targets_with, told_by
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_binary import Binaries
from alertdrill.adapters.prometheus_errors import QueryFailed, without_password
from alertdrill.adapters.prometheus_major import prometheus_of_major
from alertdrill.adapters.range_cache import RangeCache
from alertdrill.adapters.range_reads import RangeReads
from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.started import started_engine
from alertdrill.adapters.signals import run_until_signalled
from alertdrill.adapters.zones import zone_named
from alertdrill.compose.replay import not_read
from alertdrill.compose.rule_set import RuleSet, read_rule_set
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.history.comparison import compare, verdict_of
from alertdrill.core.history.gaps import length_ms, within
from alertdrill.core.history.inputs import fewest
from alertdrill.core.history.judging import Times
from alertdrill.core.history.result import HistoryResult, Past, Reading, RuleHistory
from alertdrill.core.history.spans import Span, spans
from alertdrill.core.history.times import Incident, Zone, incident, stamp
from alertdrill.core.matchers import Matcher, literal
from alertdrill.core.observations import Labels, RawSeries
from alertdrill.core.promql import Selector
from alertdrill.core.recording import merge, with_inferred_markers
from alertdrill.core.replay.comparison import Change, Outcome
from alertdrill.core.replay.rule_changes import causes
from alertdrill.run.history import PastReplay
from alertdrill.run.past_rules import PastRules, needed, past_rules, unreadable_rules

TIMEOUT_S = 60.0
SETTLED_S = 300.0
"""After that long every sample has arrived: scrapes take less."""

Note = Callable[[str], None]


@dataclass(frozen=True)
class HistoryOptions:
    """What the command line says of a past, as it is written there."""

    prometheus: str
    range_: str | None
    onset: str | None
    history: str
    zone: str | None


def replay_history(
    options: HistoryOptions, rules: Sequence[Path], against: Sequence[Path] | None, fail_on: Sequence[str], note: Note
) -> HistoryResult:
    """Say when alert rules would have fired in the past of a Prometheus. Call it from the main thread.

    Args:
        options: which Prometheus, and which part of its past.
        rules: the rule files, all of them, or folders of them.
        against: those to compare with; None: nothing.
        fail_on: what makes the verdict `failed`.
        note: takes a line about each step.

    Raises:
        BadInput: an option or a rule file cannot be used, the Prometheus does not hold the range, or there is no
            Prometheus of its major version here.
        QueryFailed: it does not answer.
        AlertdrillError: the Prometheus of the replay failed.
    """
    zone = zone_named(options.zone)
    _check_given(options)
    when = incident(options.range_ or "", options.onset or "", options.history, zone, time.time())
    sets = [read_rule_set(sources) for sources in (rules, against) if sources is not None]
    try:
        return run_until_signalled(_replayed(options, when, zone, sets, fail_on, note))
    except QueryFailed as error:
        raise as_environment(error) from None


def _check_given(options: HistoryOptions) -> None:
    wanted = (("--range", options.range_, "03:00..05:30"), ("--onset", options.onset, "03:10"))
    missing = [
        Mistake(name, "nothing", "it, as --prometheus is given", f"write {name} {example}")
        for name, given, example in wanted
        if given is None
    ]
    if missing:
        raise BadInput(missing)


async def _replayed(
    options: HistoryOptions, when: Incident, zone: Zone, sets: Sequence[RuleSet], fail_on: Sequence[str], note: Note
) -> HistoryResult:
    async with PrometheusApi(access_from_environment(options.prometheus), timeout_s=TIMEOUT_S) as api:
        told = await told_by(api)
        programs = prometheus_of_major(told.version, without_password(api.url))
        pasts = [_past(one, told) for one in sets]
        await _check_readable(pasts, sets, told, programs, round(when.to_s * 1000))
        work = _Work(when, zone, told, pasts, programs, note)
        return await work.result(api, sets, fail_on)


def _past(one: RuleSet, told: Told) -> PastRules:
    rules = one.rules(told.evaluation_interval_s)
    return past_rules(rules, one.written(rules), one.asks(rules), told.groups, told.version, told.lookback_ms)


async def _check_readable(
    pasts: Sequence[PastRules], sets: Sequence[RuleSet], told: Told, programs: Binaries, at_ms: int
) -> None:
    """Raise BadInput where the engine cannot read a rule, before anything is read of the user's Prometheus."""
    async with _engine(told, programs) as engine:
        for past, one in zip(pasts, sets, strict=True):
            unreadable = await asyncio.to_thread(unreadable_rules, engine, past, at_ms)
            if unreadable:
                raise not_read(past.rules, one.written(past.rules), unreadable, programs)


def _engine(told: Told, programs: Binaries) -> AbstractAsyncContextManager[HttpEngine]:
    """A fresh engine with the settings of the user's."""
    return started_engine(
        programs.prometheus.path,
        evaluation_interval_s=told.evaluation_interval_s,
        lookback_s=told.lookback_ms / 1000,
        external_labels=told.external_labels or {},
    )


class _Work:
    """One past, from what is read of it to what is made of it."""

    def __init__(
        self, when: Incident, zone: Zone, told: Told, pasts: Sequence[PastRules], programs: Binaries, note: Note
    ) -> None:
        self._when, self._zone, self._told, self._pasts, self._programs = when, zone, told, pasts, programs
        self._note = note
        self._reach_ms = max(one.reach_ms for one in pasts)
        self._asked = {one for past in pasts for read in past.reads.values() for one in read}
        self._selectors = fewest(self._asked)
        self._metrics: dict[str, list[RawSeries]] = {}

    async def result(self, api: PrometheusApi, sets: Sequence[RuleSet], fail_on: Sequence[str]) -> HistoryResult:
        """All of it."""
        began = time.monotonic()
        held = await self._held(api)
        times = self._times(held)
        source = f"{without_password(api.url)} {os.environ.get(TENANT, '')}"
        settled_ms = round((time.time() - SETTLED_S) * 1000)
        reads = RangeReads(api, RangeCache(source), self._told.external_labels, settled_ms)
        scrapes, before = await self._read(api, reads, times, held)
        read_s, began = time.monotonic() - began, time.monotonic()
        replays = [PastReplay(past, held.outages, self._metrics) for past in self._pasts]
        for span in spans(times.history_ms, times.from_ms, times.to_ms, self._reach_ms, before):
            await self._evaluate(replays, span, reads, scrapes)
        judged = [one.judged(times, held.from_ms, reads.failed) for one in replays]
        changes = self._changes(judged) if len(judged) > 1 else None
        notes = (*self._told.notes, *(note for one in replays for note in one.notes))
        return HistoryResult(
            prometheus=without_password(api.url),
            version=self._told.version,
            engine=self._programs.prometheus.version_text,
            from_=self._when.from_s,
            to=self._when.to_s,
            onset=self._when.onset_s,
            zone=self._zone.name,
            rules=sets[0].sources,
            against=sets[1].sources if len(sets) > 1 else None,
            fail_on=tuple(fail_on),
            verdict=verdict_of(judged[0], changes, fail_on),
            alerts=judged[0],
            alerts_before=judged[1] if len(judged) > 1 else None,
            changes=changes or (),
            counts={one: sum(change.outcome is one for change in changes or ()) for one in Outcome},
            past=_past_of(self._when, times, held),
            reading=_reading(reads, read_s),
            notes=tuple(dict.fromkeys(notes)),
            questions=sum(one.questions for one in replays),
            seconds=round(time.monotonic() - began, 3),
        )

    async def _evaluate(
        self, replays: Sequence[PastReplay], span: Span, reads: RangeReads, scrapes: Sequence[Selector]
    ) -> None:
        """Evaluate each set of rules over a span, each by an engine of its own."""
        self._note(f"evaluating {self._stamp(span.begin_ms)} to {self._stamp(span.end_ms)}")
        series = await asyncio.to_thread(self._series, reads, span, scrapes)
        for replay in replays:
            async with _engine(self._told, self._programs) as engine:
                await asyncio.to_thread(replay.replay, engine, span, series)

    def _changes(self, judged: Sequence[tuple[RuleHistory, ...]]) -> tuple[Change, ...]:
        after, base = self._pasts
        return compare(judged[1], judged[0], lambda alert: causes(base.rules, after.rules, after.written, alert))

    async def _held(self, api: PrometheusApi) -> Held:
        """What the Prometheus holds of the past.

        Raises:
            BadInput: nothing of the range.
        """
        when = self._when
        from_ms = round(min(when.from_s, when.onset_s - when.history_s) * 1000) - self._reach_ms
        held = await held_of(api, from_ms, round(when.to_s * 1000), self._told.lookback_ms)
        if held.nothing or (held.from_ms is not None and held.from_ms > when.onset_s * 1000):
            begins = f"from {self._stamp(held.from_ms)} on" if held.from_ms is not None else "in another time"
            got = f"{stamp(self._zone, when.from_s)} to {stamp(self._zone, when.to_s)}"
            expected = f"a range of which this Prometheus holds samples ({begins}; its retention is {held.retention})"
            fix = "name a later range, or the long-term storage behind it"
            raise BadInput([Mistake("--range", got, expected, fix)])
        return held

    def _times(self, held: Held) -> Times:
        when = self._when
        onset_ms, from_ms = round(when.onset_s * 1000), round(when.from_s * 1000)
        history_ms = max(onset_ms - round(when.history_s * 1000), held.from_ms or 0)
        return Times(min(history_ms, onset_ms), from_ms, onset_ms, round(when.to_s * 1000))

    async def _read(
        self, api: PrometheusApi, reads: RangeReads, times: Times, held: Held
    ) -> tuple[tuple[Selector, ...], int]:
        """Read what the rules select, and of the targets that it is of, when they were scraped.

        Returns:
            Selectors of the latter, and how many samples lie before the range.
        """
        begin = max(min(times.history_ms, times.from_ms) - self._reach_ms, held.from_ms or 0)
        labels: list[Labels] = []
        for number, one in enumerate(self._selectors, 1):
            self._note(f"reading {number} of {len(self._selectors)}: {one.text()}")
            labels += await reads.fetch(one, begin, times.to_ms)
        lacking = {one.name for one in needed(self._asked) if one.name and not any(map(one.matches, labels))}
        for name in sorted(lacking - {one.name for one in reads.failed}):
            if there := await targets_with(api, name, begin, times.to_ms):
                self._metrics[name] = there
                labels += [one.labels for one in there]
        jobs = sorted({one["job"] for one in labels if "job" in one})
        if not jobs:
            return (), reads.samples
        up, took = _of_jobs("up", jobs), _of_jobs("scrape_duration_seconds", jobs)
        self._note("reading when targets were scraped")
        await reads.fetch(up, begin, times.to_ms)
        before = reads.samples
        await reads.fetch(took, max(times.from_ms - self._reach_ms, begin), times.to_ms)
        return (up, took), before

    def _series(self, reads: RangeReads, span: Span, scrapes: Sequence[Selector]) -> tuple[RawSeries, ...]:
        """All that was read of a span."""
        wanted = [*self._selectors, *(one for one in scrapes if span.exact or one.name == "up")]
        series = merge(part for one in wanted for part in reads.load(one, span.warm_ms, span.end_ms - 1))
        return series if reads.marked else with_inferred_markers(series, span.end_ms - 1)

    def _stamp(self, at_ms: int) -> str:
        return stamp(self._zone, at_ms / 1000)


def _past_of(when: Incident, times: Times, held: Held) -> Past:
    return Past(
        asked_s=when.history_s,
        from_=times.history_ms / 1000,
        held_from=None if held.from_ms is None else held.from_ms / 1000,
        outages_s=length_ms(within(held.outages, times.history_ms, times.to_ms)) / 1000,
    )


def _reading(reads: RangeReads, seconds: float) -> Reading:
    return Reading(
        chunks=reads.chunks,
        asked=reads.asked,
        kept=reads.kept,
        samples=reads.samples,
        markers="remote_read" if reads.marked else "inferred",
        seconds=round(seconds, 3),
    )


def _of_jobs(name: str, jobs: Sequence[str]) -> Selector:
    if len(jobs) == 1:
        return Selector(name, (Matcher("job", "=", jobs[0]),), 0.0, 0.0)
    return Selector(name, (Matcher("job", "=~", "|".join(map(literal, jobs))),), 0.0, 0.0)
