"""Alerts on what the model is asked: drifted, absent or unreadable inputs."""

from collections.abc import Iterator

from alertdrill.alerting.choices import Choices
from alertdrill.alerting.limits import Limits
from alertdrill.alerting.profile import Profile
from alertdrill.alerting.recordings import ABSENT, FEATURE, MODEL, malformed_share, null_share
from alertdrill.alerting.rule import Alert, Pillar, Severity, Type
from alertdrill.alerting.wording import number, percent


def data_alerts(profile: Profile, limits: Limits) -> Iterator[Alert]:
    """The alerts of the pillar data that need nothing but requests."""
    yield _drift(profile)
    yield _nulls(profile, limits)
    yield _malformed(profile, limits)


def _drift(profile: Profile) -> Alert:
    return Alert(
        name="FeatureDrift",
        expr="model_drift_evidence >= model_drift_threshold",
        severity=Severity.P1,
        type=Type.CAUSE,
        pillar=Pillar.DATA,
        summary="{{ $labels.feature }} of {{ $labels.model }} has drifted",
        description=(
            "The evidence that {{ $labels.feature }} no longer looks like the reference is "
            '{{ printf "%.1f" $value }} (natural log), at or above its threshold.'
        ),
        hold=profile.drift_hold,
        comment=(
            "The threshold is one false alarm a week over all that is watched together; the evidence already weighs "
            "how long a drift lasts, so there is no `for`."
        ),
    )


def _nulls(profile: Profile, limits: Limits) -> Alert:
    return Alert(
        name="FeatureNullRateHigh",
        expr=f"{null_share(profile.ratio)} > {number(limits.nulls)}" + _enough(ABSENT, FEATURE, profile),
        wait=profile.null_wait,
        severity=Severity.P1,
        type=Type.CAUSE,
        pillar=Pillar.DATA,
        summary="{{ $labels.feature }} of {{ $labels.model }} is often null or missing",
        description=(
            "{{ $value | humanizePercentage }} of the values of {{ $labels.feature }} are null or missing; "
            f"{percent(limits.nulls)} are tolerated."
        ),
    )


def _malformed(profile: Profile, limits: Limits) -> Alert:
    counter = "model_malformed_requests_total"
    return Alert(
        name="MalformedRequestsHigh",
        expr=f"{malformed_share(profile.ratio)} > {number(limits.malformed)}" + _enough(counter, MODEL, profile),
        wait=profile.malformed_wait,
        severity=Severity.P2,
        type=Type.CAUSE,
        pillar=Pillar.DATA,
        summary="{{ $labels.model }} gets requests that it cannot read",
        description=(
            "{{ $value | humanizePercentage }} of the requests hold no row; "
            f"{percent(limits.malformed)} are tolerated."
        ),
    )


def all_drift(profile: Profile) -> Alert:
    """All features together have drifted; perhaps none of them by itself."""
    return Alert(
        name="InputDrift",
        expr="model_drift_global_evidence >= model_drift_global_threshold",
        severity=Severity.P2,
        type=Type.CAUSE,
        pillar=Pillar.DATA,
        summary="The inputs of {{ $labels.model }} have drifted",
        description=(
            "The evidence that the features of {{ $labels.model }}, taken together, no longer look like the reference "
            'is {{ printf "%.1f" $value }} (natural log), at or above its threshold.'
        ),
        hold=profile.drift_hold,
        comment=(
            "Comes no later than the first FeatureDrift, within the same budget of false alarms, and also where small "
            "drifts of several features add up."
        ),
    )


def drift_watch_alert(profile: Profile, choices: Choices) -> Alert:
    """The conditions of the drift alarms' promise do not hold."""
    expr = "model_drift_warning > 0"
    if choices.predictions:  # how large a reference of first answers is was somebody's choice
        expr += '\nor model_prediction_drift_warning{reason="dependent_in_time"} > 0'
    return Alert(
        name="DriftWatchDoubtful",
        expr=expr,
        wait=profile.warning_wait,
        severity=Severity.P2,
        type=Type.CAUSE,
        pillar=Pillar.DATA,
        summary="Drift alarms of {{ $labels.model }} do not keep their promise",
        description=(
            "A condition of the drift alarms does not hold ({{ $labels.reason }}): there can be more false alarms than "
            "the budget says, or drifts that go unseen."
        ),
    )


def _enough(counter: str, by: str, profile: Profile) -> str:
    """A share of a handful says nothing: ask for some occurrences besides."""
    if not profile.least:
        return ""
    return f"\nand sum by ({by}) (increase({counter}[{profile.ratio}])) >= {profile.least}"
