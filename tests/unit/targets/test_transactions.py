"""The generator of the bundled target `fraud`."""

import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from alertdrill.protocols.rows import Cell, parse_csv
from alertdrill.protocols.schema import Schema

FOLDER = Path(__file__).parents[3] / "targets" / "fraud"
ROWS = 5_000


@pytest.fixture(scope="module")
def fraud() -> Iterator[Any]:
    """Modules of the target, imported as they are when its scripts run: with their folder on the path."""
    sys.path.insert(0, str(FOLDER))
    names = ("population", "transactions", "history")
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    sys.path.remove(str(FOLDER))
    for name in names:
        del sys.modules[name]


@pytest.fixture(scope="module")
def drawn(fraud: Any) -> Any:
    return fraud.transactions.draw_transactions(fraud.population.draw_population(3), ROWS, 3)


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema.model_validate(yaml.safe_load((FOLDER / "target.yaml").read_text())["schema"])


def test_one_seed_gives_the_same_bytes(fraud: Any) -> None:
    texts = [
        fraud.transactions.draw_transactions(fraud.population.draw_population(3), 200, 3).to_csv() for _ in range(2)
    ]
    assert texts[0] == texts[1]


def test_another_seed_gives_other_transactions(fraud: Any) -> None:
    population = fraud.population.draw_population(3)
    texts = [fraud.transactions.draw_transactions(population, 200, seed).to_csv() for seed in (3, 4)]
    assert texts[0] != texts[1]


def test_the_label_rule_is_the_documented_one(drawn: Any, fraud: Any) -> None:
    risk = {name: figures[2] for name, figures in fraud.population.CATEGORIES.items()}
    for position in range(200):
        row = {name: values[position] for name, values in drawn.columns.items()}
        card = drawn.histories[position]
        logit = (
            -6.8
            + risk[row["merchant_category"]]
            + 1.6 * math.log(row["amount"] / card.mean_amount_30d)
            + 1.3 * (row["hour"] < 6)
            + 0.9 * math.log(1 + row["transactions_1h"])
            + 0.5 * math.log(1 + row["amount_24h"] / card.mean_amount_30d)
            + 0.3 * math.log(1 + row["distance_km"])
            + 1.4 * (row["country"] != card.home_country)
            + 1.6 * (row["device"] != card.usual_device)
            + 0.8 * card.chargebacks_90d
        )
        assert drawn.fraud_probability[position] == pytest.approx(1 / (1 + math.exp(-logit)))


def test_labels_are_draws_from_the_rule(drawn: Any) -> None:
    expected = drawn.fraud_probability.sum()
    deviation = math.sqrt((drawn.fraud_probability * (1 - drawn.fraud_probability)).sum())
    assert abs(drawn.fraud.sum() - expected) < 4 * deviation
    assert 0.01 < drawn.fraud.mean() < 0.04


def test_the_sample_reads_back_by_the_schema(drawn: Any, schema: Schema) -> None:
    assert drawn.to_csv().splitlines()[0] == ",".join([*schema.names(), "is_fraud"])
    rows = parse_csv(drawn.to_csv(), schema)
    assert len(rows) == ROWS
    for feature in schema.features:
        kept = rows.columns[feature.name].cells == Cell.VALUE
        assert rows.columns[feature.name].values[kept].tolist() == drawn.columns[feature.name][kept].tolist()


@pytest.mark.parametrize(("feature", "share"), [("amount", 0.008), ("amount_24h", 0.01), ("distance_km", 0.012)])
def test_some_values_are_lost_by_nature(drawn: Any, schema: Schema, feature: str, share: float) -> None:
    nulls = (parse_csv(drawn.to_csv(), schema).columns[feature].cells == Cell.NULL).sum()
    assert abs(nulls - ROWS * share) < 4 * math.sqrt(ROWS * share)


def test_no_other_feature_has_nulls(drawn: Any, schema: Schema) -> None:
    rows = parse_csv(drawn.to_csv(), schema)
    complete = set(schema.names()) - {"amount", "amount_24h", "distance_km"}
    assert all((rows.columns[name].cells == Cell.VALUE).all() for name in complete)


def test_identifiers_are_not_watched(schema: Schema) -> None:
    assert {f.name for f in schema.features if not f.watched} == {"transaction_id", "card_id", "merchant"}


def test_amounts_are_not_so_heavy_tailed_that_one_deviation_leaves_their_range(drawn: Any) -> None:
    amount = drawn.columns["amount"]
    assert amount.min() >= 0.5
    assert amount.max() <= 5_000
    assert amount.std() < 1.2 * amount.mean()
    assert np.quantile(amount, 0.5) + amount.std() < np.quantile(amount, 0.97)


def test_names_that_need_quotes_survive(drawn: Any) -> None:
    assert any("," in merchant for merchant in drawn.columns["merchant"])
