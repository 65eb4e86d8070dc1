"""The alert source port over the HTTP interface of a Prometheus."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.core.observations import ClockReading, EngineKind, Labels, RawSeries, RuleGroup, SelfMetrics
from alertdrill.run.ports import ActiveAlert, SourceFailed

T = TypeVar("T")


class PrometheusSource:
    """Asks a Prometheus; a failed question is a SourceFailed, never an empty answer."""

    def __init__(self, api: PrometheusApi, alive: Callable[[], bool]) -> None:
        self._api = api
        self._alive = alive

    def alive(self) -> bool:
        """Whether the engine's process is not known to be dead."""
        return self._alive()

    async def active(self) -> Sequence[ActiveAlert]:
        """Alerts that are pending or firing now."""
        found = []
        for labels, _ in await self.instant("ALERTS"):
            bare = {k: v for k, v in labels.items() if k not in ("__name__", "alertstate")}
            found.append(ActiveAlert(bare, "firing" if labels.get("alertstate") == "firing" else "pending"))
        return found

    async def instant(self, query: str, at: float | None = None) -> Sequence[tuple[Labels, float]]:
        """The answer to an instant query."""
        return await asked(self._api.instant(query, at))

    async def raw(self, selector: str, from_s: float, to_s: float) -> Sequence[RawSeries]:
        """Raw samples of a selector between two instants."""
        return await asked(self._api.between(selector, from_s, to_s))

    async def rules(self) -> Sequence[RuleGroup]:
        """The loaded rule groups."""
        return await asked(self._api.rules())

    async def clock(self) -> ClockReading:
        """The engine's clock against ours."""
        return await asked(self._api.clock())

    def precision(self) -> Mapping[EngineKind, float]:
        """How far off the instants of alerts may be: its samples have them exactly."""
        return {"prometheus": 0.0}

    async def of_itself(self) -> SelfMetrics:
        """What the engine counts about itself."""
        return await asked(self._api.self_metrics())


async def asked(question: Awaitable[T]) -> T:
    """An answer.

    Raises:
        SourceFailed: there is none that can be used.
    """
    try:
        return await question
    except QueryFailed as error:
        raise SourceFailed(f"{error.url}: {error.query}: {error.what}") from error
