"""What is known of the model's quality right now, and the metrics of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.truth.proportions import Estimate
from alertdrill.monitor.truth.quality import Quality
from alertdrill.monitor.truth.window import KpiValue, Proxy
from alertdrill.protocols.figures import ProxyMetric


class State(StrEnum):
    """Whether the quality is known, and why not. These are all the values of the label `state`; exactly one is 1."""

    KNOWN = "known"
    TOO_FEW = "too_few"  # labels came, fewer than the least
    NO_LABELS = "no_labels"  # there were predictions, and no label came
    NO_PREDICTIONS = "no_predictions"  # nor any label
    UNKNOWN = "unknown"  # the store cannot be read


@dataclass(frozen=True)
class Window:
    """One window and version.

    Attributes:
        name: of the window, as the option has it: `1d`.
        version: of the model.
        labels: predictions whose label came within it, of those that are looked at.
        least: labels below which no quality is given.
        quality: the figures; empty below `least`.
        proxy: what is known without labels.
    """

    name: str
    version: str
    labels: int
    least: int
    quality: Quality
    proxy: Proxy

    @property
    def state(self) -> State:
        """What can be said."""
        if self.labels >= self.least:
            return State.KNOWN
        if self.labels or self.proxy.labelled:  # which are not among the newest that are looked at
            return State.TOO_FEW
        return State.NO_LABELS if self.proxy.predictions else State.NO_PREDICTIONS


@dataclass(frozen=True)
class Report:
    """Everything that was measured at one time.

    Attributes:
        at: seconds since 1970.
        windows: by window and version.
        kpis: by name of the window.
    """

    at: float
    windows: Sequence[Window]
    kpis: Mapping[str, Sequence[KpiValue]]


def nothing_known(names: Sequence[str], version: str, at: float) -> Report:
    """What can be said without a store."""
    return Report(at, [Window(name, version, 0, 1, {}, Proxy()) for name in names], {})


def render(report: Report, labels: Mapping[str, str], known: bool) -> Iterator[str]:
    """The lines of these metrics; `known` false: the store cannot be read, so that only that is said."""
    windows = [(window, {**labels, "version": window.version, "window": window.name}) for window in report.windows]
    yield header("model_quality_state", "gauge", "Whether the quality is known (1 for the state that holds).")
    for window, named in windows:
        holds = window.state if known else State.UNKNOWN
        states = [key("model_quality_state", {**named, "state": state.value}) for state in State]
        yield from lines(states, [float(state is holds) for state in State])
    if not known:
        return
    yield header("model_quality_labels", "gauge", "Predictions of the window whose label came.")
    yield from lines([key("model_quality_labels", n) for _, n in windows], [window.labels for window, _ in windows])
    quality = [({**n, "metric": metric.value}, e) for window, n in windows for metric, e in window.quality.items()]
    yield from _estimates("model_quality", "Quality by labels; absent while it is unknown.", quality)
    yield from _estimates("model_proxy_quality", "What is known before labels come.", list(_proxies(windows)))
    yield header("model_business_kpi", "gauge", "A figure of the business over the window.")
    for window_name, kpis in report.kpis.items():
        keys = [{**labels, "version": kpi.version, "kpi": kpi.name, "window": window_name} for kpi in kpis]
        yield from lines([key("model_business_kpi", pairs) for pairs in keys], [kpi.value for kpi in kpis])
    yield header("model_quality_updated_timestamp_seconds", "gauge", "When the quality was last worked out.")
    yield from lines([key("model_quality_updated_timestamp_seconds", labels)], [report.at])


def _proxies(windows: Sequence[tuple[Window, Mapping[str, str]]]) -> Iterator[tuple[dict[str, str], Estimate]]:
    for window, named in windows:
        if window.proxy.positive is not None:
            yield {**named, "metric": ProxyMetric.POSITIVE_RATE.value}, window.proxy.positive
        if window.proxy.clicks is not None:
            yield {**named, "metric": ProxyMetric.CLICK_THROUGH.value}, window.proxy.clicks


def _estimates(name: str, text: str, of: Sequence[tuple[Mapping[str, str], Estimate]]) -> Iterator[str]:
    for suffix, about, at in (("", text, 0), ("_low", "Lower bound at 95%.", 1), ("_high", "Upper bound at 95%.", 2)):
        yield header(f"{name}{suffix}", "gauge", about)
        yield from lines([key(f"{name}{suffix}", labels) for labels, _ in of], [estimate[at] for _, estimate in of])
