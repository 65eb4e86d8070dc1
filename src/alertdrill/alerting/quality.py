"""Alerts on how good the predictions are: they need ground truth, or something that stands for it."""

from collections.abc import Iterator

from alertdrill.alerting.choices import Bound
from alertdrill.alerting.profile import Profile
from alertdrill.alerting.recordings import MODEL
from alertdrill.alerting.rule import Alert, Pillar, Severity, Type
from alertdrill.alerting.wording import number, spoken


def labels(profile: Profile) -> Iterator[Alert]:
    """Ground truth does not arrive, or late: whatever the quality is, nobody knows."""
    window = profile.feedback
    yield Alert(
        name="NoLabels",
        expr=(
            f"sum by ({MODEL}) (increase(model_labels_total[{window}])) == 0\n"
            f"and sum by ({MODEL}) (increase(model_predictions_total[{window}])) > 0\n"
            f'or max by ({MODEL}) (model_quality_state{{state="unknown"}}) == 1'
        ),
        wait=profile.feedback_wait,
        severity=Severity.P2,
        type=Type.CAUSE,
        pillar=Pillar.MODEL,
        summary="No labels arrive for {{ $labels.model }}",
        description=(
            f"{{{{ $labels.model }}}} predicts, and for {spoken(window)} no label has arrived, or the monitor cannot "
            "read its store: the quality is unknown, which is not the same as fine."
        ),
    )


def prediction_drift(profile: Profile) -> Alert:
    """What the model answers has drifted, whether its inputs have or not."""
    return Alert(
        name="PredictionDrift",
        expr="model_prediction_drift_evidence >= model_prediction_drift_threshold",
        severity=Severity.P1,
        type=Type.CAUSE,
        pillar=Pillar.MODEL,
        summary="The predictions of {{ $labels.model }} have drifted: {{ $labels.output }}",
        description=(
            "The evidence that the {{ $labels.output }} of {{ $labels.model }} no longer looks like its reference is "
            '{{ printf "%.1f" $value }} (natural log), at or above its threshold.'
        ),
        hold=profile.drift_hold,
    )


def accuracy_check() -> Alert:
    """The last accuracy check found the model on the wrong side of its threshold; the e-mail says the same."""
    return Alert(
        name="AccuracyCheckBelow",
        expr='model_accuracy_check_state{verdict="below"} == 1',
        severity=Severity.P1,
        type=Type.SYMPTOM,
        pillar=Pillar.MODEL,
        summary="{{ $labels.model }} did not pass its accuracy check",
        description=(
            "Over the last period the figure that is checked was on the wrong side of its threshold "
            "(`model_accuracy_check_threshold`); the e-mail of the check has the numbers."
        ),
    )


def quality(profile: Profile, bound: Bound) -> Alert:
    """The whole confidence interval of a metric lies beyond its bound, so chance does not explain it."""
    edge = "model_quality_high" if bound.at_least else "model_quality_low"
    best, end = ("most", "upper") if bound.at_least else ("least", "lower")
    return Alert(
        name="ModelQualityLow",
        expr=f'{edge}{{metric="{bound.name}"}} {bound.broken_by} {number(bound.value)}',
        wait=profile.quality_wait,
        severity=Severity.P1,
        type=Type.SYMPTOM,
        pillar=Pillar.MODEL,
        summary=f"{{{{ $labels.model }}}} predicts badly: {bound.name}",
        description=(
            f'{bound.name} is at {best} {{{{ printf "%.4g" $value }}}} (the {end} end of its confidence interval); '
            f"{bound.words} is promised."
        ),
        more={"metric": bound.name},
    )


def proxy(profile: Profile, bound: Bound) -> Alert:
    """What stands for quality until labels come has left its bound."""
    return Alert(
        name="ProxyQualityLow",
        expr=f'model_proxy_quality{{metric="{bound.name}"}} {bound.broken_by} {number(bound.value)}',
        wait=profile.quality_wait,
        severity=Severity.P2,
        type=Type.SYMPTOM,
        pillar=Pillar.MODEL,
        summary=f"{{{{ $labels.model }}}} may predict badly: {bound.name}",
        description=f'{bound.name} is {{{{ printf "%.4g" $value }}}}; {bound.words} is promised.',
        more={"metric": bound.name},
    )
