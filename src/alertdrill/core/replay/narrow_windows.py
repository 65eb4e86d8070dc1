"""Rules that would see too little if their targets were scraped less often."""

from collections.abc import Iterable, Iterator

from alertdrill.core.observations import RuleGroup
from alertdrill.core.scope import RuleBook
from alertdrill.core.scrape_intervals import ranges_behind
from alertdrill.core.units import format_duration


def narrow_windows(groups: Iterable[RuleGroup], scrape_s: float) -> Iterator[str]:
    """One sentence about the alerts in whose windows, recording rules included, there are fewer scrapes than they need.

    Args:
        groups: the rules.
        scrape_s: seconds from one scrape to the next, of every target.
    """
    book = RuleBook.of(groups)
    found = {
        alert.name: min(one.selector.range_s for one in ranges if one.selector.range_s < one.samples * scrape_s)
        for alert in book.alerts
        for ranges in [ranges_behind(book, alert)]
        if any(one.selector.range_s < one.samples * scrape_s for one in ranges)
    }
    if found:
        named = ", ".join(f"{name} [{format_duration(window_s)}]" for name, window_s in found.items())
        yield (
            f"scraped every {format_duration(scrape_s)}, windows hold fewer scrapes than these need, so that they see "
            f"nothing, or only now and then: {named}"
        )
