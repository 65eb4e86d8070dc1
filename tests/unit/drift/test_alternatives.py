from statistics import NormalDist

import numpy as np
import pytest

from alertdrill.drift.alternatives import alternatives, log_ratios, smallest_shift_sd
from alertdrill.drift.cells import CategoryCells, Cells, NumericCells

RNG = np.random.default_rng(2)
GRID = np.array([NormalDist().inv_cdf((i + 0.5) / 10_000) for i in range(10_000)])
NORMAL = NumericCells.from_reference(GRID, nulls=100)
COUNTRY = CategoryCells.from_reference(RNG.choice(["DE", "FR", "GB"], 10_000, p=[0.6, 0.3, 0.1]))
CONSTANT = NumericCells.from_reference(np.full(50, 1.0))
SINGLE = CategoryCells.from_reference(["only"])


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("cells", [NORMAL, COUNTRY, CONSTANT, SINGLE], ids=["normal", "country", "constant", "single"])
def test_every_alternative_is_a_distribution_that_rules_nothing_out(cells: Cells, exact: bool) -> None:
    shares = alternatives(cells, exact)
    assert shares.shape[0] >= 1
    assert shares.shape[1] == len(cells.names)
    assert (shares > 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


@pytest.mark.parametrize("cells", [NORMAL, COUNTRY])
def test_a_row_of_the_reference_multiplies_every_bet_by_one_on_average(cells: Cells) -> None:
    fair = np.exp(log_ratios(cells)) @ cells.reference_shares
    np.testing.assert_allclose(fair, 1.0)


def test_there_are_about_forty_alternatives_for_a_number() -> None:
    assert 35 <= len(alternatives(NORMAL)) <= 45


def test_the_first_alternative_is_a_normal_shifted_by_a_tenth() -> None:
    seen = np.bincount(NORMAL.place_numbers(GRID + 0.1), minlength=15)[1:11] / len(GRID) * 0.99
    np.testing.assert_allclose(alternatives(NORMAL, exact_reference=True)[0][1:11], seen, atol=0.001)


def test_a_small_reference_leaves_out_what_it_cannot_support() -> None:
    small = NumericCells.from_reference(RNG.normal(size=1_000))
    assert smallest_shift_sd(1_000) == pytest.approx(0.316, abs=1e-3)
    assert len(alternatives(small)) < len(alternatives(small, exact_reference=True))
    above = small.value_cells - 1
    assert not np.isclose(alternatives(small)[:, above], 0.01, rtol=0.1).any()
