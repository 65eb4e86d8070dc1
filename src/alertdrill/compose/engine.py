"""The Prometheus of a drill: started for it, or the user's own, read and never changed."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from alertdrill.adapters.access import Access
from alertdrill.adapters.alert_receiver import AlertReceiver
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.prometheus_process import ManagedPrometheus, start_prometheus
from alertdrill.compose.notification import Notification
from alertdrill.compose.options import rule_files
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.observations import AlertPost, RuleGroup
from alertdrill.core.promql import selectors as selectors_of
from alertdrill.core.scenario import Scenario, UserPrometheus
from alertdrill.core.scope import RuleBook
from alertdrill.core.scrape_intervals import UNKNOWN, ScrapeIntervals, scoped, scraped, slowest_s, with_intervals

STOP_S = 1.0


@dataclass(frozen=True)
class Engine:
    """A Prometheus that answers, and what it said of itself.

    Attributes:
        groups: the loaded rules.
        scrape_s: scrape interval; of the user's own, the slowest of the targets that rules in scope read.
        evaluation_s: evaluation interval; of the user's own, the slowest of the groups of rules in scope.
        managed: the process, where it is ours.
        intervals: how often what rules in scope read is scraped, of the user's own.
    """

    api: PrometheusApi
    groups: Sequence[RuleGroup]
    scrape_s: float
    evaluation_s: float
    version: str
    managed: ManagedPrometheus | None = None
    intervals: ScrapeIntervals = UNKNOWN

    def alive(self) -> bool:
        """Whether its process is not known to be dead."""
        return self.managed is None or self.managed.alive()

    def scrape(self, job: str, url: str) -> None:
        """Scrape a process of ours; a foreign Prometheus is left as it is."""
        if self.managed is not None:
            self.managed.set_targets(job, [url.removeprefix("http://")])


async def read_engine(api: PrometheusApi, managed: ManagedPrometheus | None = None) -> Engine:
    """Read rules, intervals and version.

    Raises:
        BadInput: it does not answer as a Prometheus does.
    """
    try:
        version, groups, settings = await api.build_version(), await api.rules(), await api.settings()
    except QueryFailed as error:
        mistake = Mistake("monitoring.prometheus", error.what, "a Prometheus that answers", error.fix, file=error.url)
        raise BadInput([mistake]) from error
    return Engine(api, groups, settings.scrape_interval_s, settings.evaluation_interval_s, version, managed)


async def read_own_engine(scenario: Scenario, api: PrometheusApi) -> Engine:
    """Read the user's own, and how often it scrapes and evaluates what the drill is about.

    Raises:
        BadInput: it does not answer as a Prometheus does.
    """
    engine = await read_engine(api)
    book = RuleBook.of(engine.groups)
    rules = scoped(scenario, book)
    try:
        intervals = await _ask_intervals(api, scraped(book, rules))
    except QueryFailed as error:
        expected = "a Prometheus that says how often it scrapes"
        raise BadInput([Mistake("monitoring.prometheus", error.what, expected, error.fix, file=error.url)]) from error
    groups = with_intervals(engine.groups, intervals)
    known = scoped(scenario, RuleBook.of(groups))
    usual_ms = round(engine.scrape_s * 1000)
    return replace(
        engine,
        groups=groups,
        intervals=intervals,
        scrape_s=max((rule.scrape_ms(usual_ms) for rule in known), default=usual_ms) / 1000,
        evaluation_s=max((rule.group.interval_s for rule in known), default=engine.evaluation_s),
    )


async def _ask_intervals(api: PrometheusApi, selectors: Sequence[str]) -> ScrapeIntervals:
    targets = await api.targets()
    found: dict[str, float] = {}
    for text in selectors:
        series = await api.instant(f"count by (job, instance) ({text})")
        slowest = slowest_s([labels for labels, _ in series], selectors_of(text)[0], targets)
        if slowest is not None:
            found[text] = slowest
    return ScrapeIntervals(found)


def access_of(scenario: Scenario, path: Path) -> Access:
    """The way to the user's own Prometheus.

    Raises:
        BadInput: a secret or a file of certificates cannot be read.
    """
    prometheus = scenario.monitoring.prometheus
    assert isinstance(prometheus, UserPrometheus), "only that of the user's own is reached by what a scenario says"
    return Access.of(prometheus, ("monitoring", "prometheus"), path)


async def open_engine(
    scenario: Scenario,
    path: Path,
    prometheus: Path | None,
    jobs: Sequence[str],
    on_post: Callable[[AlertPost], None],
    notification: Notification,
    stack: AsyncExitStack,
) -> Engine:
    """Start the managed Prometheus, or reach the user's own; closed with `stack`.

    Args:
        scenario: the drill.
        path: its file.
        prometheus: program of the managed one; None for the user's own.
        jobs: scrape jobs whose targets are set once they run.
        on_post: takes the alert posts of the managed one.
        notification: the Alertmanager that the managed one posts to as well.
        stack: what closes it.

    Raises:
        BadInput: it does not answer as a Prometheus does.
        PrometheusFailed: the managed one did not start.
    """
    monitoring = scenario.monitoring
    if isinstance(monitoring.prometheus, UserPrometheus) or prometheus is None:
        return await read_own_engine(
            scenario, await stack.enter_async_context(PrometheusApi(access_of(scenario, path)))
        )
    receiver = await stack.enter_async_context(AlertReceiver(on_post))
    further = [ScrapeJob.from_url(job.job, job.url, job.labels) for job in monitoring.scrape]
    managed = await start_prometheus(
        prometheus,
        jobs=[*(ScrapeJob(job) for job in jobs), *further],
        rule_files=rule_files(scenario, path),
        scrape_interval_s=monitoring.scrape_interval,
        evaluation_interval_s=monitoring.evaluation_interval,
        alertmanagers=[receiver.address, *notification.addresses],
        external_labels=notification.labels,
    )
    stack.push_async_callback(managed.stop, STOP_S)
    return await read_engine(await stack.enter_async_context(PrometheusApi(managed.url)), managed)
