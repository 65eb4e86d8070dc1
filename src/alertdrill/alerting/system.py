"""Alerts on answers, processes and the monitor itself."""

from collections.abc import Iterator
from textwrap import indent

from alertdrill.alerting.burn_rate import PAGES, TICKETS, burns
from alertdrill.alerting.limits import Limits
from alertdrill.alerting.profile import Profile
from alertdrill.alerting.recordings import ERROR_RATIO, ERRORS, MODEL, slow_quantile
from alertdrill.alerting.rule import Alert, Pillar, Severity, Type
from alertdrill.alerting.wording import number, percent, spoken_seconds

STALE_EVIDENCE_S = 600
FEWEST_ERRORS = 10


def latency(profile: Profile, limits: Limits) -> Alert:
    """Answers are slow."""
    limit = number(limits.latency)
    long, short = profile.latency
    expr = f"{slow_quantile(long)} > {limit} and {slow_quantile(short)} > {limit}"
    if profile.least_requests:
        expr = (
            f"{slow_quantile(long)} > {limit}\nand {slow_quantile(short)} > {limit}\n"
            f"and sum by ({MODEL}) (increase(model_requests_total[{long}])) >= {profile.least_requests}"
        )
    return Alert(
        name="PredictionLatencyHigh",
        expr=expr,
        wait=profile.latency_wait,
        severity=Severity.P1,
        type=Type.SYMPTOM,
        pillar=Pillar.SYSTEM,
        summary="{{ $labels.model }} answers slowly",
        description=(
            "One request in twenty takes longer than {{ $value | humanizeDuration }}; "
            f"{spoken_seconds(limits.latency)} are tolerated."
        ),
    )


def errors(profile: Profile, limits: Limits) -> Alert:
    """Requests fail: a share of them at once, or the error budget burns so fast that it cannot wait."""
    tolerated = f"{percent(limits.errors)} are tolerated."
    if profile.days:
        budget = percent(limits.error_budget)
        tolerated = f"at that pace the error budget of 30 days, {budget} of the requests, is gone within days."
    return Alert(
        name="ErrorRateHigh",
        expr=_fast_burn(limits) if profile.days else f"{ERROR_RATIO}{profile.ratio} > {number(limits.errors)}",
        wait=profile.error_wait,
        severity=Severity.P0,
        type=Type.SYMPTOM,
        pillar=Pillar.SYSTEM,
        summary="{{ $labels.model }} fails",
        description=f"{{{{ $value | humanizePercentage }}}} of the requests are answered 5xx; {tolerated}",
        comment=(
            "Burn rates: SRE Workbook, chapter 5, table 5-8. A few failures among few requests are no reason to wake "
            "anybody."
            if profile.days
            else ""
        ),
    )


def _fast_burn(limits: Limits) -> str:
    burning = indent(burns(ERROR_RATIO, limits.error_budget, PAGES), "  ")
    return f"(\n{burning}\n)\nand sum by ({MODEL}) (increase({ERRORS}[{PAGES[-1].long}])) >= {FEWEST_ERRORS}"


def error_budget(limits: Limits) -> Alert:
    """Requests fail now and then, too often for the month."""
    return Alert(
        name="ErrorBudgetBurning",
        expr=burns(ERROR_RATIO, limits.error_budget, TICKETS),
        severity=Severity.P2,
        type=Type.SYMPTOM,
        pillar=Pillar.SYSTEM,
        summary="{{ $labels.model }} fails more often than its objective allows",
        description=(
            "{{ $value | humanizePercentage }} of the requests of three days were answered 5xx; "
            f"{percent(limits.error_budget)} are the budget of 30 days."
        ),
    )


def processes(profile: Profile) -> Iterator[Alert]:
    """What Prometheus cannot scrape."""
    answers = 'up{job="model"} == 0'
    if profile.days:
        answers = 'max by (job) (up{job="model"}) == 0'
    yield Alert(
        name="ModelDown",
        expr=f'{answers} or absent(up{{job="model"}})',
        wait=profile.model_wait,
        severity=Severity.P0,
        type=Type.SYMPTOM,
        pillar=Pillar.SYSTEM,
        summary="The model server does not answer its scrapes",
        description="Prometheus cannot scrape the job model, or has no target for it.",
    )
    yield Alert(
        name="MonitorDown",
        expr='up{job="monitor"} == 0 or absent(up{job="monitor"})',
        wait=profile.monitor_wait,
        severity=Severity.P1,
        type=Type.CAUSE,
        pillar=Pillar.SYSTEM,
        summary="The monitor does not answer its scrapes",
        description=(
            "Prometheus cannot scrape the job monitor, or has no target for it: every alert on its metrics is blind."
        ),
    )


def monitor_failing(profile: Profile) -> Alert:
    """The monitor does not count all that it sees."""
    window = profile.ratio
    return Alert(
        name="MonitorFailing",
        expr=f"""\
sum by ({MODEL}) (increase(model_monitor_errors_total[{window}])) > 0
or sum by ({MODEL}) (increase(model_monitor_dropped_total[{window}])) > 0
or max by ({MODEL}) (time() - model_monitor_window_end_timestamp_seconds) > {STALE_EVIDENCE_S}""",
        wait=profile.monitor_wait,
        severity=Severity.P2,
        type=Type.CAUSE,
        pillar=Pillar.SYSTEM,
        summary="The monitor of {{ $labels.model }} misses part of what it sees",
        description=(
            "It has met failures of its own, or dropped exchanges because its queue was full, or its evidence for "
            f"drift is more than {STALE_EVIDENCE_S // 60} minutes old."
        ),
    )
