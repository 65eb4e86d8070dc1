"""The cards, merchants, countries and devices that transactions are drawn from; names by Faker, drawn once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from faker import Faker
from history import History
from numpy.typing import NDArray

CARDS = 2_000
MERCHANTS = 240
COUNTRIES = 12
DEVICES_PER_PLATFORM = 2

# Merchant category: (share of merchants, usual amount as a multiple of the card's mean, risk in the label rule).
CATEGORIES = {
    "groceries": (0.26, 0.8, 0.0),
    "restaurants": (0.20, 0.7, 0.0),
    "fuel": (0.12, 0.9, 0.1),
    "fashion": (0.14, 1.2, 0.3),
    "pharmacy": (0.10, 0.6, 0.0),
    "electronics": (0.08, 1.9, 0.9),
    "travel": (0.06, 2.2, 0.6),
    "gambling": (0.04, 1.3, 1.4),
}


@dataclass(frozen=True)
class Population:
    """Lookup columns, by position.

    Attributes:
        card_ids: shape (CARDS,), str.
        histories: one for each card, in the same order.
        merchants: shape (MERCHANTS,), str, distinct.
        merchant_categories: shape (MERCHANTS,), a key of CATEGORIES for each merchant.
        countries: shape (COUNTRIES,), ISO codes, the most frequent first.
        devices: shape (n,), platform tokens.
    """

    card_ids: NDArray[Any]
    histories: tuple[History, ...]
    merchants: NDArray[Any]
    merchant_categories: NDArray[Any]
    countries: NDArray[Any]
    devices: NDArray[Any]


def country_shares() -> NDArray[np.float64]:
    """Share of each country among home countries, shape (COUNTRIES,), sum 1: each has 0.7 of the one before."""
    weights = 0.7 ** np.arange(COUNTRIES)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _devices(fake: Faker) -> NDArray[Any]:
    unique = fake.unique
    platforms = (
        unique.android_platform_token,
        unique.ios_platform_token,
        unique.mac_platform_token,
        unique.windows_platform_token,
    )
    return np.array([platform() for platform in platforms for _ in range(DEVICES_PER_PLATFORM)], dtype=object)


def _histories(generator: np.random.Generator, countries: NDArray[Any], devices: NDArray[Any]) -> tuple[History, ...]:
    columns = (
        generator.choice(countries, CARDS, p=country_shares()).tolist(),
        generator.choice(devices, CARDS).tolist(),
        np.round(np.exp(generator.normal(np.log(55.0), 0.4, CARDS)), 2).tolist(),
        generator.integers(30, 3_650, CARDS).tolist(),
        generator.poisson(0.08, CARDS).tolist(),
    )
    return tuple(History(*record) for record in zip(*columns, strict=True))


def draw_population(seed: int) -> Population:
    """The same population for the same seed and the same version of Faker."""
    generator = np.random.default_rng([seed, 1])
    fake = Faker("en_US")
    fake.seed_instance(seed)
    countries = np.array([fake.unique.country_code() for _ in range(COUNTRIES)], dtype=object)
    devices = _devices(fake)
    shares = [share for share, _, _ in CATEGORIES.values()]
    return Population(
        card_ids=np.array([fake.unique.hexify("card-^^^^^^^^") for _ in range(CARDS)], dtype=object),
        histories=_histories(generator, countries, devices),
        merchants=np.array([fake.unique.company() for _ in range(MERCHANTS)], dtype=object),
        merchant_categories=generator.choice(np.array(list(CATEGORIES), dtype=object), MERCHANTS, p=shares),
        countries=countries,
        devices=devices,
    )
