"""The last evidence of a drill: what only the engine can answer, the fills of its plan, and the recording."""

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from alertdrill.adapters.journal_file import JournalFile
from alertdrill.compose.engine import Engine
from alertdrill.compose.material import Material
from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.plan import Plan
from alertdrill.core.prospect import Prospect, prospects
from alertdrill.core.recording import Recording, Source, merge, with_inferred_markers
from alertdrill.core.replay.grid import recorded_groups
from alertdrill.core.replicas import Seen, seen_by_each
from alertdrill.core.scenario import locustfile
from alertdrill.core.traffic import PlannedTraffic
from alertdrill.run.checker import open_questions
from alertdrill.run.collector import Collector
from alertdrill.run.ports import SourceFailed
from alertdrill.run.replica import Replica


async def conclude(
    plan: Plan,
    collectors: Mapping[str | None, Collector],
    journal: JournalFile,
    replicas: Sequence[Replica],
    made_of: Material,
    engine: Engine,
) -> None:
    """Ask what only the engine can answer, work out the fills, and close the journal.

    There are no fills where users bring rows that nobody has planned.
    """
    asked = {one.name: one for one in replicas}
    for seen in seen_by_each(journal.records, recording(plan, collectors, journal, engine)):
        name = seen.replica if seen.replica in asked else None
        if not asked[name].lost:
            await _ask(plan, seen, asked[name], journal)
        if locustfile(plan.scenario.load) is None:
            case = Case(plan, seen.journal, seen.recording)
            starts = {one.k: one.start_at for one in case.all(records.SegmentStarted)}
            counts = {k: one.sent + one.suppressed for k, one in case.closed.items()}
            traffic = PlannedTraffic(plan, made_of.rows, case.touch, made_of.reference)
            for one in prospects(plan, traffic, case.book, engine.scrape_s, starts, counts):
                journal.write(_fill(one, seen.replica))
    for replica in replicas:
        for kind, error_s in replica.source.precision().items():
            if kind != "prometheus":
                journal.write(records.Instants(at=time.time(), engine=kind, error_s=round(error_s, 6)))
    journal.write(records.Ended(at=time.time()))


async def _ask(plan: Plan, seen: Seen, replica: Replica, journal: JournalFile) -> None:
    for question in open_questions(plan, seen.journal, seen.recording):
        try:
            answer = await replica.source.instant(question.query, question.time_ms / 1000)
        except SourceFailed:
            continue
        query, time_ms, labels = question.query, question.time_ms, tuple(dict(labels) for labels, _ in answer)
        journal.write(records.Answer(at=time.time(), query=query, time_ms=time_ms, labels=labels, replica=seen.replica))


def _fill(one: Prospect, replica: str | None) -> records.Fill:
    now = time.time()
    if one.fill is None:
        return records.Fill(at=now, expectation=one.id, low_s=None, likely_s=None, high_s=None, replica=replica)
    bounds = (one.fill.low_s, one.fill.likely_s, one.fill.high_s)
    low, likely, high = (None if math.isinf(seconds) else round(seconds, 4) for seconds in bounds)
    return records.Fill(at=now, expectation=one.id, low_s=low, likely_s=likely, high_s=high, replica=replica)


def recording(
    plan: Plan, collectors: Mapping[str | None, Collector], journal: JournalFile, engine: Engine
) -> Recording:
    """What was collected, each replica's on its own clock; the first replica's holds those of the others."""
    replicas = next((one for one in journal.records if isinstance(one, records.Replicas)), None)
    label = replicas.label or "" if replicas is not None and not replicas.apart else ""
    engines = dict(zip(engine.names, engine.each, strict=True))
    found = {
        name: _recorded(plan, one, name, label, journal, engines.get(name, engine)) for name, one in collectors.items()
    }
    (_, first), *others = found.items()
    return replace(first, replicas={name: one for name, one in others if name is not None})


def _recorded(
    plan: Plan, collector: Collector, name: str | None, label: str, journal: JournalFile, engine: Engine
) -> Recording:
    mine = [one for one in journal.records if getattr(one, "replica", None) in (None, name)]
    clocks = [one for one in mine if isinstance(one, records.Clock) and one.replica == name]
    offset_s = min(clocks, key=lambda clock: clock.error_s).offset_s if clocks else 0.0
    begin, end = journal.records[0].at + offset_s, collector.reached + offset_s
    merged = merge(collector.samples)
    series = merged if collector.marked else with_inferred_markers(merged, round(end * 1000), label)
    source = Source(
        version=engine.version,
        lookback_s=engine.lookback_s,
        external_labels=engine.external_labels or {},
        selectors=collector.selectors,
        since_ms=None if engine.managed else round((collector.since + offset_s) * 1000),
        markers="remote_read" if collector.marked else "inferred",
    )
    found = Recording(round(begin * 1000), round(end * 1000), series, source)
    groups = recorded_groups(Case(plan, mine, found))
    return replace(found, source=replace(source, groups=groups))


def sealed(found: Recording, plan: bytes, journal: bytes) -> Recording:
    """A recording that knows the plan and the journal that it belongs to, as they are in its folder."""
    plan_sha256, journal_sha256 = hashlib.sha256(plan).hexdigest(), hashlib.sha256(journal).hexdigest()
    source = replace(found.source, plan_sha256=plan_sha256, journal_sha256=journal_sha256, journal_bytes=len(journal))
    return replace(found, source=source)


def no_samples(journal: JournalFile) -> Recording:
    """What is left of a drill that is killed, so that it can be judged all the same."""
    now_ms = round(journal.records[0].at * 1000)
    return Recording(now_ms, now_ms, ())
