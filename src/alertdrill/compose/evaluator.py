"""Who evaluates the rules of the user's own monitoring, where that is not the Prometheus that holds the samples."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.access import Access
from alertdrill.adapters.alert_source import PrometheusSource
from alertdrill.adapters.grafana_source import RULES as GRAFANA_RULES
from alertdrill.adapters.grafana_source import GrafanaSource, grafana_groups
from alertdrill.adapters.prometheus_api import VICTORIA_METRICS, PrometheusApi
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.vmalert_answers import look
from alertdrill.adapters.vmalert_source import RULES, VmalertSource
from alertdrill.core.observations import RuleGroup
from alertdrill.core.scenario import Scenario, UserPrometheus
from alertdrill.run.ports import AlertSource


@dataclass(frozen=True)
class Ways:
    """The ways to a vmalert and a Grafana that a scenario names."""

    vmalert: PrometheusApi | None = None
    grafana: PrometheusApi | None = None


NOWHERE = Ways()


async def ways_of(scenario: Scenario, path: Path, stack: AsyncExitStack) -> Ways:
    """Open them; closed with `stack`.

    Raises:
        BadInput: a secret or a file of certificates cannot be read.
    """
    prometheus = scenario.monitoring.prometheus
    assert isinstance(prometheus, UserPrometheus), "a managed one evaluates its rules itself"
    found = {}
    for name in ("vmalert", "grafana"):
        connection = getattr(prometheus, name)
        if connection is not None:
            access = Access.of(connection, ("monitoring", "prometheus", name), path)
            found[name] = await stack.enter_async_context(PrometheusApi(access))
    return Ways(**found)


@dataclass(frozen=True)
class Evaluator:
    """Who evaluates the rules.

    Attributes:
        version: of what holds the samples.
        groups: the loaded rules.
        vmalert: the way to a vmalert, if it evaluates them.
        latency_s: how old the samples are that the vmalert is shown.
        grafana: the way to a Grafana, if it evaluates some.
    """

    version: str
    groups: tuple[RuleGroup, ...]
    vmalert: PrometheusApi | None = None
    latency_s: float = 0.0
    grafana: PrometheusApi | None = None

    @property
    def name(self) -> str:
        """What it all is, with its version."""
        parts = [self.version, *(["vmalert"] if self.vmalert else []), *(["Grafana"] if self.grafana else [])]
        return " with ".join(parts)

    def source(self, samples: PrometheusSource, api: PrometheusApi) -> AlertSource:
        """The alert source; `samples` is that of a Prometheus alone."""
        source: AlertSource = samples
        if self.vmalert is not None:
            source = VmalertSource(api, self.vmalert, self.latency_s)
        return source if self.grafana is None else GrafanaSource(source, self.grafana)


async def evaluator_of(api: PrometheusApi, ways: Ways) -> Evaluator:
    """Find out who evaluates the rules, and read them.

    Raises:
        QueryFailed: one of them does not answer as it should.
    """
    version = await api.build_version()
    victoria_metrics = version.startswith(VICTORIA_METRICS)
    latency_s = await api.as_victoria_metrics() if victoria_metrics else 0.0
    vmalert = ways.vmalert or (api if victoria_metrics else None)
    if vmalert is None:
        groups = await api.rules()
    else:
        groups = list((await vmalert.read(RULES, lambda data: look(data, latency_s))).groups)
        if not groups and ways.vmalert is None and ways.grafana is None:
            what = "it is a VictoriaMetrics that shows no rules: a vmalert evaluates them"
            fix = f"write {api.access.option}.vmalert: {{url: …}}, or start it with -vmalert.proxyURL"
            raise QueryFailed(api.url, RULES, "not_prometheus", what, fix)
    if ways.grafana is not None:
        groups += await ways.grafana.read(GRAFANA_RULES, grafana_groups)
    return Evaluator(version, tuple(groups), vmalert, latency_s, ways.grafana)
