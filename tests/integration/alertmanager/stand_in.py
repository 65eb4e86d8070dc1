"""Posts alerts to an Alertmanager as a Prometheus does."""

from datetime import UTC, datetime

import httpx

STARTS_AT = datetime(2026, 11, 22, 18, 0, 52, 555000, UTC)
STARTS_AT_MS = round(STARTS_AT.timestamp() * 1000)


def post(url: str, *alerts: dict[str, str], lasts_s: float = 240.0) -> None:
    """Post alerts that began at STARTS_AT and end so many seconds from now, unless they are posted again."""
    ends = datetime.fromtimestamp(datetime.now(UTC).timestamp() + lasts_s, UTC)
    body = [
        {"labels": labels, "startsAt": STARTS_AT.isoformat(), "endsAt": ends.isoformat(), "annotations": {"a": "ä"}}
        for labels in alerts
    ]
    httpx.post(f"{url}/api/v2/alerts", json=body, timeout=5.0).raise_for_status()
