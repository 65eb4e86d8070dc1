"""What must agree between the parts of a scenario that say whom alerts reach."""

from collections.abc import Iterator

from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.outline import MonitoringOutline, Outline


def notification_checks(outline: Outline) -> Iterator[Finding]:
    """Every disagreement about Alertmanager, receivers and what becomes of people."""
    monitoring = outline.monitoring
    if monitoring is None:
        return
    own_prometheus = isinstance(monitoring.prometheus, dict)
    own = isinstance(monitoring.alertmanager, dict) and "url" in monitoring.alertmanager
    routes = monitoring.alertmanager != "none"
    if own_prometheus and routes and not own:
        expected = "your own Alertmanager beside your own Prometheus, which posts to no other"
        fix = "write {url: …} of the one that it posts to, or prometheus: managed"
        yield Finding(("monitoring", "alertmanager"), expected, fix)
    if not own and "notify" in monitoring.model_fields_set:
        yield from _nobody_to_spare(monitoring.notify, own_prometheus)
    if own and monitoring.prometheus == "managed":
        for key in ("headers", "tenant"):
            if key in monitoring.alertmanager:
                expected = "a login by bearer_token, basic_auth or tls, as a managed Prometheus sends no other headers"
                fix = f"remove {key}, or drill with the Prometheus that posts there: prometheus: {{url: …}}"
                yield Finding(("monitoring", "alertmanager", key), expected, fix, key, at_key=True, hidden=True)
    yield from _receivers(outline, monitoring, routes)


def _nobody_to_spare(notify: object, own_prometheus: bool) -> Iterator[Finding]:
    """`notify` without an Alertmanager that it could be said to."""
    if own_prometheus and notify == "live":
        return
    expected, fix = "an Alertmanager of your own, as no other notifies people", "remove it"
    if own_prometheus:
        expected = "the Alertmanager that your Prometheus posts to, as silences and routes are there"
        fix = "add alertmanager: {url: …} beside it, or write notify: live"
    yield Finding(("monitoring", "notify"), expected, fix, at_key=True, got="notify alone")


def _receivers(outline: Outline, monitoring: MonitoringOutline, routes: bool) -> Iterator[Finding]:
    """Receivers that nobody routes to, or that alerts are routed away from."""
    rerouted = monitoring.notify.get("rerouted") if isinstance(monitoring.notify, dict) else None
    only = rerouted.get("receiver") if isinstance(rerouted, dict) else None
    for position, phase in enumerate(outline.phases or ()):
        for number, expectation in enumerate((phase.expect if phase else None) or ()):
            receiver = expectation.notifies.get("receiver") if expectation and expectation.notifies else None
            path = ("phases", position, "expect", number, "notifies", "receiver")
            if receiver is not None and not routes:
                expected = "an Alertmanager that routes to it, as Prometheus alone knows no receivers"
                fix = "add monitoring: {alertmanager: managed}, or remove receiver"
                yield Finding(path, expected, fix, at_key=True, got="receiver")
            elif receiver is not None and isinstance(only, str) and receiver != only:
                expected = f"{only}, the only receiver that alerts of the drill reach (monitoring.notify.rerouted)"
                yield Finding(path, expected, f"write {only}, or notify: live")
