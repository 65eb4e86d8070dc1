"""The figures of a model that labels and feedback give: what a monitor exports, and rules may put a bound on."""

import re
from enum import StrEnum

KPI_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}")
"""The name of a figure of the business: whoever posts or defines one chooses it."""


class Task(StrEnum):
    """What the model predicts: a class, or a number."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Metric(StrEnum):
    """Quality by labels. These are all the values of the label `metric` of `model_quality`."""

    ACCURACY = "accuracy"
    PRECISION = "precision"
    RECALL = "recall"
    F1 = "f1"
    AUC = "auc"
    RMSE = "rmse"
    MAE = "mae"

    @property
    def task(self) -> Task:
        """The task that it is a figure of."""
        return Task.REGRESSION if self in (Metric.RMSE, Metric.MAE) else Task.CLASSIFICATION

    @property
    def is_error(self) -> bool:
        """Whether less of it is better."""
        return self.task is Task.REGRESSION

    def worse(self, value: float, threshold: float) -> bool:
        """Whether a value lies on the wrong side of a threshold: below it, or above it for errors."""
        return value > threshold if self.is_error else value < threshold


class ProxyMetric(StrEnum):
    """What stands for quality until labels come: all the values of the label `metric` of `model_proxy_quality`."""

    POSITIVE_RATE = "positive_rate"  # too few positives are as suspicious as too many
    CLICK_THROUGH = "click_through"
