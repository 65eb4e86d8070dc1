"""The dashboard for product managers: is the model used, does it serve, is anything wrong. No words of operators."""

from alertdrill.alerting.choices import Choices
from alertdrill.alerting.limits import Limits
from alertdrill.dashboards.board import INTERVAL, RANGE, Board, Panel, Query, Row
from alertdrill.dashboards.feedback import feedback_rows
from alertdrill.dashboards.selectors import firing, quantile, select

OF = 'model="$model"'
PILLARS = {
    "data": "what it is given",
    "model": "how good it is",
    "system": "whether it answers",
    "business": "what it is for",
}


def product(name: str, choices: Choices) -> Board:
    """The board; the same for every schema."""
    return Board(
        audience="product",
        title=f"{name}: model health, for product managers",
        description="Predictions given, how long people waited, how many got none, and whether anything is wrong.",
        rows=(_in_range(), _over_time(), *feedback_rows(choices, OF)),
        shown="24h",
    )


def _in_range() -> Row:
    predictions = f"sum(increase({select('model_predictions_total', OF)}[{RANGE}]))"
    requests = f"sum(increase({select('model_requests_total', OF)}[{RANGE}]))"
    drifted = f"sum({select('model_drift_evidence', OF)} >= bool {select('model_drift_threshold', OF)})"
    problems = tuple(Query(firing(f'pillar="{pillar}"'), words) for pillar, words in PILLARS.items())
    limits = Limits()
    return Row(
        "In the time shown",
        (
            Panel("Predictions", "How many the model gave.", (Query(predictions, "predictions"),), "number", width=4),
            Panel(
                "Got a prediction",
                "Share of requests that were answered with one.",
                (Query(f"{predictions} / {requests}", "share"),),
                "number",
                "percentunit",
                4,
                limits.objective,
                bad_below=True,
            ),
            Panel(
                "Typical wait",
                "Half of the answers came sooner.",
                (Query(quantile(0.5, OF, RANGE), "wait"),),
                "number",
                "s",
                4,
            ),
            Panel(
                "Long wait",
                "19 of 20 answers came sooner.",
                (Query(quantile(0.95, OF, RANGE), "wait"),),
                "number",
                "s",
                4,
                limits.latency,
            ),
            Panel(
                "Inputs that have changed",
                "Features that no longer look as they did when the model was made, now.",
                (Query(drifted, "features"),),
                "number",
                width=4,
                limit=1,
            ),
            Panel(
                "Known problems", "Alerts that fire now, by what they are about.", problems, "number", width=4, limit=1
            ),
        ),
    )


def _over_time() -> Row:
    given = f"sum by (version) (rate({select('model_predictions_total', OF)}[{INTERVAL}]))"
    failed = (
        f"1 - sum(rate({select('model_predictions_total', OF)}[{INTERVAL}]))\n"
        f"/ sum(rate({select('model_requests_total', OF)}[{INTERVAL}]))"
    )
    unread = (
        f"sum(rate({select('model_malformed_requests_total', OF)}[{INTERVAL}]))\n"
        f"/ sum(rate({select('model_requests_total', OF)}[{INTERVAL}]))"
    )
    return Row(
        "Over time",
        (
            Panel(
                "Predictions a second", "By version of the model.", (Query(given, "version {{version}}"),), unit="reqps"
            ),
            Panel(
                "Got none",
                "Share of requests without a prediction, and of those that could not even be read.",
                (Query(failed, "no prediction"), Query(unread, "could not be read")),
                unit="percentunit",
            ),
            Panel(
                "Wait",
                "Half, and 19 of 20, of the answers came sooner.",
                (Query(quantile(0.5, OF, INTERVAL), "typical"), Query(quantile(0.95, OF, INTERVAL), "long")),
                unit="s",
            ),
        ),
    )
