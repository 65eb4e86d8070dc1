"""Panels on what the model answers, where the monitor finds it in the answers."""

from alertdrill.alerting.choices import Choices
from alertdrill.dashboards.board import INTERVAL, Panel, Query, Row
from alertdrill.dashboards.selectors import select


def prediction_rows(choices: Choices, of: str) -> list[Row]:
    """One row, or none where predictions were not chosen.

    Args:
        choices: what there is besides requests.
        of: matchers of the model.
    """
    if not choices.predictions:
        return []
    pair = (select(f"model_prediction_drift_{name}", of) for name in ("evidence", "threshold"))
    cells = f"sum by (output, cell) (rate({select('model_prediction_values_total', of)}[{INTERVAL}]))"
    drift = Panel(
        "Evidence for drift of predictions ÷ threshold",
        "Logarithms; at 1 the alert PredictionDrift fires.",
        (Query(" / ".join(pair), "{{output}}"),),
        unit="ratio",
        limit=1,
    )
    shares = Panel(
        "Predictions by cell",
        "q01 to q10: tenths of the reference.",
        (Query(cells, "{{output}} {{cell}}"),),
        unit="reqps",
    )
    return [Row("Predictions", (drift, shares))]
