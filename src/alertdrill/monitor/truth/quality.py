"""Quality of labelled predictions: classification and regression, each figure with its interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alertdrill.monitor.truth.auc import auc
from alertdrill.monitor.truth.errors import mae, rmse
from alertdrill.monitor.truth.proportions import Estimate, f1, proportion
from alertdrill.protocols.figures import Metric, Task

METHODS = {
    Metric.ACCURACY: "Wilson",
    Metric.PRECISION: "Wilson",
    Metric.RECALL: "Wilson",
    Metric.F1: "Wilson, mapped from Jaccard's share",
    Metric.AUC: "DeLong",
    Metric.RMSE: "Satterthwaite",
    Metric.MAE: "Satterthwaite",
}


@dataclass(frozen=True)
class Labelled:
    """n predictions whose truth is known.

    Attributes:
        facts: shape (n, 3). Classification: whether the class was right, whether the label is the positive class,
            whether the prediction is (0 or 1; NaN where no class was predicted). Regression: prediction, label, NaN.
        scores: shape (n,), of the positive class; NaN where there is none.
        versions: shape (n,), texts: of the model.
    """

    facts: NDArray[np.float64]
    scores: NDArray[np.float64]
    versions: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.facts)

    def of(self, version: str) -> "Labelled":
        """Those of one version."""
        its = self.versions == version
        return Labelled(self.facts[its], self.scores[its], self.versions[its])


Quality = dict[Metric, Estimate]


def quality(task: Task, rows: Labelled) -> Quality:
    """Every figure that the rows support; what they cannot tell is absent, never 0."""
    found = _classification(rows) if task is Task.CLASSIFICATION else _regression(rows)
    return {metric: estimate for metric, estimate in found.items() if estimate is not None}


def _classification(rows: Labelled) -> dict[Metric, Estimate | None]:
    right, truth, called = rows.facts[~np.isnan(rows.facts[:, 2])].T == 1.0
    both, called_only, truth_only = (int(n.sum()) for n in (truth & called, ~truth & called, truth & ~called))
    scored = ~np.isnan(rows.scores)
    positive = rows.facts[:, 1] == 1.0
    return {
        Metric.ACCURACY: proportion(int(right.sum()), len(right)),
        Metric.PRECISION: proportion(both, both + called_only),
        Metric.RECALL: proportion(both, both + truth_only),
        Metric.F1: f1(both, called_only, truth_only),
        Metric.AUC: auc(rows.scores[scored & positive], rows.scores[scored & ~positive]),
    }


def _regression(rows: Labelled) -> dict[Metric, Estimate | None]:
    with np.errstate(over="ignore"):
        errors = rows.facts[:, 0] - rows.facts[:, 1]
    known = errors[np.isfinite(errors)]
    return {Metric.RMSE: rmse(known), Metric.MAE: mae(known)}
