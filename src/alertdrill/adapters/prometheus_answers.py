"""Turns the JSON that a Prometheus answers into typed observations.

Other shapes raise ValueError, KeyError, TypeError, IndexError or AttributeError, whichever comes first.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from alertdrill.core.observations import Labels, RawSeries, RuleGroup, RuleInfo, SelfMetrics, TargetInfo

Sample = tuple[Labels, float]

_DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_SELF_METRICS = (
    "process_start_time_seconds",
    "prometheus_config_last_reload_successful",
    "prometheus_rule_evaluation_failures_total",
    "prometheus_rule_group_iterations_missed_total",
    "prometheus_notifications_dropped_total",
    "vmalert_config_last_reload_successful",
)


def duration_s(text: str) -> float:
    """Seconds of a duration as Prometheus writes it, such as `1m30s`, `500ms` or `0s`."""
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text or not text:
        raise ValueError(f"not a duration: {text!r}")
    return sum(int(number) * _UNIT_MS[unit] for number, unit in parts) / 1000


def unix_time(text: str) -> float | None:
    """Unix seconds of a time as Go writes it; None for Go's zero time, which means never."""
    seconds = datetime.fromisoformat(text)
    return seconds.timestamp() if seconds.year > 1 else None


def vector(result: list[Any]) -> list[Sample]:
    """Samples of an instant query's answer; that of a scalar is one sample without labels."""
    if len(result) == 2 and not isinstance(result[0], dict):
        return [({}, float(result[1]))]
    return [(_labels(one["metric"]), float(one["value"][1])) for one in result]


def matrix(result: list[Any]) -> list[RawSeries]:
    """Series of a range selector's answer. Timestamps are exact: Prometheus writes them with three decimals."""
    return [_series(one) for one in result]


def _series(one: Mapping[str, Any]) -> RawSeries:
    if "histograms" in one:
        raise ValueError(f"{one['metric'].get('__name__')} is a native histogram; select its classic series instead")
    times = np.array([round(float(time) * 1000) for time, _ in one["values"]], dtype=np.int64)
    values = np.array([float(value) for _, value in one["values"]], dtype=np.float64)
    return RawSeries(_labels(one["metric"]), times, values)


def without_markers(series: RawSeries) -> RawSeries:
    """A series without NaN, which is how VictoriaMetrics shows staleness markers: it stores no other."""
    keep = ~np.isnan(series.values)
    return RawSeries(series.labels, series.times_ms[keep], series.values[keep])


def rule_groups(data: Mapping[str, Any]) -> list[RuleGroup]:
    """Groups of `/api/v1/rules`."""
    return [
        RuleGroup(
            file=str(group["file"]),
            name=str(group["name"]),
            interval_s=float(group["interval"]),
            last_evaluation=unix_time(group["lastEvaluation"]),
            rules=tuple(_rule(rule) for rule in group["rules"]),
            took_s=float(group["evaluationTime"]) if "evaluationTime" in group else None,
        )
        for group in data["groups"]
    ]


def _rule(rule: Mapping[str, Any]) -> RuleInfo:
    if rule["type"] not in ("alerting", "recording"):
        raise ValueError(f"unknown type of rule: {rule['type']!r}")
    return RuleInfo(
        name=str(rule["name"]),
        type=rule["type"],
        query=str(rule["query"]),
        for_s=float(rule.get("duration", 0)),
        keep_firing_for_s=float(rule.get("keepFiringFor", 0)),
        labels=_labels(rule.get("labels") or {}),
        annotations=_labels(rule.get("annotations") or {}),
        health=str(rule["health"]),
        last_error=str(rule.get("lastError") or ""),
    )


def targets(data: Mapping[str, Any]) -> list[TargetInfo]:
    """Active targets of `/api/v1/targets`."""
    return [
        TargetInfo(
            job=target["labels"].get("job", ""),
            instance=target["labels"].get("instance", ""),
            url=str(target["scrapeUrl"]),
            labels=_labels(target["labels"]),
            health=str(target["health"]),
            last_error=str(target.get("lastError") or ""),
            last_scrape=unix_time(target["lastScrape"]),
            interval_s=_scrape_s(target, "scrapeInterval", "__scrape_interval__"),
            timeout_s=_scrape_s(target, "scrapeTimeout", "__scrape_timeout__"),
        )
        for target in data["activeTargets"]
    ]


def _scrape_s(target: Mapping[str, Any], field: str, label: str) -> float:
    """Seconds that a target states in a field, or, of VictoriaMetrics, in a label alone."""
    return duration_s(target[field] if field in target else target["discoveredLabels"][label])


def self_metrics(exposition: str) -> SelfMetrics:
    """What the engine's own `/metrics` says; lines of other metrics are not parsed."""
    found: dict[str, list[tuple[Labels, float]]] = {name: [] for name in _SELF_METRICS}
    for name, labels, value in _samples(line for line in exposition.splitlines() if line.startswith(_SELF_METRICS)):
        if name in found:
            found[name].append((labels, value))
    start, reload, failures, missed, dropped, vmalert_reload = (found[name] for name in _SELF_METRICS)
    reload = reload or vmalert_reload
    if not start:
        raise ValueError("process_start_time_seconds is not among its metrics")
    return SelfMetrics(
        process_start=start[0][1],
        last_reload_succeeded=reload[0][1] == 1 if reload else None,
        evaluation_failures={labels.get("rule_group", ""): value for labels, value in failures},
        missed_iterations={labels.get("rule_group", ""): value for labels, value in missed},
        notifications_dropped=sum(value for _, value in dropped) if dropped else None,
    )


def _samples(lines: Iterable[str]) -> Iterable[tuple[str, Labels, float]]:
    from prometheus_client.parser import text_string_to_metric_families  # with it comes a web server

    for family in text_string_to_metric_families("\n".join(lines) + "\n"):
        for sample in family.samples:
            yield sample.name, sample.labels, float(sample.value)


def _labels(labels: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in labels.items()}
