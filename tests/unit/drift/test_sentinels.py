import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from alertdrill.drift.alternatives import alternatives
from alertdrill.drift.cells import NumericCells
from alertdrill.drift.sentinels import sentinels

RNG = np.random.default_rng(21)
NORMAL = RNG.normal(50.0, 10.0, 5_000)
AMOUNTS = np.round(RNG.lognormal(3.5, 0.8, 5_000), 2)
MOSTLY_ZERO = np.where(RNG.random(5_000) < 0.8, 0.0, AMOUNTS)
FLAGS = (RNG.random(5_000) < 0.05).astype(float)
FEW_CODES = RNG.choice([0.0, 1.0, 2.0], 5_000, p=[0.9, 0.08, 0.02])
COUNTS = RNG.poisson(0.4, 5_000).astype(float)
RATINGS = RNG.integers(1, 6, 5_000).astype(float)
CLIPPED = np.clip(RNG.lognormal(3.5, 1.5, 5_000), 0.5, 500.0)
THREE_SIDES = RNG.choice([-1.0, 0.0, 1.0], 5_000, p=[0.02, 0.96, 0.02])
ORDINARY = {
    "normal": NORMAL, "amounts": AMOUNTS, "mostly zero": MOSTLY_ZERO, "flags": FLAGS, "few codes": FEW_CODES,
    "counts": COUNTS, "ratings": RATINGS, "clipped": CLIPPED, "three sides": THREE_SIDES, "constant": np.full(99, 7.0),
    "heavy tail": RNG.pareto(1.5, 5_000), "small": NORMAL[:20], "heavy counts": RNG.zipf(2.5, 5_000) * 1.0,
}  # fmt: skip


def mixed(values: NDArray[np.float64], *codes: float, share: float = 0.05) -> NDArray[np.float64]:
    return np.r_[values, np.repeat(codes, int(share * len(values)))]


@pytest.mark.parametrize("values", ORDINARY.values(), ids=list(ORDINARY))
def test_an_ordinary_feature_has_no_sentinel(values: NDArray[np.float64]) -> None:
    assert sentinels(values).tolist() == []
    assert "sentinel" not in NumericCells.from_reference(values).names


@pytest.mark.parametrize("values", [NORMAL, AMOUNTS, MOSTLY_ZERO, FLAGS, COUNTS, RATINGS], ids=str)
def test_a_number_far_outside_that_repeats_is_one(values: NDArray[np.float64]) -> None:
    assert sentinels(mixed(values, -999.0)).tolist() == [-999.0]
    assert sentinels(mixed(values, 99_999.0, share=0.002)).tolist() == [99_999.0]


def test_several_are_found_on_either_side() -> None:
    assert sentinels(mixed(NORMAL, -9999.0, -999.0, 9999.0)).tolist() == [-9999.0, -999.0, 9999.0]


def test_a_far_number_that_does_not_repeat_is_an_outlier_and_stays_in_the_range() -> None:
    values = np.r_[NORMAL, -999.0, -998.0, 9999.0]
    assert sentinels(values).tolist() == []
    cells = NumericCells.from_reference(values)
    assert cells.names[cells.place_value(9999.0)] == "q10"


def test_what_most_rows_hold_is_the_norm() -> None:
    assert sentinels(mixed(NORMAL, 0.0, share=1.1)).tolist() == []


def test_sentinels_have_a_cell_and_leave_the_others_as_they_were() -> None:
    plain, cells = NumericCells.from_reference(NORMAL), NumericCells.from_reference(mixed(NORMAL, -999.0), nulls=3)
    assert cells.names == (*plain.names[:12], "sentinel", *plain.names[12:])
    assert cells.reference_counts[[cells.sentinel, cells.null]].tolist() == [250, 3]
    assert (cells.mean, cells.sd, cells.edges.tolist()) == (plain.mean, plain.sd, plain.edges.tolist())
    names = [cells.names[cells.place_value(v)] for v in (-999, -999.0, -998.0, 9999.0, None, "-999")]
    assert names == ["sentinel", "sentinel", "below", "above", "null", "type_error"]


@given(st.lists(st.sampled_from([-999, -999.0, -998, 50.0, 1e9, None, "x", float("nan")]), max_size=20))
def test_counting_many_is_placing_each_where_there_are_sentinels(values: list[object]) -> None:
    cells = NumericCells.from_reference(mixed(NORMAL, -999.0))
    one_by_one = np.bincount([cells.place_value(v) for v in values], minlength=len(cells.names))
    assert cells.count(values).tolist() == one_by_one.tolist()


def test_the_detector_bets_on_more_and_on_fewer_sentinels_and_moves_the_rest_without_them() -> None:
    cells = NumericCells.from_reference(mixed(NORMAL, -999.0))
    assert cells.sentinel is not None
    shares = alternatives(cells, exact_reference=True)
    usual = cells.reference_shares[cells.sentinel]
    assert shares[:, cells.sentinel].max() > 0.5
    fewer = shares[np.isclose(shares[:, cells.sentinel], usual / 2, rtol=0.01)]
    assert (fewer[:, cells.null :].sum(axis=1) < 0.01).any()
    np.testing.assert_allclose(shares[:16, cells.sentinel], usual, rtol=1e-3)
