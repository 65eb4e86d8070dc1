"""The usual drill, its rules evaluated by Grafana: alerts are under GRAFANA_ALERTS, nothing is in ALERTS."""

from typing import Any

import numpy as np
from drill import EVALUATION_MS, T0_S, Drill

from alertdrill.core import journal as records
from alertdrill.core.observations import RawSeries, RuleGroup, RuleInfo

QUERY = 'sum by (feature) (rate(values_total{cell="null"}[5s]))'
MANAGED = RuleGroup(
    "folder", "drill", 1.0, None,
    (RuleInfo("NullsHigh", "alerting", QUERY, 2.0, 0.0, {"severity": "P1"}, {}, "ok", ""),), "grafana", 1.0,
)  # fmt: skip
LABELS = {"__name__": "GRAFANA_ALERTS", "alertname": "NullsHigh", "grafana_rule_uid": "u1", "severity": "P1"}


def written(prometheus: str, grafana: str, *at_ms: int, **labels: str) -> RawSeries:
    values = {**LABELS, "feature": "amount", "alertstate": prometheus, "grafana_alertstate": grafana, **labels}
    return RawSeries(values, np.array(at_ms, dtype=np.int64), np.ones(len(at_ms)))


def grafanas(error_s: float = 0.5, *phases: dict[str, Any]) -> Drill:
    """A drill in which nothing fires so far."""
    drill = Drill(*phases, rules=MANAGED)
    at = tuple(one / 1000 for one in range(drill.from_ms + EVALUATION_MS, drill.to_ms, 1000))
    drill.add(records.Evaluated(at=T0_S, file="folder", group="drill", evaluated_at=at))
    return drill.add(records.Instants(at=T0_S, engine="grafana", error_s=error_s))


def fires(drill: Drill, after_ms: int = 1200, grafana: str = "alerting") -> Drill:
    pending = drill.evaluation(drill.start_ms() + after_ms)
    until = drill.evaluation(drill.last_ms() + 4000)
    drill.series.append(written("pending", "pending", *range(pending, pending + 2000, 1000)))
    drill.series.append(written("firing", grafana, *range(pending + 2000, until, 1000)))
    return drill
