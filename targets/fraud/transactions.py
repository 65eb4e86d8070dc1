"""Card transactions from a documented process with a known label rule; the README describes both.

Features never depend on the label: the rule gives each transaction its probability of fraud, a draw makes it a label,
and only then are some values lost. So the rule's own AUC bounds that of every model.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from history import History
from numpy.typing import NDArray
from population import CATEGORIES, Population

Value = str | int | float | None
Columns = Mapping[str, NDArray[Any]]

LABEL = "is_fraud"  # column of the sample with the true label, 0 or 1; no request holds it

# Share of values that get lost on the way to the model, by feature.
NULL_SHARES = {"amount": 0.008, "amount_24h": 0.01, "distance_km": 0.012}

# Label rule: logit of the probability of fraud = INTERCEPT + sum of weight x signal + risk of the merchant category.
INTERCEPT = -6.8
WEIGHTS = {
    "log_amount_ratio": 1.6,  # ln(amount / the card's mean amount)
    "night": 1.3,  # 1 when hour < 6
    "log_velocity": 0.9,  # ln(1 + transactions_1h)
    "log_spend_ratio": 0.5,  # ln(1 + amount_24h / the card's mean amount)
    "log_distance": 0.3,  # ln(1 + distance_km)
    "foreign": 1.4,  # 1 when country is not the card's home country
    "new_device": 1.6,  # 1 when device is not the card's usual one
    "chargebacks": 0.8,  # chargebacks of the last 90 days
}
# Relative frequency of each hour of the day, 0 to 23.
HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 13, 15, 13, 11, 11, 12, 14, 15, 13, 10, 7, 5, 3)


@dataclass(frozen=True)
class Transactions:
    """n transactions.

    Attributes:
        columns: feature name to values, shape (n,), in the order in which requests write them; complete, before
            anything is lost.
        lost: feature name to a boolean mask, shape (n,), of the values that the model does not get.
        histories: history of each transaction's card.
        fraud_probability: shape (n,), by the label rule.
        fraud: shape (n,), bool, the label.
    """

    columns: Columns
    lost: Mapping[str, NDArray[np.bool_]]
    histories: tuple[History, ...]
    fraud_probability: NDArray[np.float64]
    fraud: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.fraud)

    def records(self) -> Iterator[dict[str, Value]]:
        """One object a transaction, as a request holds it: plain Python values, None where the value is lost."""
        lists = [
            [None if gone else value for value, gone in zip(values.tolist(), self.lost[name].tolist(), strict=True)]
            if name in self.lost
            else values.tolist()
            for name, values in self.columns.items()
        ]
        return (dict(zip(self.columns, row, strict=True)) for row in zip(*lists, strict=True))

    def to_csv(self) -> str:
        """Header of feature names and the label, then one line a transaction; an empty field is a null."""
        text = io.StringIO()
        writer = csv.DictWriter(text, [*self.columns, LABEL], lineterminator="\n")
        writer.writeheader()
        labels = self.fraud.astype(int).tolist()
        writer.writerows({**record, LABEL: label} for record, label in zip(self.records(), labels, strict=True))
        return text.getvalue()


def _unlike(generator: np.random.Generator, usual: NDArray[Any], choices: NDArray[Any], share: float) -> NDArray[Any]:
    """`usual`, shape (n,), with a draw from `choices` in a `share` (0 to 1) of places."""
    elsewhere = generator.random(len(usual)) < share
    return np.where(elsewhere, generator.choice(choices, len(usual)), usual)


def _amounts(generator: np.random.Generator, means: NDArray[np.float64], category: NDArray[Any]) -> NDArray[np.float64]:
    """EUR, shape (n,): log-normal around the card's mean times the category's level, 0.5 to 5,000."""
    level = np.array([CATEGORIES[name][1] for name in category])
    amounts = means * level * np.exp(generator.normal(-0.12, 0.5, len(means)))
    return np.asarray(np.round(np.clip(amounts, 0.5, 5_000.0), 2), dtype=np.float64)


def _velocities(generator: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Transactions of the card in the hour before, shape (count,): 3% of cards are in a burst."""
    return generator.poisson(np.where(generator.random(count) < 0.03, 4.0, 0.35))


