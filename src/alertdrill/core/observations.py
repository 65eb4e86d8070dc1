"""What a Prometheus told us, as typed facts: rules, targets, raw samples, posts of alerts and the clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Labels = Mapping[str, str]
EngineKind = Literal["prometheus", "vmalert", "grafana"]


@dataclass(frozen=True)
class RuleInfo:
    """One rule as the engine has loaded it.

    `query` is the expression in the engine's own formatting. `for_s` and `keep_firing_for_s` are seconds (0 for
    recording rules). `health` is `ok`, `err`, `unknown` (not yet evaluated) or, of Grafana's rules, `nodata` (what it
    reads had no answer); `last_error` is empty when healthy.
    `scrape_s` is how often the slowest of the targets that it reads is scraped; None where that is not known, so that
    the engine's scrape interval stands for it.
    """

    name: str
    type: Literal["alerting", "recording"]
    query: str
    for_s: float
    keep_firing_for_s: float
    labels: Labels
    annotations: Labels
    health: str
    last_error: str
    scrape_s: float | None = None


@dataclass(frozen=True)
class RuleGroup:
    """Rules that the engine evaluates together, every `interval_s` seconds.

    `last_evaluation` is Unix time in seconds, or None before the first evaluation. `engine` is what evaluates them, and
    `lag_s` how much later than in a Prometheus what was scraped can show in their alerts.
    """

    file: str
    name: str
    interval_s: float
    last_evaluation: float | None
    rules: tuple[RuleInfo, ...]
    engine: EngineKind = "prometheus"
    lag_s: float = 0.0


@dataclass(frozen=True)
class TargetInfo:
    """One address that the engine scrapes; `last_scrape` is Unix time in seconds, None before the first scrape."""

    job: str
    instance: str
    url: str
    labels: Labels
    health: str
    last_error: str
    last_scrape: float | None
    interval_s: float
    timeout_s: float


@dataclass(frozen=True)
class EngineSettings:
    """The settings of an engine that decide when things happen. Intervals are seconds."""

    scrape_interval_s: float
    evaluation_interval_s: float
    external_labels: Labels
    rule_files: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RawSeries:
    """Stored samples of one series, in order of time.

    `times_ms` (int64, Unix milliseconds) and `values` (float64) have the same length. Staleness markers are not
    among them: the engine's HTTP interface leaves them out.
    """

    labels: Labels
    times_ms: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class SelfMetrics:
    """What the engine counts about itself; a counter that it does not export is absent from its mapping, or None.

    `evaluation_failures` and `missed_iterations` are per rule group, under the engine's own key `file;group`.
    """

    process_start: float | None
    last_reload_succeeded: bool | None
    evaluation_failures: Mapping[str, float]
    missed_iterations: Mapping[str, float]
    notifications_dropped: float | None


@dataclass(frozen=True)
class ClockReading:
    """How far the engine's clock is ahead of ours: `offset_s`, true within plus or minus `error_s` seconds."""

    offset_s: float
    error_s: float


@dataclass(frozen=True)
class ClockBracket:
    """One reading of the engine's clock (`engine_s`, cut to whole milliseconds) between two readings of ours."""

    before_s: float
    engine_s: float
    after_s: float


@dataclass(frozen=True)
class PostedAlert:
    """One alert in a post of the engine's; times are Unix milliseconds.

    The engine gives a firing alert an end in the future, and a resolved one the instant at which it resolved.
    """

    labels: Labels
    annotations: Labels
    starts_at_ms: int
    ends_at_ms: int | None
    status: Literal["firing", "resolved"]


@dataclass(frozen=True)
class AlertPost:
    """One post of alerts, received whole at `received_at` (Unix seconds of our clock)."""

    received_at: float
    alerts: tuple[PostedAlert, ...]


ENGINE_CLOCK_STEP_S = 0.001


def read_clock(brackets: Iterable[ClockBracket], step_s: float = ENGINE_CLOCK_STEP_S) -> ClockReading:
    """Combine readings of two clocks into the offset that all of them allow.

    A reading `e` (cut, so the true instant is in [e, e + step)) between `b` and `a` bounds the offset to
    [e − a, e + step − b]. The answer is the middle and half width of what all readings allow; when a clock stepped
    between readings and they contradict each other, those of the narrowest one alone.

    Args:
        brackets: at least one reading.
        step_s: to what the engine's clock is cut, s.

    Raises:
        ValueError: there is none.
    """
    bounds = [(b.engine_s - b.after_s, b.engine_s + step_s - b.before_s) for b in brackets]
    if not bounds:
        raise ValueError("reading a clock needs at least one bracket")
    low, high = max(low for low, _ in bounds), min(high for _, high in bounds)
    if low > high:
        low, high = min(bounds, key=lambda bound: bound[1] - bound[0])
    return ClockReading(offset_s=(low + high) / 2, error_s=(high - low) / 2)
