"""Turns what vmalert shows of its rules into rule groups, and into what is seen of their alerts.

Its shape is Prometheus's; what it means is not: `lastEvaluation` of a group is when its last evaluation ended, that of
a rule when its evaluation began. Other shapes raise as those of `prometheus_answers` do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from alertdrill.adapters.prometheus_answers import rule_groups, unix_time
from alertdrill.core.observations import RuleGroup
from alertdrill.core.shown_alerts import ShownAlert, ShownRule

STATES = ("pending", "firing")
STORED_S = 1.0
"""What was scraped can be queried this much later, at the latest."""


@dataclass(frozen=True)
class Look:
    """One look at a vmalert."""

    groups: tuple[RuleGroup, ...]
    rules: tuple[ShownRule, ...]


def look(data: Mapping[str, Any], latency_s: float) -> Look:
    """What `/api/v1/rules` shows.

    Args:
        data: its answer.
        latency_s: how old the samples are that its datasource shows it.
    """
    groups = [_group(group, latency_s) for group in data["groups"]]
    return Look(tuple(groups), tuple(one for group in data["groups"] for one in _seen(group)))


def _group(group: Mapping[str, Any], latency_s: float) -> RuleGroup:
    """A group as Prometheus would show it. It asks for the samples of whole intervals: up to one may be left out."""
    (known,) = rule_groups({"groups": [{**group, "interval": _interval_s(group)}]})
    began = [at for rule in group["rules"] if (at := unix_time(rule["lastEvaluation"])) is not None]
    lag_s = latency_s + known.interval_s + STORED_S
    return replace(known, last_evaluation=min(began, default=None), engine="vmalert", lag_s=lag_s)


def _interval_s(group: Mapping[str, Any]) -> float:
    return float(group["interval"])


def _seen(group: Mapping[str, Any]) -> list[ShownRule]:
    return [
        ShownRule(
            (str(group["file"]), str(group["name"]), place),
            _interval_s(group),
            unix_time(rule["lastEvaluation"]),
            tuple(_shown_alert(alert) for alert in rule.get("alerts") or () if alert["state"] in STATES),
            rule["health"] == "err",
        )
        for place, rule in enumerate(group["rules"])
        if rule["type"] == "alerting"
    ]


def _shown_alert(alert: Mapping[str, Any]) -> ShownAlert:
    active_at = unix_time(alert["activeAt"])
    if active_at is None:
        raise ValueError(f"an alert that is {alert['state']} without an instant")
    labels = {str(name): str(value) for name, value in alert["labels"].items()}
    return ShownAlert(labels, str(alert["state"]), active_at, bool(alert.get("restored", False)))
