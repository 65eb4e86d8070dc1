"""Fits the fraud model on generated transactions, and measures it on held-out ones."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from history import History
from model import FraudModel
from numpy.typing import NDArray
from population import CATEGORIES, Population, draw_population
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from transactions import Transactions, draw_transactions

TRAINING_ROWS = 40_000
SAMPLE_ROWS = 10_000
NUMERIC = ("hour", "transactions_1h", "amount", "amount_24h", "distance_km")


@dataclass(frozen=True)
class Fitted:
    """What training makes.

    Attributes:
        model: ready to score.
        population: the cards whose histories the feature store keeps.
        sample: the held-out transactions, SAMPLE_ROWS of them; the model never saw them.
        auc: area under the ROC curve of the model on `sample`, 0 to 1.
        auc_of_rule: the same of the label rule's own probabilities: what no model can beat but by luck.
    """

    model: FraudModel
    population: Population
    sample: Transactions
    auc: float
    auc_of_rule: float


def _typical(histories: Iterable[History]) -> History:
    """The history of nobody in particular: medians, and a country and device that are not known."""
    known = list(histories)
    return History(
        home_country=None,
        usual_device=None,
        mean_amount_30d=float(median(history.mean_amount_30d for history in known)),
        card_age_days=int(median(history.card_age_days for history in known)),
        chargebacks_90d=int(median(history.chargebacks_90d for history in known)),
    )


def _encode(model: FraudModel, transactions: Transactions) -> NDArray[np.float64]:
    """Inputs of all transactions, shape (n, inputs)."""
    pairs = zip(transactions.records(), transactions.histories, strict=True)
    return np.array([model.encode(row, history) for row, history in pairs])


def fit(seed: int) -> Fitted:
    """Train on TRAINING_ROWS and hold SAMPLE_ROWS out; deterministic for one seed and one set of versions.

    The threshold labels as many of the training transactions as are fraud.
    """
    population = draw_population(seed)
    training = draw_transactions(population, TRAINING_ROWS, seed)
    sample = draw_transactions(population, SAMPLE_ROWS, seed + 1)
    medians = {name: float(np.median(training.columns[name][~training.lost[name]])) for name in training.lost}
    medians |= {name: float(np.median(training.columns[name])) for name in NUMERIC if name not in medians}
    bare = FraudModel(None, medians, tuple(CATEGORIES), _typical(population.histories), threshold=0.5)
    inputs = _encode(bare, training)
    classifier = LogisticRegression(max_iter=1_000).fit(inputs, training.fraud)
    threshold = float(np.quantile(classifier.predict_proba(inputs)[:, 1], 1.0 - training.fraud.mean()))
    model = replace(bare, classifier=classifier, threshold=threshold)
    scores = classifier.predict_proba(_encode(model, sample))[:, 1]
    return Fitted(
        model=model,
        population=population,
        sample=sample,
        auc=float(roc_auc_score(sample.fraud, scores)),
        auc_of_rule=float(roc_auc_score(sample.fraud, sample.fraud_probability)),
    )
