"""What a user's Prometheus says of itself: settings, loaded rules, and how far back it holds samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from alertdrill.adapters.prometheus_answers import duration_s, matrix
from alertdrill.adapters.prometheus_api import PrometheusApi, QueryFailed
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.history.gaps import Interval, outages
from alertdrill.core.observations import EngineSettings, RawSeries, RuleGroup

MAJORS = ("2", "3")
MOST_POINTS = 10_000
USUAL = EngineSettings(60.0, 60.0, {}, ())
LOOKBACK_S = 300.0
CLOSED = ("refused", "not_prometheus", "unavailable", "unauthorized")
"""Kinds of failures that a server gives which shows samples but not itself, such as one that stands for several."""


@dataclass(frozen=True)
class Told:
    """What it says of itself; durations in the unit of their names.

    Attributes:
        external_labels: that it adds to what it sends; None: not known.
        notes: what it would not say, and what is assumed instead.
    """

    version: str
    evaluation_interval_s: float
    lookback_ms: int
    external_labels: Mapping[str, str] | None
    groups: tuple[RuleGroup, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """How much of a stretch of time it holds.

    Attributes:
        from_ms: the first instant with `up`; None: there is some all along, or none at all, so that nobody knows.
        outages: when it had none for a while.
        nothing: whether it has `up` at another time and none in all the stretch.
        retention: as it states it.
    """

    from_ms: int | None
    outages: tuple[Interval, ...]
    nothing: bool
    retention: str


async def told_by(api: PrometheusApi) -> Told:
    """Its settings and rules.

    Raises:
        QueryFailed: it does not answer.
        BadInput: its rules are not those of a Prometheus 2 or 3.
    """
    version = await api.build_version()
    if version.partition(".")[0] not in MAJORS:
        fix = "name the Prometheus that evaluates the rules"
        raise BadInput([Mistake("--prometheus", version, "a Prometheus 2.x or 3.x", fix)])
    notes: list[str] = []
    settings, flags, groups = USUAL, dict[str, str](), list[RuleGroup]()
    external: Mapping[str, str] | None = None
    try:
        settings, flags, groups = await api.settings(), await api.flags(), await api.rules()
        external = settings.external_labels
    except QueryFailed as error:
        if error.kind not in CLOSED:
            raise
        notes.append(
            f"it does not show {error.query}: groups without an interval are taken to be evaluated every "
            f"{settings.evaluation_interval_s:g} s, and when is assumed"
        )
    lookback_s = duration_s(flags["query.lookback-delta"]) if "query.lookback-delta" in flags else LOOKBACK_S
    return Told(
        version,
        settings.evaluation_interval_s,
        round(lookback_s * 1000),
        external,
        tuple(groups),
        tuple(notes),
    )


async def held_of(api: PrometheusApi, from_ms: int, to_ms: int, lookback_ms: int) -> Held:
    """When it scraped anything at all, asked for in steps of five minutes, or longer over more than a month.

    Args:
        api: the way to it.
        from_ms: where the stretch begins.
        to_ms: where it ends.
        lookback_ms: how long it takes a sample for current.
    """
    begin_ms, step_ms = _steps(from_ms, to_ms)
    present = await _with_up(api, begin_ms, to_ms, step_ms)
    if not len(present):
        nothing = await api.read("/api/v1/label/__name__/values?match[]=up", bool)
        return Held(None, (), nothing, await _retention(api) if nothing else "")
    first = int(present[0])
    out = outages(present, step_ms, first, to_ms, lookback_ms)
    if first == begin_ms:
        return Held(None, out, False, "")
    closer = await _with_up(api, first - step_ms, first, max(1000, step_ms // MOST_POINTS))
    return Held(int(closer[0]) if len(closer) else first, out, False, "")


async def targets_with(api: PrometheusApi, metric: str, from_ms: int, to_ms: int) -> list[RawSeries]:
    """When it had samples of a metric, in the steps of `held_of`, by job and instance; none where it will not say.

    Raises:
        QueryFailed: it cannot be reached.
    """
    begin_ms, step_ms = _steps(from_ms, to_ms)
    try:
        return await _over(api, f"count by (job, instance) ({metric})", begin_ms, to_ms, step_ms)
    except QueryFailed as error:
        if error.kind in ("unreachable", "untrusted"):
            raise
        return []


def _steps(from_ms: int, to_ms: int) -> tuple[int, int]:
    """Where steps to the end of a stretch begin, and how long they are, ms."""
    step_ms = max(300_000, -(-(to_ms - from_ms) // MOST_POINTS // 1000) * 1000)
    return to_ms - (to_ms - from_ms) // step_ms * step_ms, step_ms


async def _with_up(api: PrometheusApi, from_ms: int, to_ms: int, step_ms: int) -> NDArray[np.int64]:
    """The instants, shape (n,), at which it had samples of `up`, of those from one to another in steps."""
    found = await _over(api, "count(up)", from_ms, to_ms, step_ms)
    return found[0].times_ms if found else np.empty(0, dtype=np.int64)


async def _over(api: PrometheusApi, query: str, from_ms: int, to_ms: int, step_ms: int) -> list[RawSeries]:
    asked = {"query": query, "start": from_ms / 1000, "end": to_ms / 1000, "step": step_ms / 1000}
    return await api.read(f"/api/v1/query_range?{urlencode(asked)}", lambda data: matrix(data["result"]))


async def _retention(api: PrometheusApi) -> str:
    def read(data: Mapping[str, Any]) -> str:
        return str(data.get("storageRetention") or "unknown")

    try:
        return await api.read("/api/v1/status/runtimeinfo", read)
    except QueryFailed:
        return "unknown"
