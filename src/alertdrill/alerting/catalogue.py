"""All the rules of a profile, for a schema: the one source of every rule file."""

from collections.abc import Iterator

from alertdrill.alerting import business, data, quality, recordings, system
from alertdrill.alerting.burn_rate import FAST_WINDOWS, SLOW_WINDOWS
from alertdrill.alerting.choices import Choices
from alertdrill.alerting.limits import Limits
from alertdrill.alerting.profile import Profile
from alertdrill.alerting.rule import Alert, Group, Recording
from alertdrill.protocols.schema import Schema

SLOW_INTERVAL = "5m"


def rule_groups(schema: Schema, profile: Profile, limits: Limits, choices: Choices) -> tuple[Group, ...]:
    """The groups of a rule file.

    Args:
        schema: of the model; no rule reads a series that the monitor does not export for it.
        profile: windows and waits.
        limits: thresholds.
        choices: what there is besides requests.
    """
    rules: tuple[Recording | Alert, ...] = (*_recordings(schema, profile), *_alerts(profile, limits, choices))
    groups = (Group(f"model-{profile.name}", rules),)
    if not profile.days:
        return groups
    slow: tuple[Recording | Alert, ...] = (*recordings.errors(SLOW_WINDOWS), system.error_budget(limits))
    return (*groups, Group(f"model-{profile.name}-budget", slow, SLOW_INTERVAL))


def _recordings(schema: Schema, profile: Profile) -> Iterator[Recording]:
    yield from recordings.requests(profile)
    if profile.days:
        yield from recordings.errors(FAST_WINDOWS)
    if any(feature.watched and feature.numeric for feature in schema.features):
        yield recordings.mean_shift(profile)
    yield from recordings.stability(profile)


def _alerts(profile: Profile, limits: Limits, choices: Choices) -> Iterator[Alert]:
    yield from data.data_alerts(profile, limits)
    yield system.latency(profile, limits)
    yield system.errors(profile, limits)
    yield business.traffic(profile)
    yield from system.processes(profile)
    if profile.days:
        yield system.monitor_failing(profile)
        yield data.all_drift(profile)
        yield data.drift_watch_alert(profile, choices)
    if choices.predictions:
        yield quality.prediction_drift(profile)
    if choices.labels:
        yield from quality.labels(profile)
    if choices.accuracy_check:
        yield quality.accuracy_check()
    yield from (quality.quality(profile, bound) for bound in choices.quality)
    yield from (quality.proxy(profile, bound) for bound in choices.proxy)
    yield from (business.kpi(profile, bound) for bound in choices.business)
