"""The last evidence of a drill: what only the engine can answer, the fills of its plan, and the recording."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from alertdrill.adapters.journal_file import JournalFile
from alertdrill.compose.material import Material
from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.plan import Plan
from alertdrill.core.prospect import Prospect, prospects
from alertdrill.core.recording import Recording, merge, with_inferred_markers
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
    scrape_s: float,
) -> None:
    """Ask what only the engine can answer, work out the fills, and close the journal.

    There are no fills where users bring rows that nobody has planned.
    """
    asked = {one.name: one for one in replicas}
    for seen in seen_by_each(journal.records, recording(collectors, journal)):
        name = seen.replica if seen.replica in asked else None
        if not asked[name].lost:
            await _ask(plan, seen, asked[name], journal)
        if locustfile(plan.scenario.load) is None:
            case = Case(plan, seen.journal, seen.recording)
            starts = {one.k: one.start_at for one in case.all(records.SegmentStarted)}
            counts = {k: one.sent + one.suppressed for k, one in case.closed.items()}
            traffic = PlannedTraffic(plan, made_of.rows, case.touch, made_of.reference)
            for one in prospects(plan, traffic, case.book, scrape_s, starts, counts):
                journal.write(_fill(one, seen.replica))
    for replica in replicas:
        for engine, error_s in replica.source.precision().items():
            if engine != "prometheus":
                journal.write(records.Instants(at=time.time(), engine=engine, error_s=round(error_s, 6)))
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


def recording(collectors: Mapping[str | None, Collector], journal: JournalFile) -> Recording:
    """What was collected, each replica's on its own clock; the first replica's holds those of the others."""
    replicas = next((one for one in journal.records if isinstance(one, records.Replicas)), None)
    label = replicas.label or "" if replicas is not None and not replicas.apart else ""
    found = {name: _recorded(one, name, label, journal) for name, one in collectors.items()}
    (_, first), *others = found.items()
    return replace(first, replicas={name: one for name, one in others if name is not None})


def _recorded(collector: Collector, name: str | None, label: str, journal: JournalFile) -> Recording:
    clocks = [one for one in journal.records if isinstance(one, records.Clock) and one.replica == name]
    offset_s = min(clocks, key=lambda clock: clock.error_s).offset_s if clocks else 0.0
    series = with_inferred_markers(merge(collector.samples), label)
    begin, end = journal.records[0].at + offset_s, collector.reached + offset_s
    return Recording(round(begin * 1000), round(end * 1000), series)


def no_samples(journal: JournalFile) -> Recording:
    """What is left of a drill that is killed, so that it can be judged all the same."""
    now_ms = round(journal.records[0].at * 1000)
    return Recording(now_ms, now_ms, ())
