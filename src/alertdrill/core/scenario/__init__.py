"""The scenario file: its models, and the checks that turn plain values into them."""

from alertdrill.core.scenario.conditions import AlertsInactive, NoData, QueryCondition, SteadyCondition
from alertdrill.core.scenario.monitoring import Monitoring, Prometheus, Rules, Scope, ScrapeJob, UserPrometheus
from alertdrill.core.scenario.part import Labels, Part
from alertdrill.core.scenario.phases import Expectation, Notifies, Phase, Prohibition
from alertdrill.core.scenario.reading import Reading, read_scenario
from alertdrill.core.scenario.scenario import Limits, Load, Scenario, Settle
from alertdrill.core.scenario.target import BundledTarget, Target, UrlTarget, is_loopback
from alertdrill.core.scenario.target_tls import TargetTls

__all__ = [
    "AlertsInactive",
    "BundledTarget",
    "Expectation",
    "Labels",
    "Limits",
    "Load",
    "Monitoring",
    "NoData",
    "Notifies",
    "Part",
    "Phase",
    "Prohibition",
    "Prometheus",
    "QueryCondition",
    "Reading",
    "Rules",
    "Scenario",
    "Scope",
    "ScrapeJob",
    "Settle",
    "SteadyCondition",
    "Target",
    "TargetTls",
    "UrlTarget",
    "UserPrometheus",
    "is_loopback",
    "read_scenario",
]
