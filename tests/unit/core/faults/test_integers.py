import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alertdrill.core.faults.shared.integers import fitted, half_away
from alertdrill.protocols.schema import FeatureKind

whole = st.integers(min_value=-(2**52), max_value=2**52).map(float)
changes = st.floats(min_value=-1e6, max_value=1e6).filter(lambda change: abs(change) > 1e-3)


def test_halves_are_rounded_away_from_zero_and_nothing_else_is_moved_too_far():
    values = np.array([0.5, -0.5, 1.5, 2.5, -2.5, 2.4, -2.6, 0.49999999999999994, 2.0**52 + 1])
    assert half_away(values).tolist() == [1, -1, 2, 3, -3, 2, -3, 0, 2.0**52 + 1]


def test_nothing_is_rounded_to_minus_zero():
    assert not np.signbit(half_away(np.array([-0.3, -0.0]))).any()


def test_numbers_stay_as_they_are():
    assert fitted(np.array([1.0]), np.array([1.2]), FeatureKind.NUMBER).tolist() == [1.2]


def test_an_integer_that_would_be_rounded_back_moves_one_in_the_direction_of_the_change():
    fit = fitted(np.array([3.0, 3.0, 3.0, -3.0]), np.array([3.2, 2.8, 4.6, -3.2]), FeatureKind.INTEGER)
    assert fit.tolist() == [4, 2, 5, -4]


def test_an_integer_column_that_an_earlier_fault_left_with_decimals_is_compared_as_it_is_written():
    fit = fitted(np.array([12.7, 12.7, 12.7]), np.array([12.3, 12.9, 12.7]), FeatureKind.INTEGER)
    assert fit.tolist() == [11, 13, 12.7]


@settings(max_examples=50)
@given(before=whole, change=changes)
def test_every_change_of_an_integer_is_seen_in_a_request(before, change):
    (fit,) = fitted(np.array([before]), np.array([before + change]), FeatureKind.INTEGER).tolist()
    assert fit.is_integer()
    assert fit != before or before + change == before
