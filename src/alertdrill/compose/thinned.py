"""A recorded drill as if its targets had been scraped less often."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from alertdrill.compose.recorded import Recorded
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.replay.dependencies import Rules
from alertdrill.core.replay.evidence import scraped_series
from alertdrill.core.replay.narrow_windows import narrow_windows
from alertdrill.core.replay.settings import Choice
from alertdrill.core.replay.thinning import journal_of, not_multiples, scraped, thinned
from alertdrill.core.units import format_duration


def scrape_intervals_s(one: Recorded) -> frozenset[float]:
    """Seconds from one scrape to the next of its targets."""
    found = scraped(scraped_series(one.case)).values()
    return frozenset(each.interval_ms / 1000 for each in found if each.interval_ms is not None)


def thinned_recording(one: Recorded, scrape: Choice) -> Recorded:
    """A recording as if every target had been scraped at one interval; itself where every target was.

    Raises:
        BadInput: that takes more than leaving scrapes out.
    """
    case, interval_ms = one.case, round(scrape.value * 1000)
    series = scraped_series(case)
    try:
        wrong = not_multiples(series, interval_ms)
        if wrong:
            raise BadInput(list(_no_multiples(wrong, scrape, one.folder)))
        fewer = thinned(series, interval_ms)
    except ValueError as error:
        fix = "give every target an instance of its own, then record a drill"
        raise BadInput([scrape.mistake(str(error), "targets that can be told apart", fix, str(one.folder))]) from None
    if all(new is old for new, old in zip(fewer, series, strict=True)):
        return one
    known = {id(each) for each in series}
    others = [each for each in one.recording.series if id(each) not in known]
    recording = replace(one.recording, series=(*fewer, *others))
    return replace(one, journal=journal_of(one.journal, scrape.value), recording=recording, rescraped=True)


def _no_multiples(wrong: Mapping[tuple[str, str], int], scrape: Choice, folder: Path) -> Iterator[Mistake]:
    for (job, instance), recorded_ms in wrong.items():
        got = f"job {job} at {instance}, which was scraped every {format_duration(recorded_ms / 1000)}"
        fix = f"write such as {format_duration(max(2, round(scrape.value * 1000 / recorded_ms)) * recorded_ms / 1000)}"
        yield scrape.mistake(got, "a multiple of how often each target was scraped", fix, str(folder))


def said_of(was: Recorded, rules: Rules, scrape: Choice) -> tuple[str, tuple[str, ...]]:
    """What thinning a recording changed, and what it makes uncertain of rules."""
    before, now = was.case.scrape_ms / 1000, scrape.value
    spread = format_duration(round(now - before, 3))
    phase = (
        f"of every target the first recorded scrape is kept and one every {format_duration(now)} from there; live they "
        f"may be others, and instants off by up to {spread}"
    )
    cause = f"scrape_interval {format_duration(before)}→{format_duration(now)}"
    return cause, (phase, *narrow_windows(rules.groups, now))
