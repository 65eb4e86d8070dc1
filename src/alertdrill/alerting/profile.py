"""The two profiles: how far back rules look and how long a condition must hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

ProfileName = Literal["drill", "production"]


@dataclass(frozen=True)
class Profile:
    """Windows and waits, as Prometheus writes durations. What differs between the two profiles, and nothing else.

    Attributes:
        name: of the profile.
        about: comment at the head of the rule file.
        ratio: window of the shares of nulls and of malformed requests.
        traffic: window of the request rate.
        latency: long and short window of the latency quantile: the long one remembers, the short one forgets a stall.
        distribution: window of what is recorded of a feature's distribution.
        feedback: window in which labels must arrive while predictions are given.
        null_wait, malformed_wait, latency_wait, error_wait, traffic_wait, model_wait, monitor_wait, feedback_wait,
            quality_wait, warning_wait: `for` of the alerts on these.
        drift_hold: `keep_firing_for` of the alert on drift, whose evidence starts anew once it falls.
        least: occurrences in a window below which a share of it says nothing; 0: none are asked for.
        least_requests: requests in the long window below which its latency quantile says nothing; 0: none.
        days: whether there are rules for who lives with a model, not for a drill of minutes: error budgets, drift of
            all features together, doubts about drift alarms, the monitor's own failures.
    """

    name: ProfileName
    about: str
    ratio: str
    traffic: str
    latency: tuple[str, str]
    distribution: str
    feedback: str
    null_wait: str
    malformed_wait: str
    latency_wait: str
    error_wait: str
    traffic_wait: str
    model_wait: str
    monitor_wait: str
    feedback_wait: str
    quality_wait: str
    warning_wait: str
    drift_hold: str
    least: int
    least_requests: int
    days: bool


DRILL = Profile(
    name="drill",
    about=(
        "Alerts on a model behind the reference monitor, drill profile: windows of seconds, scrapes and evaluations "
        "1 s apart. One group, recordings first: every alert judges what was recorded at its own evaluation. Jobs: "
        "`monitor`, `model`."
    ),
    ratio="5s",
    traffic="5s",
    latency=("10s", "4s"),
    distribution="5s",
    feedback="30s",
    null_wait="2s",
    malformed_wait="2s",
    latency_wait="3s",
    error_wait="3s",
    traffic_wait="5s",
    model_wait="2s",
    monitor_wait="2s",
    feedback_wait="5s",
    quality_wait="3s",
    warning_wait="2s",
    drift_hold="",
    least=0,
    least_requests=0,
    days=False,
)

PRODUCTION = Profile(
    name="production",
    about=(
        "Alerts on a model behind the reference monitor, production profile: windows of minutes to days, scrapes "
        "15 s and evaluations 30 s apart, or about that. In each group recordings come first: every alert judges "
        "what was recorded at its own evaluation. Jobs: `monitor`, `model`."
    ),
    ratio="30m",
    traffic="10m",
    latency=("30m", "5m"),
    distribution="6h",
    feedback="1d",
    null_wait="10m",
    malformed_wait="10m",
    latency_wait="5m",
    error_wait="",
    traffic_wait="5m",
    model_wait="1m",
    monitor_wait="5m",
    feedback_wait="1h",
    quality_wait="30m",
    warning_wait="1h",
    drift_hold="15m",
    least=20,
    least_requests=100,
    days=True,
)

PROFILES: Mapping[ProfileName, Profile] = MappingProxyType({profile.name: profile for profile in (DRILL, PRODUCTION)})
