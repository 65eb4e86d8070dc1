"""The Prometheus of a drill: started for it, or the user's own, read and never changed."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from alertdrill.adapters.access import Access
from alertdrill.adapters.alert_receiver import AlertReceiver
from alertdrill.adapters.alert_source import PrometheusSource
from alertdrill.adapters.prometheus_answers import duration_s
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.prometheus_process import ManagedPrometheus, start_prometheus
from alertdrill.compose.evaluator import NOWHERE, Evaluator, Ways, evaluator_of, ways_of
from alertdrill.compose.notification import Notification
from alertdrill.compose.options import rule_files
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.journal import Replicas
from alertdrill.core.observations import AlertPost, RuleGroup, TargetInfo
from alertdrill.core.promql import selectors as selectors_of
from alertdrill.core.scenario import Scenario, UserPrometheus
from alertdrill.core.scope import RuleBook
from alertdrill.core.scrape_intervals import UNKNOWN, ScrapeIntervals, scoped, scraped, slowest_s, with_intervals
from alertdrill.run.ports import AlertSource

STOP_S = 1.0
LOOKBACK_S = 300.0
SAYS_NOT = ("not_prometheus", "refused")
"""How a server answers that does not know what it is asked for."""


@dataclass(frozen=True)
class Engine:
    """A Prometheus that answers, and what it said of itself.

    Attributes:
        groups: the loaded rules.
        scrape_s: scrape interval; of the user's own, the slowest of the targets that rules in scope read.
        evaluation_s: evaluation interval; of the user's own, the slowest of the groups of rules in scope.
        managed: the process, where it is ours.
        intervals: how often what rules in scope read is scraped, of the user's own.
        lookback_s: how long it takes a sample for current that no marker ends.
        external_labels: what it adds to what it sends; None where it does not say.
        evaluator: who evaluates the rules, where that may be another than the Prometheus itself.
        replicas: who watches the same; None where it is alone.
        others: the replicas that are asked beside it, in the order of `replicas`.
    """

    api: PrometheusApi
    groups: Sequence[RuleGroup]
    scrape_s: float
    evaluation_s: float
    version: str
    managed: ManagedPrometheus | None = None
    intervals: ScrapeIntervals = UNKNOWN
    lookback_s: float = LOOKBACK_S
    external_labels: Mapping[str, str] | None = None
    evaluator: Evaluator | None = None
    replicas: Replicas | None = None
    others: tuple["Engine", ...] = ()

    @property
    def each(self) -> tuple["Engine", ...]:
        """It and the others."""
        return (self, *self.others)

    @property
    def names(self) -> tuple[str | None, ...]:
        """Names of them, as journal and recording have them; of one that is asked alone, None."""
        return self.replicas.names if self.replicas is not None and self.replicas.apart else (None,)

    @property
    def all_groups(self) -> tuple[RuleGroup, ...]:
        """The rules that any of them has loaded."""
        return tuple(group for one in self.each for group in one.groups)

    def source(self) -> AlertSource:
        """The alert source port over it."""
        samples = PrometheusSource(self.api, self.alive, self.external_labels)
        return samples if self.evaluator is None else self.evaluator.source(samples, self.api)

    def alive(self) -> bool:
        """Whether its process is not known to be dead."""
        return self.managed is None or self.managed.alive()

    def scrape(self, job: str, url: str) -> None:
        """Scrape a process of ours; a foreign Prometheus is left as it is."""
        if self.managed is not None:
            self.managed.set_targets(job, [url.removeprefix("http://")])


async def read_managed_engine(api: PrometheusApi, managed: ManagedPrometheus) -> Engine:
    """Read rules, intervals and version of ours.

    Raises:
        BadInput: it does not answer as a Prometheus does.
    """
    try:
        version, groups, settings = await api.build_version(), await api.rules(), await api.settings()
    except QueryFailed as error:
        raise _unusable(error) from error
    return Engine(
        api,
        groups,
        settings.scrape_interval_s,
        settings.evaluation_interval_s,
        version,
        managed,
        external_labels=settings.external_labels,
    )


def _unusable(error: QueryFailed) -> BadInput:
    expected = "a Prometheus that answers"
    return BadInput([Mistake("monitoring.prometheus", error.what, expected, error.fix, file=error.url)])


async def open_own_engine(scenario: Scenario, path: Path, stack: AsyncExitStack) -> Engine:
    """Reach the user's own, with all its replicas; closed with `stack`.

    Raises:
        BadInput: one does not answer as a Prometheus does, or what is told of replicas is not so.
    """
    prometheus = _own(scenario)
    access = Access.of(prometheus, ("monitoring", "prometheus"), path)
    evaluators = await ways_of(scenario, path, stack)
    ways = [access, *(access.at(url) for url in prometheus.replicas)]
    engines: list[Engine] = []
    mistakes: list[Mistake] = []
    for way in ways:
        api = await stack.enter_async_context(PrometheusApi(way))
        try:
            engines.append(await read_own_engine(scenario, api, evaluators))
        except BadInput as error:
            mistakes += error.mistakes
    if mistakes:
        raise BadInput(mistakes)
    first, others = engines[0], tuple(engines[1:])
    return replace(
        first,
        scrape_s=max(one.scrape_s for one in engines),
        evaluation_s=max(one.evaluation_s for one in engines),
        replicas=await _replicas(prometheus, first.api),
        others=others,
    )


def _own(scenario: Scenario) -> UserPrometheus:
    prometheus = scenario.monitoring.prometheus
    assert isinstance(prometheus, UserPrometheus), "only the user's own is reached by what a scenario says"
    return prometheus


async def _replicas(prometheus: UserPrometheus, api: PrometheusApi) -> Replicas | None:
    """The replicas that a scenario names; those that one address speaks for are asked of it.

    Raises:
        BadInput: an address that is to hold the series of several does not.
    """
    label = prometheus.replica_label
    if prometheus.replicas:
        return Replicas(at=time.time(), names=(prometheus.url, *prometheus.replicas), label=label, apart=True)
    if label is None:
        return None
    try:
        found = await api.instant(f'count by ({label}) (up{{{label}!=""}})')
    except QueryFailed as error:
        raise _unusable(error) from error
    names = tuple(sorted(labels[label] for labels, _ in found))
    if len(names) < 2:
        got = f"series of {len(names)} replicas" + (f" ({names[0]})" if names else "")
        expected = f"series of several replicas, which differ in {label}"
        fix = "write the label that external_labels of each replica sets, or leave it out and name `replicas`"
        where = "monitoring.prometheus.replica_label"
        raise BadInput([Mistake(where, got, expected, fix, file=api.url)])
    return Replicas(at=time.time(), names=names, label=label, apart=False)


async def read_own_engine(scenario: Scenario, api: PrometheusApi, ways: Ways = NOWHERE) -> Engine:
    """Read one of the user's own, and how often it scrapes and evaluates what the drill is about.

    Args:
        scenario: the drill.
        api: what holds the samples.
        ways: those to what else evaluates rules.

    Raises:
        BadInput: it does not answer as a Prometheus does, or nobody says how often it scrapes.
    """
    try:
        evaluator = await evaluator_of(api, ways)
    except QueryFailed as error:
        raise _unusable(error) from error
    groups = evaluator.groups
    book = RuleBook.of(groups)
    intervals, usual_s = await _how_often(scenario, api, scraped(book, scoped(scenario, book)))
    told = with_intervals(groups, intervals)
    known = scoped(scenario, RuleBook.of(told))
    usual_ms = round(usual_s * 1000)
    return Engine(
        api,
        told,
        max((rule.scrape_ms(usual_ms) for rule in known), default=usual_ms) / 1000,
        max((rule.group.interval_s for rule in known), default=usual_s),
        evaluator.name,
        intervals=intervals,
        lookback_s=await _lookback_s(api),
        external_labels=await _external_labels(api),
        evaluator=evaluator,
    )


async def _lookback_s(api: PrometheusApi) -> float:
    """That of the user's own; where it does not say, what Prometheus has."""
    try:
        return duration_s((await api.flags())["query.lookback-delta"])
    except (QueryFailed, KeyError, ValueError):
        return LOOKBACK_S


