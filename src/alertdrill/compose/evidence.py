"""The last evidence of a drill: what only the engine can answer, the fills of its plan, and the recording."""

import math
import time

from alertdrill.adapters.journal_file import JournalFile
from alertdrill.compose.material import Material
from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.plan import Plan
from alertdrill.core.prospect import Prospect, prospects
from alertdrill.core.recording import Recording, merge, with_inferred_markers
from alertdrill.core.scenario import locustfile
from alertdrill.core.traffic import PlannedTraffic
from alertdrill.run.checker import open_questions
from alertdrill.run.collector import Collector
from alertdrill.run.ports import AlertSource, SourceFailed


async def conclude(
    plan: Plan, collector: Collector, journal: JournalFile, source: AlertSource, made_of: Material, scrape_s: float
) -> None:
    """Ask what only the engine can answer, work out the fills, and close the journal.

    There are no fills where users bring rows that nobody has planned.
    """
    samples = recording(collector, journal)
    for question in open_questions(plan, journal.records, samples):
        try:
            answer = await source.instant(question.query, question.time_ms / 1000)
        except SourceFailed:
            continue
        labels = tuple(dict(labels) for labels, _ in answer)
        journal.write(records.Answer(at=time.time(), query=question.query, time_ms=question.time_ms, labels=labels))
    if locustfile(plan.scenario.load) is None:
        case = Case(plan, journal.records, samples)
        starts = {one.k: one.start_at for one in case.all(records.SegmentStarted)}
        counts = {k: one.sent + one.suppressed for k, one in case.closed.items()}
        traffic = PlannedTraffic(plan, made_of.rows, case.touch, made_of.reference)
        for one in prospects(plan, traffic, case.book, scrape_s, starts, counts):
            journal.write(_fill(one))
    for engine, error_s in source.precision().items():
        if engine != "prometheus":
            journal.write(records.Instants(at=time.time(), engine=engine, error_s=round(error_s, 6)))
    journal.write(records.Ended(at=time.time()))


def _fill(one: Prospect) -> records.Fill:
    if one.fill is None:
        return records.Fill(at=time.time(), expectation=one.id, low_s=None, likely_s=None, high_s=None)
    bounds = (one.fill.low_s, one.fill.likely_s, one.fill.high_s)
    low, likely, high = (None if math.isinf(seconds) else round(seconds, 4) for seconds in bounds)
    return records.Fill(at=time.time(), expectation=one.id, low_s=low, likely_s=likely, high_s=high)


def recording(collector: Collector, journal: JournalFile) -> Recording:
    """What was collected, on the engine's clock."""
    clocks = [record for record in journal.records if isinstance(record, records.Clock)]
    offset_s = min(clocks, key=lambda clock: clock.error_s).offset_s if clocks else 0.0
    series = with_inferred_markers(merge(collector.samples))
    begin, end = journal.records[0].at + offset_s, collector.reached + offset_s
    return Recording(round(begin * 1000), round(end * 1000), series)


def no_samples(journal: JournalFile) -> Recording:
    """What is left of a drill that is killed, so that it can be judged all the same."""
    now_ms = round(journal.records[0].at * 1000)
    return Recording(now_ms, now_ms, ())
