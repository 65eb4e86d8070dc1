"""The monitoring that a scenario drills: monitor, Prometheus, rules and scope."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.scenario.connection import Connection, no_mapping
from alertdrill.core.scenario.notification import Alertmanager, Level, Notify, UserAlertmanager
from alertdrill.core.scenario.part import LabelName, Labels, Matchers, Name, Part, Text, check_together
from alertdrill.core.scenario.target import Url
from alertdrill.core.units import PositiveDurationS


def _check_server(value: object) -> object:
    if isinstance(value, dict | Connection):
        return value
    raise no_mapping(value, "{url: …} of it")


class UserPrometheus(Connection):
    """A Prometheus of the user's own: read, never changed."""

    url: Url = Field(
        description="address of a running Prometheus, with its path prefix", examples=["http://127.0.0.1:9090"]
    )
    scrape_interval: PositiveDurationS | None = Field(
        default=None,
        description="how often what the rules read is scraped, for servers that do not say (without /api/v1/targets)",
        examples=["60s"],
    )
    vmalert: Annotated[Connection, BeforeValidator(_check_server)] | None = Field(
        default=None,
        description="the vmalert that evaluates the rules over it; not needed for a VictoriaMetrics that passes "
        "questions on (-vmalert.proxyURL)",
        examples=["{url: http://127.0.0.1:8880}"],
    )
    grafana: Annotated[Connection, BeforeValidator(_check_server)] | None = Field(
        default=None,
        description="the Grafana that evaluates further rules over it, and writes GRAFANA_ALERTS to it",
        examples=["{url: https://grafana.example.com, bearer_token: {env: GRAFANA_TOKEN}}"],
    )
    replicas: tuple[Url, ...] = Field(
        default=(),
        description="addresses of its replicas (HA), which watch the same and are asked one by one, logged in to alike",
        examples=[["http://127.0.0.1:9091"]],
    )
    replica_label: LabelName | None = Field(
        default=None,
        description="the label in which series and alerts of replicas differ; without `replicas`: of an address that "
        "holds the series of all of them",
        examples=["prometheus_replica"],
    )

    @model_validator(mode="after")
    def _check_replicas(self) -> "UserPrometheus":
        addresses = [url.rstrip("/") for url in (self.url, *self.replicas)]
        twice = next((url for url in addresses if addresses.count(url) > 1), None)
        if twice is not None:
            expected = "each replica once, `url` apart"
            raise BadValue(expected, "write the addresses of the others", twice, ("replicas",))
        if self.tls is not None and any(urlsplit(url).scheme != "https" for url in self.replicas):
            raise BadValue("https addresses", "write https://… there, or remove tls", "tls for http", ("replicas",))
        other = next((name for name in ("vmalert", "grafana") if getattr(self, name) is not None), None)
        if other is not None and (self.replicas or self.replica_label is not None):
            fix = "name one address, without replicas and replica_label"
            raise BadValue(f"no replicas beside {other}", fix, f"replicas and {other}", (other,))
        return self


class ScrapeJob(Part):
    """A further scrape job of the managed Prometheus."""

    job: Name = Field(description="value of the `job` label")
    url: Url = Field(description="address of the metrics, path included", examples=["http://127.0.0.1:9100/metrics"])
    labels: Labels = Field(default_factory=dict, description="labels added to every series of the job")


class Scope(Part):
    """Alerts and labels that a drill is about, beside those of its expectations and prohibitions."""

    alerts: tuple[Text, ...] = Field(default=(), description="names of alerts")
    labels: Labels = Field(default_factory=dict, description="labels that every alert in scope has")
    matchers: Matchers = Field(
        default=(), description="label matchers that every alert in scope passes", examples=[['team=~"fraud|risk"']]
    )

    @model_validator(mode="after")
    def _check_labels(self) -> "Scope":
        check_together(self.labels, self.matchers)
        return self


def _check_prometheus(value: object) -> object:
    if value == "managed" or isinstance(value, dict | UserPrometheus):
        return value
    raise no_mapping(value, "managed, or {url: …} of your own Prometheus")


def _which_prometheus(value: Any) -> str:
    return "(managed)" if isinstance(value, str) else "(own)"


Prometheus = Annotated[
    Annotated[Literal["managed"], Tag("(managed)")] | Annotated[UserPrometheus, Tag("(own)")],
    Discriminator(_which_prometheus),
    BeforeValidator(_check_prometheus),
]
"""`managed` (started for the drill), or the user's own."""


def _check_rules(value: object) -> object:
    if isinstance(value, str) and value != "bundled":
        raise BadValue("bundled, or a list of rule files", f"write [{value}]")
    return value


def _which_rules(value: Any) -> str:
    return "(bundled)" if isinstance(value, str) else "(files)"


RuleFiles = Annotated[tuple[Text, ...], Field(min_length=1)]
Rules = Annotated[
    Annotated[Literal["bundled"], Tag("(bundled)")] | Annotated[RuleFiles, Tag("(files)")],
    Discriminator(_which_rules),
    BeforeValidator(_check_rules),
]
"""`bundled` (the rules that come with a bundled target), or rule files."""


class Monitoring(Part):
    """Who watches the target."""

    monitor: Literal["sidecar", "none"] = Field(
        default="sidecar", description="sidecar: the reference monitor stands in front of the target; none: it does not"
    )
    prometheus: Prometheus = Field(default="managed", description="managed, or {url: …} to read your own")
    alertmanager: Alertmanager = Field(
        default="none",
        description="none: alerts are not routed; managed, or {config: FILE} with your routes: one is started for the "
        "drill, that notifies nobody; {url: …}: your own",
    )
    notify: Notify = Field(
        default="silenced",
        description="what a drill does to people whom your own Alertmanager notifies: silenced, live, "
        "or {rerouted: {receiver: …}}",
    )
    rules: Rules = Field(
        default="bundled",
        description="bundled (the bundled target's drill rules), or a list of rule files; managed Prometheus only",
        examples=[["alerts.yml"]],
    )
    scrape: tuple[ScrapeJob, ...] = Field(default=(), description="further scrape jobs; managed Prometheus only")
    scope: Scope = Field(
        default_factory=Scope, description="default: the alerts that expectations and prohibitions match"
    )
    scrape_interval: PositiveDurationS = Field(default=1.0, description="between two scrapes; managed Prometheus only")
    evaluation_interval: PositiveDurationS = Field(
        default=1.0, description="between two evaluations of the rules; managed Prometheus only"
    )

    @property
    def level(self) -> Level | None:
        """How far notifications can be seen to come; None: no further than the alert itself."""
        if isinstance(self.alertmanager, UserAlertmanager):
            return "accepted"
        if self.alertmanager != "none":
            return "delivered"
        return "posted" if self.prometheus == "managed" else None