async def _external_labels(api: PrometheusApi) -> Mapping[str, str] | None:
    try:
        return (await api.settings()).external_labels
    except QueryFailed:
        return None


async def _how_often(scenario: Scenario, api: PrometheusApi, selectors: Sequence[str]) -> tuple[ScrapeIntervals, float]:
    """Intervals of selectors, and the one that stands for those of which nothing is known.

    Servers in front of several Prometheis, such as Thanos and Mimir, know no targets or no configuration.
    """
    prometheus = scenario.monitoring.prometheus
    written_s = prometheus.scrape_interval if isinstance(prometheus, UserPrometheus) else None
    if written_s is not None:
        return ScrapeIntervals(dict.fromkeys(selectors, written_s)), written_s
    try:
        targets = await api.targets()
        found: dict[str, float] = {}
        for text in selectors:
            series = await api.instant(f"count by (job, instance) ({text})")
            slowest = slowest_s([labels for labels, _ in series], selectors_of(text)[0], targets)
            found |= {} if slowest is None else {text: slowest}
    except QueryFailed as error:
        raise _unsaid(error) from error
    return ScrapeIntervals(found), await _usual_s(api, targets)


async def _usual_s(api: PrometheusApi, targets: Sequence[TargetInfo]) -> float:
    try:
        return (await api.settings()).scrape_interval_s
    except QueryFailed as error:
        if error.kind not in SAYS_NOT or not targets:
            raise _unsaid(error) from error
    return max(one.interval_s for one in targets)


def _unsaid(error: QueryFailed) -> BadInput:
    """What to do where the scrape interval is not known."""
    if error.kind not in SAYS_NOT:
        return _unusable(error)
    expected = "a Prometheus that says how often it scrapes"
    fix = "write monitoring.prometheus.scrape_interval, such as 60s, as the slowest job that the rules read has it"
    return BadInput([Mistake("monitoring.prometheus", error.what, expected, fix, file=error.url)])


async def open_engine(
    scenario: Scenario,
    path: Path,
    prometheus: Path | None,
    jobs: Sequence[ScrapeJob],
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
        return await open_own_engine(scenario, path, stack)
    receiver = await stack.enter_async_context(AlertReceiver(on_post))
    further = [ScrapeJob.from_url(job.job, job.url, job.labels) for job in monitoring.scrape]
    managed = await start_prometheus(
        prometheus,
        jobs=[*jobs, *further],
        rule_files=rule_files(scenario, path),
        scrape_interval_s=monitoring.scrape_interval,
        evaluation_interval_s=monitoring.evaluation_interval,
        alertmanagers=[receiver.address, *notification.addresses],
        external_labels=notification.labels,
    )
    stack.push_async_callback(managed.stop, STOP_S)
    return await read_managed_engine(await stack.enter_async_context(PrometheusApi(managed.url)), managed)
