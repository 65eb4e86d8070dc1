"""The accuracy check of a period: its verdict, and the e-mail that says it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from alertdrill.monitor.truth.proportions import CONFIDENCE, Estimate
from alertdrill.monitor.truth.quality import METHODS
from alertdrill.monitor.truth.window import Span
from alertdrill.protocols.figures import Metric


class Verdict(StrEnum):
    """What a check found. These are all the values of the label `verdict`."""

    GOOD = "good"  # no e-mail
    BELOW = "below"  # on the wrong side of the threshold
    CANNOT_TELL = "cannot_tell"  # too few labels: not good, and not below


@dataclass(frozen=True)
class Check:
    """What is checked.

    Attributes:
        model: its name.
        every_s: period, in seconds.
        metric: the figure that is judged.
        threshold: below it (RMSE, MAE: above it) there is an e-mail.
        least: labels below which the check cannot tell.
        runbook_url: where the reader finds what to do.
    """

    model: str
    every_s: float
    metric: Metric
    threshold: float
    least: int
    runbook_url: str


@dataclass(frozen=True)
class Measured:
    """What a period brought.

    Attributes:
        span: the period.
        labels: that came within it.
        predictions: that were made within it.
        estimate: of the metric; None where the labels do not tell.
        by_version: labels and estimate of each version, where there are several.
    """

    span: Span
    labels: int
    predictions: int
    estimate: Estimate | None
    by_version: tuple[tuple[str, int, Estimate | None], ...] = ()


@dataclass(frozen=True)
class Letter:
    """An e-mail without its addresses.

    Attributes:
        subject: one line.
        text: the body.
        identity: what its Message-ID begins with; the same however often it is sent.
    """

    subject: str
    text: str
    identity: str


def judge(check: Check, measured: Measured) -> Verdict:
    """The verdict by the estimate; its interval tells the reader how sure that is."""
    if measured.labels < check.least or measured.estimate is None:
        return Verdict.CANNOT_TELL
    return Verdict.BELOW if check.metric.worse(measured.estimate.value, check.threshold) else Verdict.GOOD


def write(check: Check, measured: Measured) -> Letter | None:
    """The e-mail of a period; None for a good one."""
    verdict = judge(check, measured)
    if verdict is Verdict.GOOD:
        return None
    found = measured.estimate
    side = "above" if check.metric.is_error else "below"
    if verdict is Verdict.CANNOT_TELL or found is None:
        subject = f"{check.model}: cannot tell the {check.metric}, {measured.labels} labels"
        meaning = f"cannot tell: {measured.labels} labels came, at least {check.least} are needed. That is not fine."
    else:
        subject = f"{check.model}: {check.metric} {found.value:.4g} is {side} {check.threshold:.4g}"
        meaning = f"{side} the threshold, {_certainty(check, found)}"
    lines = [
        f"Model {check.model}, check of {_time(measured.span.since)} to {_time(measured.span.until)}.",
        "",
        f"verdict      {meaning}",
        f"{check.metric:<12} {_shown(found)}",
        *([] if found is None else [f"interval     {CONFIDENCE:.0%}, {METHODS[check.metric]}"]),
        f"threshold    {check.threshold:.4g}",
        f"labels       {measured.labels} came, for any prediction; at least {check.least} are needed",
        f"predictions  {measured.predictions} were made",
        *(f"version {name}: {_shown(estimate)} of {labels} labels" for name, labels, estimate in measured.by_version),
        "",
        f"What to do: {check.runbook_url}",
    ]
    identity = f"accuracy-check.{measured.span.until:.3f}.{verdict}"
    return Letter(subject, "\n".join(lines) + "\n", identity)


def _certainty(check: Check, found: Estimate) -> str:
    best = found.low if check.metric.is_error else found.high
    if check.metric.worse(best, check.threshold):
        return "and so is its whole interval: this is hardly chance"
    return "while its interval reaches over it: this may be chance"


def _shown(estimate: Estimate | None) -> str:
    return "unknown" if estimate is None else f"{estimate.value:.4g} ({estimate.low:.4g} to {estimate.high:.4g})"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
