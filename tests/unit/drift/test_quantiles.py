import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.drift.quantiles import chi_squared_above, chi_squared_tail


@pytest.mark.parametrize(
    ("freedom", "value", "probability"),  # Abramowitz and Stegun 1964, table 26.8
    [(1, 3.84146, 0.05), (2, 13.8155, 0.001), (9, 16.9190, 0.05), (10, 29.5883, 0.001), (15, 37.6973, 0.001)],
)
def test_quantiles_are_those_of_the_tables(freedom: int, value: float, probability: float) -> None:
    assert chi_squared_above(probability, freedom) == pytest.approx(value, rel=1e-5)


def test_far_out_it_is_still_exact() -> None:
    assert chi_squared_above(1.65e-6, 10) == pytest.approx(45.7, abs=0.1)
    assert chi_squared_above(1e-300, 2) == pytest.approx(600 * math.log(10))


@given(st.floats(1e-12, 0.999), st.integers(1, 60))
def test_tail_and_quantile_are_inverse(probability: float, freedom: int) -> None:
    assert chi_squared_tail(chi_squared_above(probability, freedom), freedom) == pytest.approx(probability, rel=1e-6)
