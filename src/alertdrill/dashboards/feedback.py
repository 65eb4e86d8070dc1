"""Panels on what is known only where feedback reaches the monitor: labels, quality, KPIs."""

from collections.abc import Iterator

from alertdrill.alerting.choices import Bound, Choices
from alertdrill.dashboards.board import INTERVAL, RANGE, Panel, Query, Row
from alertdrill.dashboards.selectors import select


def feedback_rows(choices: Choices, of: str) -> list[Row]:
    """Rows for the choices; none where there are none.

    Args:
        choices: what there is besides requests.
        of: matchers of the model.
    """
    panels = [*_labels(choices, of), *(_quality(bound, of) for bound in choices.quality)]
    panels += [
        _single("model_proxy_quality", "metric", bound, of, "Stands for quality until labels come.")
        for bound in choices.proxy
    ]
    business = [
        _single("model_business_kpi", "kpi", bound, of, "A figure of the business.") for bound in choices.business
    ]
    panels += _check(choices, of)
    return [Row(title, tuple(row)) for title, row in (("Quality", panels), ("Business", business)) if row]


def _labels(choices: Choices, of: str) -> Iterator[Panel]:
    if choices.labels:
        labels = Query(f"sum(rate({select('model_labels_total', of)}[{INTERVAL}]))", "labels")
        predictions = Query(f"sum(rate({select('model_predictions_total', of)}[{INTERVAL}]))", "predictions")
        about = "Without labels the quality is unknown, which is not the same as fine."
        yield Panel("Labels and predictions", about, (labels, predictions), unit="reqps")
        buckets = f"sum by (le) (rate({select('model_label_lag_seconds_bucket', of)}[{RANGE}]))"
        late = tuple(Query(f"histogram_quantile({q}, {buckets})", words) for q, words in ((0.5, "half"), (0.95, "95%")))
        yield Panel("How late labels come", "From a prediction to its label.", late, unit="s")


def _check(choices: Choices, of: str) -> Iterator[Panel]:
    if choices.accuracy_check:
        verdicts = f"max by (verdict) ({select('model_accuracy_check_state', of)})"
        about = "Verdict on the last period: 1 for the one that holds. Alert AccuracyCheckBelow."
        yield Panel("Accuracy check", about, (Query(verdicts, "{{verdict}}"),), limit=1)


def _quality(bound: Bound, of: str) -> Panel:
    edges = ("model_quality_low", "low"), ("model_quality", bound.name), ("model_quality_high", "high")
    queries = tuple(
        Query(f"max by (window) ({select(name, of, _is('metric', bound))})", f"{legend} {{{{window}}}}")
        for name, legend in edges
    )
    about = f"With its confidence interval; {bound.words} is promised. Alert ModelQualityLow."
    return Panel(bound.name, about, queries, limit=bound.value, bad_below=bound.at_least)


def _single(metric: str, label: str, bound: Bound, of: str, about: str) -> Panel:
    query = Query(f"max by (version, window) ({select(metric, of, _is(label, bound))})", "{{version}} {{window}}")
    about = f"{about} {bound.words.capitalize()} is promised."
    return Panel(bound.name, about, (query,), limit=bound.value, bad_below=bound.at_least)


def _is(label: str, bound: Bound) -> str:
    return f'{label}="{bound.name}"'
