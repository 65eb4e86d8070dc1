import numpy as np
import pytest

from alertdrill.drift.cells import NumericCells
from alertdrill.drift.psi import debiased_psi, expected_psi, psi, smoothed_shares

RNG = np.random.default_rng(11)
CELLS = NumericCells.from_reference(RNG.normal(size=100_000), nulls=1_000)
SHARES = CELLS.reference_shares


def test_psi_of_equal_shares_is_zero_and_is_symmetric() -> None:
    p, r = np.array([0.2, 0.8]), np.array([0.5, 0.5])
    assert psi(r, r) == 0.0
    assert psi(p, r) == pytest.approx(psi(r, p)) == pytest.approx(0.3 * np.log(4))


def test_a_window_without_rows_looks_like_the_reference() -> None:
    nothing = np.zeros(len(SHARES), dtype=np.int64)
    np.testing.assert_allclose(smoothed_shares(nothing, SHARES), SHARES)
    assert debiased_psi(nothing, SHARES, CELLS.reference_rows) == 0.0


def test_the_expected_part_matches_clean_windows() -> None:
    windows = RNG.multinomial(500, CELLS.reference_counts / CELLS.reference_rows, 400)
    raw = np.mean([psi(smoothed_shares(w, SHARES), SHARES) for w in windows])
    assert raw == pytest.approx(expected_psi(505, CELLS.reference_rows, 11), rel=0.15)


def test_clean_windows_of_any_size_stay_near_zero() -> None:
    for rows in (100, 500, 2_000):
        windows = RNG.multinomial(rows, CELLS.reference_counts / CELLS.reference_rows, 200)
        mean = np.mean([debiased_psi(w, SHARES, CELLS.reference_rows) for w in windows])
        assert mean < 0.3 * expected_psi(rows, CELLS.reference_rows, 11)


def test_a_shift_of_one_deviation_stands_out() -> None:
    moved = CELLS.count(RNG.normal(1.0, 1.0, 500).tolist())
    assert debiased_psi(moved, SHARES, CELLS.reference_rows) > 0.5
