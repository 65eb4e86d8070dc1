"""Which drills would disturb one another if they ran at the same time."""

from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from alertdrill.core.scenario import Scenario, UrlTarget, UserPrometheus
from alertdrill.core.scenario.notification import UserAlertmanager

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def shared(scenarios: Iterable[Scenario]) -> tuple[str, ...]:
    """What more than one of them needs for itself, in words: a running model, a Prometheus or an Alertmanager.

    The faults of one drill at a model that another one watches are not that one's; neither are alerts in a Prometheus.
    """
    counts = Counter(what for one in scenarios for what in set(_needs(one)))
    return tuple(what for what, count in counts.items() if count > 1)


def _needs(scenario: Scenario) -> Iterator[str]:
    target, monitoring = scenario.target, scenario.monitoring
    if isinstance(target, UrlTarget):
        yield f"the model at {_address(target.url)}"
    if isinstance(monitoring.prometheus, UserPrometheus):
        for url in (monitoring.prometheus.url, *monitoring.prometheus.replicas):
            yield f"the Prometheus at {_address(url)}"
    if isinstance(monitoring.alertmanager, UserAlertmanager):
        yield f"the Alertmanager at {_address(monitoring.alertmanager.url)}"


def _address(url: str) -> str:
    """Host and port, all names of this machine taken for one."""
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname in _LOOPBACK else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
