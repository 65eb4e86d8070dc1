"""Reads the body of a post of alerts (Alertmanager's interface, versions 1 and 2)."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alertdrill.core.observations import AlertPost, PostedAlert


def parse_post(body: bytes, received_at: float) -> AlertPost:
    """The alerts of one post. An alert is resolved if its end is not after `received_at` (Unix seconds).

    Raises:
        ValueError: it is not a JSON list of alerts with labels and times.
    """
    try:
        alerts = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(alerts, list):
        raise ValueError("the body is not a list of alerts")
    return AlertPost(received_at, tuple(_alert(alert, received_at) for alert in alerts))


def _alert(alert: Any, received_at: float) -> PostedAlert:
    if not isinstance(alert, dict):
        raise ValueError("an alert is not an object")
    ends_at_ms = milliseconds(alert.get("endsAt"))
    return PostedAlert(
        labels=_labels(alert, "labels"),
        annotations=_labels(alert, "annotations"),
        starts_at_ms=milliseconds(alert.get("startsAt")) or round(received_at * 1000),
        ends_at_ms=ends_at_ms,
        status="resolved" if ends_at_ms is not None and ends_at_ms <= received_at * 1000 else "firing",
    )


def _labels(alert: Mapping[str, Any], name: str) -> dict[str, str]:
    labels = alert.get(name) or {}
    if not isinstance(labels, dict):
        raise ValueError(f"the {name} of an alert are not an object")
    return {str(key): str(value) for key, value in labels.items()}


def milliseconds(value: Any) -> int | None:
    """Unix milliseconds of a time as Prometheus writes it; None where there is none, or Go's zero time."""
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"not a time: {value!r}") from None
    if moment.tzinfo is None:
        raise ValueError(f"a time without zone: {value!r}")
    return round(moment.timestamp() * 1000) if moment.year > 1 else None
