"""Where the time of one detection went, and what its settings allowed."""

import math

from alertdrill.core import journal as records
from alertdrill.core.alerts import Episode
from alertdrill.core.asked import Asked
from alertdrill.core.case import Case
from alertdrill.core.crossing import crossed, phase_offset_ms, previous_evaluation, scrapes_apart_ms
from alertdrill.core.detection import Bounds, Hop, Instants, Settings, bounds, waterfall
from alertdrill.core.fill import FillBounds
from alertdrill.core.health import input_targets, scrape_ends
from alertdrill.core.scope import AlertRule


def settings_of(case: Case, rule: AlertRule) -> Settings:
    """The settings that decide how fast a rule can be."""
    window_s = case.book.lookback_ms(rule) / 1000
    age_s = rule.group.lag_s if rule.group.engine == "vmalert" else 0.0
    return Settings(rule.for_ms, rule.scrape_ms(case.scrape_ms), rule.interval_ms, window_s, age_s)


def bounds_of(asked: Asked, settings: Settings) -> tuple[Bounds, FillBounds | None]:
    """Floor, expected and worst of an expectation, and the fill that they stand on."""
    record = next((f for f in asked.case.all(records.Fill) if f.expectation == asked.id), None)
    if record is None or record.low_s is None or record.likely_s is None or asked.rule is None:
        return Bounds(None, None, None), None
    fill = FillBounds(record.low_s, record.likely_s, math.inf if record.high_s is None else record.high_s)
    scrapes = [scrape_ends(asked.case, target) for target in input_targets(asked.case, asked.rule)]
    longest_ms = max((float((ends - times).max()) for times, ends in scrapes if len(times)), default=0.0)
    return bounds(fill, settings, phase_offset_ms(asked.case, asked.rule), longest_ms / 1000), fill


def waterfall_of(asked: Asked, episode: Episode, settings: Settings, fill: FillBounds | None) -> tuple[Hop, ...]:
    """The hops of an episode that fired; none where it was active before the fault."""
    first = asked.delivery.first_ms
    if asked.rule is None or episode.firing_at is None or first is None or episode.pending_at < first:
        return ()
    scrape = crossed(asked.case, asked.rule, episode)
    instants = Instants(
        first,
        asked.delivery.served_ms,
        scrape[0] if scrape else None,
        previous_evaluation(asked.case, asked.rule, episode),
        episode.pending_at,
        episode.firing_at,
        asked.case.clock_error_ms,
        scrapes_apart_ms(asked.case, asked.rule, episode),
        asked.case.instant_error_ms(asked.rule.group),
    )
    return waterfall(instants, settings, fill.low_s if fill else None)
