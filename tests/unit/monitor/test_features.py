from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from alertdrill.drift.cells import Cells, NumericCells
from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.monitor.features import FeatureCounters

Parse = Callable[[str], dict[tuple[str, ...], float]]
LABELS = {"model": "fraud", "version": "1"}


@pytest.fixture
def features(cells: dict[str, Cells], detector: EDetector) -> FeatureCounters:
    return FeatureCounters(LABELS, cells, ("id",), detector)


def row(**changes: Any) -> dict[str, Any]:
    return {"id": "7", "amount": 50.0, "country": "DE", **changes}


def test_every_cell_exists_before_the_first_row(
    features: FeatureCounters, cells: dict[str, Cells], values: Parse
) -> None:
    seen = values("".join(features.render()))
    for feature, of in cells.items():
        for cell, share in zip(of.names, of.reference_shares, strict=True):
            assert seen["model_feature_values_total", feature, cell] == 0
            assert seen["model_feature_reference_share", feature, cell] == share
        assert seen["model_drift_evidence", feature] == 0
        assert seen["model_drift_threshold", feature] == pytest.approx(15.615 + 0.693, abs=1e-3)
    assert seen["model_feature_reference_mean", "amount"] == pytest.approx(50.0, abs=0.5)
    assert seen["model_feature_reference_sd", "amount"] == pytest.approx(10.0, abs=0.5)


def test_each_row_counts_once_in_every_feature(features: FeatureCounters, values: Parse) -> None:
    missing = row()
    del missing["amount"]
    features.add([row(), row(amount=None), missing, row(amount="50"), row(amount=-1e9), row(country="XX")])
    seen = values("".join(features.render()))
    count = {k[1:]: v for k, v in seen.items() if k[0] == "model_feature_values_total" and v}
    assert {cell: n for (feature, cell), n in count.items() if feature == "country"} == {"DE": 5, "unseen": 1}
    amount = {cell: n for (feature, cell), n in count.items() if feature == "amount"}
    assert sum(amount.values()) == 6
    assert amount == {"null": 1, "missing": 1, "type_error": 1, "below": 1} | {
        cell: 2 for cell in amount if cell.startswith("q")
    }


def test_sums_give_the_mean_of_the_numbers_alone(features: FeatureCounters, values: Parse) -> None:
    features.add([row(amount=40), row(amount=60.0), row(amount=None), row(amount="60")])
    seen = values("".join(features.render()))
    assert seen["model_feature_sum", "amount"] == 100.0
    assert seen["model_feature_count", "amount"] == 2
    assert seen["model_feature_sum_squares", "amount"] == 40.0**2 + 60.0**2
    assert ("model_feature_sum", "country") not in seen


def test_an_absurd_number_does_not_swallow_the_sum(features: FeatureCounters, values: Parse) -> None:
    features.add([row(amount=1e300)])
    before = values("".join(features.render()))["model_feature_sum", "amount"]
    features.add([row(amount=50.0)])
    assert values("".join(features.render()))["model_feature_sum", "amount"] - before == pytest.approx(50.0, abs=1e-3)


def test_unknown_keys_are_counted_and_make_no_series(features: FeatureCounters) -> None:
    before = len("".join(features.render()).splitlines())
    features.add([row(**{f"k{i}": i for i in range(10_000)}), {"k": 1}])
    assert features.unknown_keys == 10_001
    assert len("".join(features.render()).splitlines()) == before


def test_evidence_moves_only_at_an_update_that_has_rows(features: FeatureCounters, values: Parse) -> None:
    features.add([row(amount=None)] * 50)
    assert values("".join(features.render()))["model_drift_evidence", "amount"] == 0
    features.update()
    drifted = values("".join(features.render()))
    assert drifted["model_drift_evidence", "amount"] > drifted["model_drift_threshold", "amount"]
    features.update()
    assert features.updates == 1


def test_the_global_evidence_has_a_threshold_of_its_own(features: FeatureCounters, values: Parse) -> None:
    before = values("".join(features.render()))
    assert before["model_drift_global_evidence",] == 0
    assert before["model_drift_global_threshold",] == pytest.approx(15.615, abs=1e-3)
    features.add([row(amount=None)] * 50)
    features.update()
    after = values("".join(features.render()))
    assert after["model_drift_global_evidence",] >= after["model_drift_global_threshold",]


def warnings(features: FeatureCounters, values: Parse) -> dict[str, float]:
    seen = values("".join(features.render()))
    return {key[1]: value for key, value in seen.items() if key[0] == "model_drift_warning"}


def test_a_small_reference_is_warned_of_from_the_start(features: FeatureCounters, values: Parse) -> None:
    assert warnings(features, values) == {"reference_too_small": 1, "repeated_rows": 0, "dependent_in_time": 0}


def test_rows_that_come_five_times_are_warned_of_and_others_are_not(features: FeatureCounters, values: Parse) -> None:
    amounts = np.random.default_rng(2).normal(50.0, 10.0, 2_000).tolist()
    for start in range(0, 1_000, 10):
        features.add([row(amount=amount) for amount in amounts[start : start + 10]])
        features.update()
    assert warnings(features, values)["repeated_rows"] == 0
    for amount in amounts[1_000:1_200]:
        features.add([row(amount=amount)] * 5)
        features.update()
    assert warnings(features, values)["repeated_rows"] == 1


def test_rows_that_hold_lists_and_objects_are_counted_and_compared(features: FeatureCounters, values: Parse) -> None:
    deep: list[Any] = []
    for _ in range(900):
        deep = [deep]
    for _ in range(150):
        features.add([row(amount=deep), row(amount={"a": 1}), row(amount=deep), row(country=[1])])
    assert warnings(features, values)["repeated_rows"] == 0
    assert values("".join(features.render()))["model_feature_values_total", "amount", "type_error"] == 450


def test_sentinels_are_counted_apart_and_are_no_part_of_the_mean(values: Parse) -> None:
    numbers = np.random.default_rng(3).normal(50.0, 10.0, 5_000)
    cells: dict[str, Cells] = {"amount": NumericCells.from_reference(np.r_[numbers, np.full(200, -999.0)])}
    features = FeatureCounters(LABELS, cells, (), EDetector(list(cells.values()), log_threshold(1)))
    features.add([{"amount": 40}, {"amount": -999}, {"amount": -998.0}])
    seen = values("".join(features.render()))
    assert seen["model_feature_values_total", "amount", "sentinel"] == 1
    assert seen["model_feature_values_total", "amount", "below"] == 1
    assert (seen["model_feature_sum", "amount"], seen["model_feature_count", "amount"]) == (40 - 998, 2)
    assert seen["model_feature_reference_mean", "amount"] == pytest.approx(50.0, abs=0.5)
