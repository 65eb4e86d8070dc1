"""What a drill can do at most: whom it loads and breaks, how much, for how long, and what it never touches."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.faults.base import Unit
from alertdrill.core.plan import Plan
from alertdrill.core.scenario import UrlTarget, UserAlertmanager, UserPrometheus
from alertdrill.core.scenario.target import is_loopback
from alertdrill.core.touch import Touch

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

THIS_MACHINE = "127.0.0.1"


class BlastRadius(BaseModel):
    """The most that a drill can do."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    host: str = Field(description="the only host that is loaded and broken")
    why_allowed: str = Field(description="why it may be")
    requests: int = Field(description="requests sent at most, if every gate takes as long as it may")
    warmup: int = Field(description="answers that load.warmup waits for before, one request at a time")
    busiest_rate_per_s: float = Field(description="requests in the busiest second of the plan")
    limit_rate_per_s: float = Field(description="limits.max_rate, which the planned rate never exceeds")
    touched: Mapping[Unit, int] = Field(description="requests that faults touch, by unit; each once a unit")
    starts: tuple[str, ...] = Field(description="processes started for the drill, all of them ended with it")
    longest_s: float = Field(description="how long it can last at most, its start left out, seconds")
    lease_s: float = Field(description="load and faults end this long after the controller is silent, seconds")
    never: tuple[str, ...] = Field(description="what is never changed")


def blast_radius(plan: Plan, touch: Touch, starts: Sequence[str]) -> BlastRadius:
    """What a plan can do at most.

    Args:
        plan: the plan.
        touch: which requests its injections touch.
        starts: names of the processes that are started.
    """
    schedules = [touch.schedule(segment.k) for segment in plan.segments]
    host, why_allowed = _host(plan)
    return BlastRadius(
        host=host,
        why_allowed=why_allowed,
        requests=sum(int(one.sent.sum()) for one in schedules),
        warmup=plan.scenario.load.warmup.requests if plan.scenario.load.warmup else 0,
        busiest_rate_per_s=max(busiest_per_s(one.at[one.sent]) for one in schedules),
        limit_rate_per_s=plan.scenario.limits.max_rate,
        touched=_touched(plan, touch),
        starts=tuple(starts),
        longest_s=sum(segment.duration_s for segment in plan.segments),
        lease_s=plan.scenario.limits.lease,
        never=_never(plan, host),
    )


def _host(plan: Plan) -> tuple[str, str]:
    target = plan.scenario.target
    if not isinstance(target, UrlTarget):
        return THIS_MACHINE, "this machine, a model started for the drill"
    host = urlsplit(target.url).hostname or ""
    return host, "this machine" if is_loopback(host) else "named in target.allow_hosts"


def busiest_per_s(at: Floats, window_s: float = 1.0) -> float:
    """The most arrivals in any `window_s`, per second; `at`: shape (n,), seconds, ascending."""
    if not len(at):
        return 0.0
    counts = np.arange(1, len(at) + 1) - np.searchsorted(at, at - window_s + 1e-9, side="right")
    return float(counts.max()) / window_s


def _touched(plan: Plan, touch: Touch) -> dict[Unit, int]:
    counts: dict[Unit, int] = {}
    for segment in plan.segments:
        masks: dict[Unit, Mask] = {}
        for one in plan.segment_injections(segment.k):
            mask = touch.mask(one, 0, segment.count)
            masks[one.unit] = masks[one.unit] | mask if one.unit in masks else mask
        for unit, mask in masks.items():
            counts[unit] = counts.get(unit, 0) + int(mask.sum())
    return counts


def _never(plan: Plan, host: str) -> tuple[str, ...]:
    prometheus = plan.scenario.monitoring.prometheus
    own = (prometheus.url, *prometheus.replicas) if isinstance(prometheus, UserPrometheus) else ()
    mine = tuple(f"your Prometheus at {url}: read only" for url in own)
    jobs = tuple(f"{job.url}: scraped only" for job in plan.scenario.monitoring.scrape)
    return (*mine, *_alertmanager(plan), *jobs, f"any host but {host}")


def _alertmanager(plan: Plan) -> tuple[str, ...]:
    monitoring = plan.scenario.monitoring
    if not isinstance(monitoring.alertmanager, UserAlertmanager):
        return ()
    but = ", but for one silence of the drill" if monitoring.notify == "silenced" else ""
    posts = ", and the alerts of the drill" if monitoring.prometheus == "managed" else ""
    return (f"your Alertmanager at {monitoring.alertmanager.url}: read only{but}{posts}",)
