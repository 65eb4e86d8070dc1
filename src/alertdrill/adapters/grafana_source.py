"""The alert source port with Grafana beside a Prometheus: its rules by its own interface, its alerts by its metric."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from alertdrill.adapters.alert_source import asked
from alertdrill.adapters.prometheus_answers import rule_groups
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.core.grafana import LATE_S, METRIC, STATE, alert_state
from alertdrill.core.observations import ClockReading, EngineKind, Labels, RawSeries, RuleGroup, RuleInfo, SelfMetrics
from alertdrill.run.ports import ActiveAlert, AlertSource

RULES = "/api/prometheus/grafana/api/v1/rules"
HEALTH = {"error": "err"}


def grafana_groups(data: Mapping[str, Any]) -> list[RuleGroup]:
    """Rule groups of Grafana: `file` is the folder. A rule that is paused is not evaluated, and so is not there."""
    groups = [
        {**group, "rules": [rule for rule in group["rules"] if not rule.get("isPaused", False)]}
        for group in data["groups"]
    ]
    return [
        replace(known, engine="grafana", lag_s=LATE_S, rules=tuple(_rule(rule) for rule in known.rules))
        for known in rule_groups({"groups": groups})
    ]


def _rule(rule: RuleInfo) -> RuleInfo:
    return replace(rule, health=HEALTH.get(rule.health, rule.health))


class GrafanaSource:
    """A source, and beside it a Grafana that writes GRAFANA_ALERTS where the source reads samples."""

    def __init__(self, source: AlertSource, grafana: PrometheusApi) -> None:
        self._source, self._grafana = source, grafana

    def alive(self) -> bool:
        """Whether the source is not known to be dead."""
        return self._source.alive()

    async def active(self) -> Sequence[ActiveAlert]:
        """Alerts that are pending or firing now, Grafana's among them."""
        found = list(await self._source.active())
        for labels, _ in await self._source.instant(METRIC):
            state = alert_state(labels.get(STATE, ""))
            if state is not None:
                bare = {name: value for name, value in labels.items() if name not in ("__name__", "alertstate", STATE)}
                found.append(ActiveAlert(bare, "firing" if state == "firing" else "pending"))
        return found

    async def instant(self, query: str, at: float | None = None) -> Sequence[tuple[Labels, float]]:
        """The answer to an instant query."""
        return await self._source.instant(query, at)

    async def raw(self, selector: str, from_s: float, to_s: float) -> Sequence[RawSeries]:
        """Raw samples of a selector between two instants."""
        return await self._source.raw(selector, from_s, to_s)

    async def rules(self) -> Sequence[RuleGroup]:
        """The loaded rule groups of both."""
        return [*await self._source.rules(), *await asked(self._grafana.read(RULES, grafana_groups))]

    async def clock(self) -> ClockReading:
        """The clock of the source against ours."""
        return await self._source.clock()

    async def of_itself(self) -> SelfMetrics:
        """What the source counts about itself."""
        return await self._source.of_itself()

    def precision(self) -> Mapping[EngineKind, float]:
        """How far off the instants of alerts may be, s."""
        return {**self._source.precision(), "grafana": LATE_S}
