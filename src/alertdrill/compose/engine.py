"""The Prometheus of a drill: started for it, or the user's own, read and never changed."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
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
from alertdrill.core.scenario import Scenario, UserPrometheus

STOP_S = 1.0


@dataclass(frozen=True)
class Engine:
    """A Prometheus that answers, and what it said of itself.

    Attributes:
        managed: the process, where it is ours.
    """

    api: PrometheusApi
    groups: Sequence[RuleGroup]
    scrape_s: float
    evaluation_s: float
    version: str
    managed: ManagedPrometheus | None = None

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
        return await read_engine(await stack.enter_async_context(PrometheusApi(access_of(scenario, path))))
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
