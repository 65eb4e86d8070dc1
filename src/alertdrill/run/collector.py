"""Fetches the raw samples of a drill in stretches, so that a drill that dies keeps what was fetched."""

from collections.abc import Iterable

from alertdrill.core.grafana import METRIC
from alertdrill.core.observations import RawSeries
from alertdrill.core.promql import Selector
from alertdrill.core.scope import AlertRule, RuleBook
from alertdrill.run.ports import AlertSource, Clock, SourceFailed

SELF_SERIES = ("ALERTS", "ALERTS_FOR_STATE", "scrape_duration_seconds", "up")


class Collector:
    """The samples of every series that a rule in scope reads, of ALERTS, and of the scrapes.

    Attributes:
        samples: what was fetched; stretches overlap by `overlap_s`.
        reached: until when (our clock, s).
        ahead_s: the engine's clock minus ours, to be set as soon as it is known.
    """

    def __init__(
        self, source: AlertSource, clock: Clock, book: RuleBook, rules: Iterable[AlertRule], overlap_s: float
    ) -> None:
        self._source, self._clock, self._overlap_s = source, clock, overlap_s
        found = [selector for rule in rules for selector in book.inputs(rule) if selector.name or selector.matchers]
        bare = {Selector(one.name, one.matchers, 0.0, 0.0).text() for one in found}
        grafanas = (METRIC,) if any(rule.group.engine == "grafana" for rule in book.alerts) else ()
        self._selectors = sorted({*bare, *SELF_SERIES, *grafanas})
        self.samples: list[RawSeries] = []
        self.reached = clock.now()
        self.ahead_s = 0.0

    async def collect(self) -> None:
        """Fetch what has come since the last time.

        Raises:
            SourceFailed: the engine did not answer; what was fetched before stays.
        """
        now = self._clock.now()
        begin, end = self.reached - self._overlap_s + self.ahead_s, now + self.ahead_s
        parts = [series for text in self._selectors for series in await self._source.raw(text, begin, end)]
        self.samples += parts
        self.reached = now

    async def try_collect(self) -> str | None:
        """The same; returns why it failed instead of raising."""
        try:
            await self.collect()
        except SourceFailed as error:
            return str(error)
        return None
