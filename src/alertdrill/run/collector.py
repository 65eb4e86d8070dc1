"""Fetches the raw samples of a drill in stretches, so that a drill that dies keeps what was fetched."""

from collections.abc import Iterable

from alertdrill.core.grafana import METRIC
from alertdrill.core.observations import RawSeries
from alertdrill.core.promql import Selector
from alertdrill.core.recording import ALWAYS
from alertdrill.core.scope import AlertRule, RuleBook
from alertdrill.run.ports import AlertSource, Clock, SourceFailed

MOST_HISTORY_S = 86_400.0
STARTED_S = 60.0
"""A managed engine is started less than this before a drill, and all that it has seen is kept."""


class Collector:
    """The samples of every series that a rule in scope reads, of ALERTS, and of the scrapes.

    Attributes:
        selectors: what is asked for.
        samples: what was fetched; stretches overlap by `overlap_s`, and the first begins as long before the drill as
            rules look back, a day at most.
        since: from when on (our clock, s).
        reached: until when.
        ahead_s: the engine's clock minus ours, to be set as soon as it is known.
    """

    def __init__(
        self, source: AlertSource, clock: Clock, book: RuleBook, rules: Iterable[AlertRule], overlap_s: float
    ) -> None:
        self._source, self._clock, self._overlap_s, self._book = source, clock, overlap_s, book
        rules = tuple(rules)
        found = [selector for rule in rules for selector in book.inputs(rule) if selector.name or selector.matchers]
        bare = {Selector(one.name, one.matchers, 0.0, 0.0).text() for one in found}
        grafanas = (METRIC,) if any(rule.group.engine == "grafana" for rule in book.alerts) else ()
        self.selectors = tuple(sorted({*bare, *ALWAYS, *grafanas}))
        self.samples: list[RawSeries] = []
        self.reached = clock.now()
        self.ahead_s = 0.0
        self.since = self.reached - min(
            MOST_HISTORY_S, overlap_s + STARTED_S + max(map(self._reach_s, rules), default=0.0)
        )

    @property
    def marked(self) -> bool:
        """Whether the samples hold staleness markers."""
        return self._source.marks

    def _reach_s(self, rule: AlertRule) -> float:
        """For how long a sample can matter to an alert."""
        return self._book.lookback_ms(rule) / 1000 + rule.rule.for_s + rule.rule.keep_firing_for_s

    async def collect(self) -> None:
        """Fetch what has come since the last time.

        Raises:
            SourceFailed: the engine did not answer; what was fetched before stays.
        """
        now = self._clock.now()
        begin = self.reached - self._overlap_s if self.samples else self.since
        begin, end = begin + self.ahead_s, now + self.ahead_s
        parts = [series for text in self.selectors for series in await self._source.raw(text, begin, end)]
        self.samples += parts
        self.reached = now

    async def try_collect(self) -> str | None:
        """The same; returns why it failed instead of raising."""
        try:
            await self.collect()
        except SourceFailed as error:
            return str(error)
        return None
