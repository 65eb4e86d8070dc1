"""Alerts that Grafana manages: its metric GRAFANA_ALERTS, read as ALERTS, and the states that say nothing of the model.

Grafana writes one sample an evaluation for each instance of a rule that is not normal, at the instant for which the
evaluation was scheduled. `alertstate` is firing for `nodata` and `error` too; `grafana_alertstate` tells them apart.
"""

from collections.abc import Iterable

from alertdrill.core.observations import RawSeries

METRIC = "GRAFANA_ALERTS"
STATE = "grafana_alertstate"
FIRING = ("alerting", "recovering")
UNKNOWING = ("nodata", "error")
LATE_S = 10.0
"""The evaluations due at one instant are spread over Grafana's base interval: that much later one may really be."""


def as_alerts(series: Iterable[RawSeries]) -> tuple[RawSeries, ...]:
    """Samples of GRAFANA_ALERTS as samples of ALERTS; those in which Grafana does not know are left out."""
    found = []
    for one in series:
        state = alert_state(one.labels.get(STATE, ""))
        if state is not None:
            labels = {name: value for name, value in one.labels.items() if name != STATE}
            found.append(RawSeries({**labels, "__name__": "ALERTS", "alertstate": state}, one.times_ms, one.values))
    return tuple(found)


def alert_state(grafana_state: str) -> str | None:
    """`pending` or `firing`; None for a state that is neither."""
    if grafana_state == "pending":
        return "pending"
    return "firing" if grafana_state in FIRING else None


def unknowing(series: Iterable[RawSeries], from_ms: int, to_ms: int) -> str | None:
    """The first state in a window in which Grafana did not know: `nodata` or `error`; None where it always knew."""
    found = []
    for one in series:
        inside = one.times_ms[(one.times_ms > from_ms) & (one.times_ms <= to_ms)]
        if len(inside) and one.labels.get(STATE) in UNKNOWING:
            found.append((int(inside.min()), one.labels[STATE]))
    return min(found)[1] if found else None
