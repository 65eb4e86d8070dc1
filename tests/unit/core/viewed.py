"""Drills whose alerts read series that are measured at the edge, in the server, of data or of labels."""

import numpy as np
from drill import BASELINE, INTERVAL_MS, SCRAPE_MS, Drill, group, nulls_phase, rule

P95 = "histogram_quantile(0.95, sum by (le) (rate({}[5s]))) > 0.25"
EDGE, SERVER = "model_request_duration_seconds_bucket", 'http_request_duration_seconds_bucket{job="model"}'
RULES = group(
    rule("p95:5s", f"histogram_quantile(0.95, sum by (le) (rate({EDGE}[5s])))", kind="recording"),
    rule("EdgeSlow", "p95:5s > 0.25"),
    rule("ServerSlow", P95.format(SERVER)),
    rule("ServerErrors", 'rate(http_requests_total{job="model",code=~"5.."}[5s]) > 1'),
    rule("ServerQuiet", 'rate(http_requests_total{job="model"}[5s]) < 1'),
    rule("Nulls", 'rate(model_feature_values_total{cell="null"}[5s]) > 1'),
    rule("Accuracy", "model_quality < 0.8"),
    rule("Mixed", f"{P95.format(EDGE)} or vector_of_somebody > 1"),
    rule("Down", 'up{job="model"} == 0'),
)


def latency(place: str, **changes: object) -> dict[str, object]:
    """A fault that holds half of the exchanges."""
    return {"kind": "latency", "delay": "400ms", "share": "50%", "place": place} | changes


def silent(alert: str, fault: dict[str, object]) -> Drill:
    """A drill with a fault of which no alert says anything."""
    phase = nulls_phase(faults=[fault], expect=[{"alert": alert, "within": "10s"}])
    drill = Drill(BASELINE, phase, rules=RULES)
    scraped = np.arange(drill.from_ms + SCRAPE_MS, drill.to_ms, INTERVAL_MS)
    for name, job in (
        (EDGE, "monitor"),
        ("http_request_duration_seconds_bucket", "model"),
        ("http_requests_total", "model"),
    ):
        drill.record({"__name__": name, "job": job, "instance": "m:1", "le": "1", "code": "500"}, scraped)
    drill.record({"__name__": "up", "job": "model", "instance": "m:1"}, scraped)
    drill.record({"__name__": "p95:5s"}, np.arange(drill.from_ms + 400, drill.to_ms, INTERVAL_MS), 0.01)
    return drill
