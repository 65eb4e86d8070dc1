"""The alert source port over a VictoriaMetrics and the vmalert that evaluates the rules."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence

from alertdrill.adapters.alert_source import asked
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.vmalert_answers import Look, look
from alertdrill.core.http_dates import ask_at, reading_of
from alertdrill.core.observations import ClockReading, EngineKind, Labels, RawSeries, RuleGroup, SelfMetrics
from alertdrill.core.shown_alerts import ShownAlerts
from alertdrill.run.ports import ActiveAlert

RULES = "/api/v1/rules"
DATES = 8
DATES_ERROR_S = 0.004
_OF_ALERTS = re.compile(r"ALERTS(_FOR_STATE)?")


async def clock_by_dates(api: PrometheusApi, path: str) -> ClockReading:
    """How far the clock of who answers a path is ahead of ours. Takes some seconds: its answers hold whole ones."""
    brackets = [await api.date(path)]
    while (known := reading_of(brackets)).error_s > DATES_ERROR_S and len(brackets) <= DATES:
        await asyncio.sleep(max(0.0, ask_at(known, time.time()) - time.time()))
        brackets.append(await api.date(path))
    return known


class VmalertSource:
    """Asks a VictoriaMetrics for samples, and its vmalert for rules and alerts.

    ALERTS are what the looks at the rules showed, each at the instant of its evaluation, on vmalert's clock.
    """

    def __init__(self, samples: PrometheusApi, vmalert: PrometheusApi, latency_s: float) -> None:
        """See `vmalert_answers.look` for `latency_s`."""
        self._samples, self._vmalert, self._latency_s = samples, vmalert, latency_s
        self._seen, self._fresh = ShownAlerts(), False
        self._last = Look((), ())
        self._ahead: ClockReading | None = None

    def alive(self) -> bool:
        """Whether it is not known to be dead: it is the user's own."""
        return True

    async def active(self) -> Sequence[ActiveAlert]:
        """Alerts that are pending or firing now."""
        await self._look()
        alerts = [one for rule in self._last.rules for one in rule.alerts]
        return [ActiveAlert(one.labels, "firing" if one.state == "firing" else "pending") for one in alerts]

    async def rules(self) -> Sequence[RuleGroup]:
        """The loaded rule groups, of the last look if nobody was told of it yet."""
        if not self._fresh:
            await self._look()
        self._fresh = False
        return self._last.groups

    async def _look(self) -> None:
        self._last = await asked(self._vmalert.read(RULES, lambda data: look(data, self._latency_s)))
        self._seen.see(self._last.rules)
        self._fresh = True

    async def instant(self, query: str, at: float | None = None) -> Sequence[tuple[Labels, float]]:
        """The answer to an instant query."""
        return await asked(self._samples.instant(query, at))

    async def raw(self, selector: str, from_s: float, to_s: float) -> Sequence[RawSeries]:
        """Raw samples of a selector between two instants; of ALERTS all that were seen."""
        if _OF_ALERTS.fullmatch(selector):
            return self._seen.series() if selector == "ALERTS" else ()
        return await asked(self._samples.between(selector, from_s, to_s))

    async def clock(self) -> ClockReading:
        """The clock of vmalert against ours: that of VictoriaMetrics, and how far apart the two were at first."""
        now = await asked(self._samples.clock())
        if self._ahead is None:
            of_vmalert = await asked(clock_by_dates(self._vmalert, RULES))
            error_s = of_vmalert.error_s + now.error_s
            self._ahead = ClockReading(of_vmalert.offset_s - now.offset_s, error_s)
        return ClockReading(now.offset_s + self._ahead.offset_s, now.error_s + self._ahead.error_s)

    async def of_itself(self) -> SelfMetrics:
        """What vmalert counts about itself; where VictoriaMetrics passes questions on to it, what that does."""
        return await asked(self._vmalert.self_metrics())

    def precision(self) -> Mapping[EngineKind, float]:
        """How far off the instants of alerts may be, s."""
        return {"vmalert": self._seen.error_s}
