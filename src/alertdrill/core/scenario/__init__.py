"""The scenario file: its models. What turns plain values into them is `reading`, for those who read files."""

from alertdrill.core.scenario.conditions import AlertsInactive, NoData, QueryCondition, SteadyCondition
from alertdrill.core.scenario.connection import Connection
from alertdrill.core.scenario.load import (
    AnyLoad,
    Load,
    Log,
    LogFormat,
    PhaseLoad,
    RecordedLoad,
    Send,
    Warmup,
    locustfile,
)
from alertdrill.core.scenario.monitoring import Monitoring, Prometheus, Rules, Scope, ScrapeJob, UserPrometheus
from alertdrill.core.scenario.notification import (
    Alertmanager,
    Level,
    ManagedAlertmanager,
    Notify,
    Reroute,
    Rerouted,
    UserAlertmanager,
)
from alertdrill.core.scenario.part import Labels, Part
from alertdrill.core.scenario.phases import Expectation, Notifies, Phase, Prohibition
from alertdrill.core.scenario.scenario import Limits, Scenario, Settle
from alertdrill.core.scenario.secret import FromEnvironment, FromFile, Secret
from alertdrill.core.scenario.server_tls import ServerTls
from alertdrill.core.scenario.target import BundledTarget, CommandTarget, Target, UrlTarget, is_loopback

__all__ = [
    "Alertmanager",
    "AlertsInactive",
    "AnyLoad",
    "BundledTarget",
    "CommandTarget",
    "Connection",
    "Expectation",
    "FromEnvironment",
    "FromFile",
    "Labels",
    "Level",
    "Limits",
    "Load",
    "Log",
    "LogFormat",
    "ManagedAlertmanager",
    "Monitoring",
    "NoData",
    "Notifies",
    "Notify",
    "Part",
    "Phase",
    "PhaseLoad",
    "Prohibition",
    "Prometheus",
    "QueryCondition",
    "RecordedLoad",
    "Reroute",
    "Rerouted",
    "Rules",
    "Scenario",
    "Scope",
    "ScrapeJob",
    "Secret",
    "Send",
    "ServerTls",
    "Settle",
    "SteadyCondition",
    "Target",
    "UrlTarget",
    "UserAlertmanager",
    "UserPrometheus",
    "Warmup",
    "is_loopback",
    "locustfile",
]
