from collections.abc import Callable

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from alertdrill.drift.cells import CategoryCells, Cells, NumericCells
from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.monitor.account import Account

LABELS = {"model": "fraud", "version": "1"}
Values = dict[tuple[str, ...], float]


@pytest.fixture
def cells() -> dict[str, Cells]:
    rng = np.random.default_rng(1)
    return {
        "amount": NumericCells.from_reference(rng.normal(50.0, 10.0, 5_000), nulls=50),
        "country": CategoryCells.from_reference(rng.choice(["DE", "FR"], 5_000, p=[0.8, 0.2])),
    }


@pytest.fixture
def detector(cells: dict[str, Cells]) -> EDetector:
    return EDetector(list(cells.values()), log_threshold(len(cells)))


@pytest.fixture
def account(cells: dict[str, Cells], detector: EDetector) -> Account:
    return Account(LABELS, cells, ("id",), detector, started_at=1_790_000_000.0)


@pytest.fixture
def values() -> Callable[[str | bytes], Values]:
    """Name and label values (without model and version) of every sample of a text, to its value."""

    def parse(text: str | bytes) -> Values:
        decoded = text.decode() if isinstance(text, bytes) else text
        return {
            (sample.name, *(v for k, v in sample.labels.items() if k not in LABELS)): sample.value
            for family in text_string_to_metric_families(decoded)
            for sample in family.samples
        }

    return parse
