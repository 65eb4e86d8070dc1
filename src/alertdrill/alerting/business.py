"""Alerts on what the business gets from the model."""

from alertdrill.alerting.choices import Bound
from alertdrill.alerting.profile import Profile
from alertdrill.alerting.recordings import request_rate
from alertdrill.alerting.rule import Alert, Pillar, Severity, Type
from alertdrill.alerting.wording import number, spoken


def traffic(profile: Profile) -> Alert:
    """Nobody asks the model."""
    return Alert(
        name="NoTraffic",
        expr=f"{request_rate(profile.traffic)} == 0 or absent(model_requests_total)",
        wait=profile.traffic_wait,
        severity=Severity.P1,
        type=Type.SYMPTOM,
        pillar=Pillar.BUSINESS,
        summary="Nobody asks the model",
        description=f"No request has reached the monitor for {spoken(profile.traffic)}, or there is no monitor.",
        comment="A monitor that is gone takes its series with it: absence counts as no traffic.",
    )


def kpi(profile: Profile, bound: Bound) -> Alert:
    """A figure of the business has left what was promised of it."""
    return Alert(
        name="BusinessKpiOutOfBounds",
        expr=f'model_business_kpi{{kpi="{bound.name}"}} {bound.broken_by} {number(bound.value)}',
        wait=profile.quality_wait,
        severity=Severity.P1,
        type=Type.SYMPTOM,
        pillar=Pillar.BUSINESS,
        summary=f"{bound.name} of {{{{ $labels.model }}}} is out of bounds",
        description=f'{bound.name} is {{{{ printf "%.4g" $value }}}}; {bound.words} is promised.',
        more={"kpi": bound.name},
    )