def _spend(
    generator: np.random.Generator, means: NDArray[np.float64], velocity: NDArray[np.int64]
) -> NDArray[np.float64]:
    """EUR of the card in the 24 hours before, shape (n,): gamma, the more the higher its velocity."""
    return np.asarray(np.round(means * generator.gamma(0.9 + velocity, 0.9), 2), dtype=np.float64)


def _distances(generator: np.random.Generator, abroad: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Kilometres from the holder's home, shape (n,): around 6 at home, around 1,500 abroad, at most 12,000."""
    near = np.exp(generator.normal(np.log(6.0), 1.1, len(abroad)))
    far = np.exp(generator.normal(np.log(1_500.0), 0.7, len(abroad)))
    return np.asarray(np.round(np.minimum(np.where(abroad, far, near), 12_000.0), 1), dtype=np.float64)


def _columns(generator: np.random.Generator, population: Population, cards: NDArray[np.int64]) -> Columns:
    count = len(cards)
    histories = [population.histories[card] for card in cards]
    means = np.array([history.mean_amount_30d for history in histories])
    home = np.array([history.home_country for history in histories], dtype=object)
    merchants = generator.integers(0, len(population.merchants), count)
    category = population.merchant_categories[merchants]
    country = _unlike(generator, home, population.countries, 0.06)
    device = np.array([history.usual_device for history in histories], dtype=object)
    velocity = _velocities(generator, count)
    hour_shares = np.array(HOURS) / sum(HOURS)
    return {
        "transaction_id": np.array([f"tx-{position:08d}" for position in range(count)], dtype=object),
        "card_id": population.card_ids[cards],
        "merchant": population.merchants[merchants],
        "merchant_category": category,
        "country": country,
        "device": _unlike(generator, device, population.devices, 0.05),
        "hour": generator.choice(24, count, p=hour_shares),
        "transactions_1h": velocity,
        "amount": _amounts(generator, means, category),
        "amount_24h": _spend(generator, means, velocity),
        "distance_km": _distances(generator, country != home),
    }


def fraud_probability(columns: Columns, histories: tuple[History, ...]) -> NDArray[np.float64]:
    """The label rule: probability of fraud (0 to 1) of each transaction, shape (n,), from complete columns."""
    means = np.array([history.mean_amount_30d for history in histories])
    signals = {
        "log_amount_ratio": np.log(columns["amount"] / means),
        "night": columns["hour"] < 6,
        "log_velocity": np.log1p(columns["transactions_1h"]),
        "log_spend_ratio": np.log1p(columns["amount_24h"] / means),
        "log_distance": np.log1p(columns["distance_km"]),
        "foreign": columns["country"] != np.array([history.home_country for history in histories], dtype=object),
        "new_device": columns["device"] != np.array([history.usual_device for history in histories], dtype=object),
        "chargebacks": np.array([history.chargebacks_90d for history in histories]),
    }
    risk = np.array([CATEGORIES[name][2] for name in columns["merchant_category"]])
    logit = INTERCEPT + risk + sum(weight * signals[name].astype(np.float64) for name, weight in WEIGHTS.items())
    return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float64)


def draw_transactions(population: Population, count: int, seed: int) -> Transactions:
    """`count` independent transactions of random cards; the same bytes for the same population, count and seed."""
    generator = np.random.default_rng([seed, 2])
    cards = generator.integers(0, len(population.card_ids), count)
    columns = _columns(generator, population, cards)
    histories = tuple(population.histories[card] for card in cards)
    probability = fraud_probability(columns, histories)
    return Transactions(
        columns=columns,
        histories=histories,
        fraud_probability=probability,
        fraud=generator.random(count) < probability,
        lost={name: generator.random(count) < share for name, share in NULL_SHARES.items()},
    )
