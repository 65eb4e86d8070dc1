"""The fraud model: turns one request and its card's history into inputs, and asks the classifier for a score.

Training and serving encode with the same function, so that the two cannot drift apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, log1p
from typing import Any

import numpy as np
from history import History
from scipy.special import expit

Row = Mapping[str, str | int | float | None]


@dataclass(frozen=True)
class FraudModel:
    """A fitted model, as `model.joblib` holds it.

    Attributes:
        classifier: scikit-learn's LogisticRegression, fitted on encoded rows; None while fitting.
        medians: what a null of each numeric feature is replaced by.
        categories: merchant categories with an input of their own; any other has none.
        default_history: stands in when the feature store does not answer.
        threshold: score from which a transaction is labelled fraud, 0 to 1.
    """

    classifier: Any
    medians: Mapping[str, float]
    categories: tuple[str, ...]
    default_history: History
    threshold: float

    def encode(self, row: Row, history: History) -> list[float]:
        """Inputs of the classifier. Nulls are imputed; amounts and distances below zero count as zero."""

        def number(name: str) -> float:
            value = row[name]
            return self.medians[name] if value is None else float(value)

        def differs(name: str, usual: str | None) -> float:
            value = row[name]
            return float(value is not None and usual is not None and value != usual)

        mean = history.mean_amount_30d
        return [
            log(max(number("amount"), 0.01) / mean),
            float(number("hour") < 6),
            log1p(max(number("transactions_1h"), 0.0)),
            log1p(max(number("amount_24h"), 0.0) / mean),
            log1p(max(number("distance_km"), 0.0)),
            differs("country", history.home_country),
            differs("device", history.usual_device),
            float(history.chargebacks_90d),
            log1p(max(history.card_age_days, 0)),
            *(float(row["merchant_category"] == category) for category in self.categories),
        ]

    def score(self, row: Row, history: History) -> float:
        """Probability of fraud, 0 to 1: what `predict_proba` answers.

        For one row that method spends 0.3 ms on checking its input, which `encode` has made; hence its formula, the
        logistic function of a weighted sum.
        """
        inputs = np.array(self.encode(row, history))
        return float(expit(self.classifier.coef_[0] @ inputs + self.classifier.intercept_[0]))
