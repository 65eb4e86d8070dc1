"""The traffic of others on the target, asked before a drill sends anything."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.core.scenario import Scenario, UrlTarget

if TYPE_CHECKING:  # its HTTP client is nothing that a plan without one needs
    from alertdrill.adapters.prometheus_api import PrometheusApi


@dataclass(frozen=True)
class Background:
    """The traffic of others on the target.

    Attributes:
        per_s: requests a second; None where nobody knows.
        note: what is to be said about it.
    """

    per_s: float | None = None
    note: str | None = None


async def ask_background(scenario: Scenario, api: "PrometheusApi") -> Background:
    """What others send to the target, before a drill sends anything; a failed query is no answer, and is said."""
    query = scenario.target.traffic_query if isinstance(scenario.target, UrlTarget) else None
    if query is None:
        return Background()
    try:
        values = [value for _, value in await api.instant(query)]
    except QueryFailed as error:
        return Background(note=f"traffic of others not known: target.traffic_query failed: {error.what}")
    if not values:
        return Background(note="traffic of others not known: target.traffic_query has an empty answer")
    per_s = math.fsum(values)
    if not math.isfinite(per_s) or per_s < 0:
        return Background(note=f"traffic of others not known: target.traffic_query answers {per_s:g}")
    return Background(per_s, f"others send {per_s:.4g} requests a second to the target (target.traffic_query)")
