import math

import numpy as np
import pytest

from alertdrill.drift.cells import NumericCells
from alertdrill.monitor.moments import Moments

PLAIN = np.linspace(0.0, 1.0, 100)


@pytest.mark.parametrize("moments", [Moments(), Moments.of(NumericCells.from_reference(PLAIN))])
def test_nan_is_no_number_and_takes_none_with_it(moments: Moments) -> None:
    moments.add(np.array([1.0, math.nan, 2.0]))
    moments.add(np.array([math.nan]))
    assert (moments.count, moments.total, moments.squares) == (2, 3.0, 5.0)


def test_infinities_are_drawn_in_on_their_own_side() -> None:
    moments = Moments()
    moments.add(np.array([math.inf, math.nan, 0.5, -math.inf]))
    assert (moments.count, moments.total, moments.squares) == (3, 0.5, 2e18 + 0.25)


@pytest.mark.parametrize("largest", [1e300, 1.7e308])
def test_sums_are_numbers_even_where_the_reference_is_absurd(largest: float) -> None:
    moments = Moments.of(NumericCells.from_reference(np.r_[PLAIN, largest]))
    for _ in range(100):
        moments.add(np.array([largest, -largest, math.inf]))
    assert moments.count == 300
    assert math.isfinite(moments.total)
    assert math.isfinite(moments.squares)


def test_sentinels_of_the_reference_are_left_out() -> None:
    moments = Moments.of(NumericCells.from_reference(np.r_[PLAIN, [-999.0] * 20]))
    moments.add(np.array([-999.0, 0.5]))
    assert (moments.count, moments.total) == (1, 0.5)
