"""False alarms against the time in which no fault could have caused them: rates, and noise per alert.

Fault-free is the time from the steady state to the end of the load that lies outside every tail: exactly where an
episode in scope is a false alarm.
"""

from collections.abc import Iterable, Sequence

from alertdrill.core.alerts import Episode
from alertdrill.core.attribution import Attribution, Span, lost, tails
from alertdrill.core.case import Case
from alertdrill.core.result import AlertNoise, NoiseResult, Rate, StretchNoise
from alertdrill.core.scope import in_scope
from alertdrill.core.stats import CONFIDENCE, poisson_interval

S_PER_HOUR = 3600.0


def rate(episodes: int, watched_s: float) -> Rate:
    """Episodes an hour with their exact interval; unknown where nothing was watched."""
    if watched_s <= 0:
        return Rate(episodes=episodes, per_hour=None, low_per_hour=None, high_per_hour=None)
    hours = watched_s / S_PER_HOUR
    interval = poisson_interval(episodes, hours)
    return Rate(
        episodes=episodes,
        per_hour=round(episodes / hours, 3),
        low_per_hour=round(interval.low, 3),
        high_per_hour=round(interval.high, 3),
    )


def noise(case: Case, attribution: Attribution) -> NoiseResult:
    """What fired where no fault could have caused it, and for how long that was watched."""
    spans = fault_free(case)
    alarms = [episode for episode in attribution.unexplained if episode.firing_at is not None]
    watched_s = _length_s(spans)
    return NoiseResult(
        fault_free_s=watched_s,
        confidence=CONFIDENCE,
        total=rate(len(alarms), watched_s),
        stretches=_stretches(case, spans, alarms),
        alerts=_alerts(case, watched_s, alarms),
    )


def fault_free(case: Case) -> tuple[Span, ...]:
    """The spans (ms, engine clock) that lie outside every tail, in order."""
    begin, end = case.baseline_from_ms, min(case.counts_until_ms, case.recording.to_ms)
    free: list[Span] = []
    for first, over in sorted([*tails(case), *lost(case)]):
        if first > begin:
            free.append((begin, min(first, end)))
        begin = max(begin, over)
    free.append((begin, end))
    return tuple((first, last) for first, last in free if last > first)


def _length_s(spans: Iterable[Span]) -> float:
    return round(sum(last - first for first, last in spans) / 1000, 3)


def _stretches(case: Case, spans: Sequence[Span], alarms: Sequence[Episode]) -> tuple[StretchNoise, ...]:
    found = []
    for segment in case.plan.segments:
        if segment.k not in case.starts_ms:
            continue
        begin, end = case.starts_ms[segment.k], case.segment_end_ms(segment.k)
        inside = [(max(first, begin), min(last, end)) for first, last in spans if first < end and last > begin]
        if inside:
            count = sum(begin < episode.pending_at <= end for episode in alarms)
            found.append(
                StretchNoise(kind=segment.kind, name=segment.name, fault_free_s=_length_s(inside), episodes=count)
            )
    return tuple(found)


def _alerts(case: Case, watched_s: float, alarms: Sequence[Episode]) -> tuple[AlertNoise, ...]:
    loaded = {rule.name for rule in case.book.alerts if in_scope(case.plan.scenario, rule.labels)}
    return tuple(
        AlertNoise(
            alert=name,
            rate=rate(sum(episode.alert == name for episode in alarms), watched_s),
            flaps=flaps(case, [episode for episode in case.episodes if episode.alert == name]),
        )
        for name in sorted(loaded | {episode.alert for episode in alarms})
    )


def flaps(case: Case, episodes: Iterable[Episode]) -> int:
    """How often a label set fired again within one tail of its end, from the steady state on."""
    ended: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
    count = 0
    for one in sorted((one for one in episodes if one.firing_at is not None), key=lambda one: one.pending_at):
        before = ended.get((one.alert, one.labels))
        fired = one.firing_at or one.pending_at
        count += before is not None and fired - before <= case.tail_ms and fired >= case.baseline_from_ms
        if one.resolved_at is not None:
            ended[one.alert, one.labels] = one.resolved_at
    return count
