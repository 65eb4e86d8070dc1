import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.drift.cells import Absent, CategoryCells, NumericCells

NUMBERS = np.random.default_rng(1).normal(50.0, 10.0, 2_000)
NUMERIC = NumericCells.from_reference(NUMBERS, nulls=20, missing=4)
CATEGORY = CategoryCells.from_reference(["a"] * 6 + ["b"] * 3 + ["null"], nulls=2)

decoded = st.one_of(
    st.none(), st.just(Absent.KEY), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=3),
    st.lists(st.integers(), max_size=2), st.sampled_from(["a", "b", "null"]),
)  # fmt: skip


def name_of(cells: NumericCells | CategoryCells, value: object) -> str:
    return cells.names[cells.place_value(value)]


def test_a_continuous_feature_has_ten_quantile_cells_of_equal_share() -> None:
    assert NUMERIC.names[:3] == ("below", "q01", "q02")
    assert NUMERIC.names[10:] == ("q10", "above", "null", "missing", "type_error")
    assert NUMERIC.reference_counts[1:11].tolist() == [200] * 10
    assert NUMERIC.reference_counts[[0, 11, 12, 13, 14]].tolist() == [0, 0, 20, 4, 0]


def test_reference_shares_add_half_a_row_to_every_cell() -> None:
    assert NUMERIC.reference_shares[12] == pytest.approx(20.5 / (2024 + 0.5 * 15))
    assert NUMERIC.reference_shares.sum() == pytest.approx(1.0)


def test_the_range_of_the_reference_is_inside_and_all_else_below_or_above() -> None:
    low, high = float(NUMBERS.min()), float(NUMBERS.max())
    assert [name_of(NUMERIC, v) for v in (low, high)] == ["q01", "q10"]
    assert [name_of(NUMERIC, v) for v in (np.nextafter(low, -np.inf).item(), -999, float("-inf"))] == ["below"] * 3
    assert [name_of(NUMERIC, v) for v in (np.nextafter(high, np.inf).item(), 10**30, float("inf"))] == ["above"] * 3


def test_what_is_no_number_has_a_cell_of_its_own() -> None:
    values = [None, Absent.KEY, "50", True, [50], float("nan")]
    assert [name_of(NUMERIC, v) for v in values] == ["null", "missing", *["type_error"] * 4]


def test_values_that_repeat_leave_no_empty_quantile_cell() -> None:
    cells = NumericCells.from_reference(np.array([0.0] * 700 + [1.0] * 250 + [2.0] * 50))
    assert (cells.reference_counts[1 : cells.value_cells - 1] > 0).all()
    assert cells.place_value(1) == cells.place_value(0) + 1


def test_a_constant_feature_has_one_quantile_cell() -> None:
    cells = NumericCells.from_reference(np.full(10, 3.0))
    assert cells.names[:3] == ("below", "q01", "above")
    assert [name_of(cells, v) for v in (2.9, 3, 3.1)] == ["below", "q01", "above"]
    assert cells.sd == 0.0


def test_categories_are_ranked_and_a_reserved_name_is_quoted() -> None:
    assert CATEGORY.names == ("a", "b", '"null"', "unseen", "null", "missing", "type_error")
    assert CATEGORY.reference_counts.tolist() == [6, 3, 1, 0, 2, 0, 0]
    values = ["a", "null", None, "zebra", Absent.KEY, 5]
    assert [name_of(CATEGORY, v) for v in values] == ["a", '"null"', "null", "unseen", "missing", "type_error"]


def test_rare_known_categories_share_a_cell() -> None:
    cells = CategoryCells.from_reference([f"c{i:02d}" for i in range(30) for _ in range(40 - i)])
    assert cells.names[:2] == ("c00", "c01")
    assert cells.names[10:] == ("other", "unseen", "null", "missing", "type_error")
    assert [name_of(cells, v) for v in ("c09", "c10", "c29", "c30")] == ["c09", "other", "other", "unseen"]


def test_long_category_names_are_short_and_stay_different() -> None:
    cells = CategoryCells.from_reference(["x" * 500 + "a", "x" * 500 + "b"])
    assert len(set(cells.names)) == len(cells.names)
    assert max(map(len, cells.names)) <= 40


@given(st.lists(decoded, max_size=30))
def test_counting_many_is_placing_each(values: list[object]) -> None:
    for cells in (NUMERIC, CATEGORY):
        one_by_one = np.bincount([cells.place_value(v) for v in values], minlength=len(cells.names))
        assert cells.count(values).tolist() == one_by_one.tolist()
        assert np.bincount(cells.place(values), minlength=len(cells.names)).tolist() == one_by_one.tolist()


@given(st.lists(st.floats(-1e6, 1e6) | st.integers(-5, 5).map(float), min_size=1, max_size=60))
def test_any_reference_is_counted_whole_and_within_its_range(values: list[float]) -> None:
    cells = NumericCells.from_reference(np.array(values))
    assert cells.reference_rows == len(values)
    assert cells.reference_counts[[0, cells.above]].tolist() == [0, 0]
    assert cells.count(values).tolist() == cells.reference_counts.tolist()


@pytest.mark.parametrize("values", [np.array([]), np.array([1.0, np.nan]), np.array([np.inf])])
def test_a_reference_without_usable_values_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="needs at least one value"):
        NumericCells.from_reference(values)


def test_a_category_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="needs at least one value"):
        CategoryCells.from_reference([], nulls=3)


@pytest.mark.parametrize(
    "absurd", [[1e300], [-1e300], [1.7e308], [1.7e308, -1.7e308], [1.7e308] * 20 + [-1.7e308] * 20]
)
def test_absurd_numbers_in_a_reference_leave_its_figures_finite_and_its_other_cells_alone(absurd: list[float]) -> None:
    plain = np.linspace(0.0, 1.0, 1000)
    cells = NumericCells.from_reference(np.r_[plain, absurd])
    assert np.isfinite([cells.mean, cells.sd]).all()
    assert cells.reference_rows == len(plain) + len(absurd)
    inside = cells.count(plain.tolist())
    assert (inside[1 : cells.above] > 50).all()
    assert inside.sum() == len(plain)


def test_the_largest_numbers_that_there_are_make_cells_like_any_others() -> None:
    largest = sys.float_info.max
    cells = NumericCells.from_reference(np.array([-largest, largest] * 10))
    assert (cells.mean, cells.sd) == (0.0, largest)
    assert cells.count([-largest, 0.0, largest]).tolist() == [0, 1, 2, 0, 0, 0, 0]


def test_mean_and_deviation_have_the_digits_that_numpy_gives_them() -> None:
    values = np.random.default_rng(1).lognormal(size=1000)
    cells = NumericCells.from_reference(values)
    assert (cells.mean, cells.sd) == (float(values.mean()), float(values.std()))
