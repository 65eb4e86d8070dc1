from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from alertdrill.drift.cells import NumericCells
from alertdrill.drift.windows import (
    FEWEST_EXPECTED_G,
    FEWEST_EXPECTED_PSI,
    Judgement,
    g_test,
    groups,
    ks_test,
    merged,
    psi_test,
    share_of_budget,
    w1_test,
)

RNG = np.random.default_rng(71)
DECILES = np.full(10, 1_000)
REFERENCE = RNG.normal(size=20_000)


def size(trials: int, judge: Callable[[], Judgement]) -> float:
    return float(np.mean([judge().drifted for _ in range(trials)]))


def test_the_budget_is_shared_by_all_tests_of_a_week() -> None:
    assert share_of_budget(features=10, every_s=10.0) == pytest.approx(1.65e-6, rel=0.01)
    assert share_of_budget(features=1, every_s=3_600.0, false_alarms_per_week=2.0) == pytest.approx(2 / 168)


@pytest.mark.parametrize("test", [g_test, psi_test])
@pytest.mark.parametrize("m", [10_000, 1_000])
def test_clean_windows_exceed_the_threshold_as_often_as_allowed(
    test: Callable[[NDArray[np.int64], NDArray[np.int64], float], Judgement], m: int
) -> None:
    rng, shares = np.random.default_rng(72), np.full(10, 0.1)

    def judge() -> Judgement:
        return test(rng.multinomial(1_000, shares), rng.multinomial(m, shares), 0.02)

    assert 0.013 <= size(3_000, judge) <= 0.03


@pytest.mark.parametrize("test", [g_test, psi_test])
def test_rows_drawn_from_the_reference_itself_exceed_it_as_often_too(test: Callable[..., Judgement]) -> None:
    rng = np.random.default_rng(74)
    judge = partial(test, reference_counts=DECILES, alpha=0.02, exact_reference=True)
    assert 0.013 <= size(3_000, lambda: judge(rng.multinomial(1_000, np.full(10, 0.1)))) <= 0.03


def test_clean_windows_of_numbers_exceed_the_thresholds_no_more_often_than_allowed() -> None:
    rng = np.random.default_rng(73)
    assert 0.02 <= size(1_500, lambda: ks_test(rng.normal(size=200), rng.normal(size=2_000), 0.05)) <= 0.06
    assert size(2_000, lambda: w1_test(rng.normal(size=200), rng.normal(size=2_000), 1e-3)) <= 0.003


def test_each_sees_a_shift() -> None:
    window, alpha = RNG.normal(0.6, 1.0, 1_000), share_of_budget(features=10, every_s=10.0)
    cells = NumericCells.from_reference(REFERENCE)
    counts = cells.count(window.tolist())
    for test, fewest in ((g_test, FEWEST_EXPECTED_G), (psi_test, FEWEST_EXPECTED_PSI)):
        assert test(*merged(counts, cells.reference_counts, fewest), alpha).drifted
    assert ks_test(window, REFERENCE, alpha).drifted
    assert w1_test(window, REFERENCE, alpha).drifted


def test_nulls_that_the_reference_never_had_are_seen_after_merging() -> None:
    cells = NumericCells.from_reference(REFERENCE)
    counts = cells.count([None] * 200 + REFERENCE[:800].tolist())
    assert g_test(*merged(counts, cells.reference_counts, FEWEST_EXPECTED_G), 1e-6).drifted


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5_000)), min_size=1, max_size=15), st.floats(1, 60))
def test_merging_loses_no_row_and_leaves_enough_in_every_cell(rows: list[tuple[int, int]], at_least: float) -> None:
    counts, reference = np.array(rows).T
    few, few_reference = merged(counts, reference, at_least)
    assert (few.sum(), few_reference.sum()) == (counts.sum(), reference.sum())
    if len(few) > 1 and counts.sum():
        assert few_reference.min() * (counts.sum() / reference.sum()) >= at_least * (1 - 1e-9)


def test_cells_that_are_frequent_enough_stay_apart() -> None:
    few, reference = merged(np.array([0, 60, 40, 1]), np.array([0, 600, 400, 3]), FEWEST_EXPECTED_G)
    assert few.tolist() == [41, 60]
    assert reference.tolist() == [403, 600]
    assert groups(np.array([400, 600]), 100, FEWEST_EXPECTED_G).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("judge", "says"),
    [
        (lambda: psi_test(RNG.multinomial(400, [0.1] * 10), DECILES, 0.01), "PSI: 40 rows in the rarest cell"),
        (lambda: g_test(RNG.multinomial(40, [0.1] * 10), DECILES, 0.01), "G-test: 4 rows in the rarest cell"),
        (lambda: g_test(np.array([90, 90]), np.array([4, 4]), 0.01), "G-test: 4 rows in the rarest cell"),
        (lambda: g_test(np.array([90]), np.array([100]), 0.01), "one cell can show no difference"),
        (lambda: g_test(np.array([0, 0]), np.array([50, 50]), 0.01), "G-test: 0 rows in the rarest cell"),
        (lambda: ks_test(REFERENCE[:49], REFERENCE, 0.01), "KS: 49 numbers in the window"),
        (lambda: ks_test(REFERENCE[:50], REFERENCE, 1e-60), "cannot exceed a threshold"),
        (lambda: w1_test(REFERENCE[:199], REFERENCE, 1e-4), "W1: 199 numbers in the window"),
        (lambda: w1_test(REFERENCE[:500], REFERENCE, 0.05), "the threshold holds up to 0.001"),
        (lambda: w1_test(np.exp(REFERENCE), np.exp(REFERENCE), 1e-4), "far from normal"),
        (lambda: w1_test(REFERENCE, np.zeros(500), 1e-4), "far from normal"),
        (lambda: g_test(DECILES, DECILES, 0.0), "expected above 0 and below 1"),
        (lambda: ks_test(REFERENCE, REFERENCE, 1.0), "expected above 0 and below 1"),
    ],
)  # fmt: skip
def test_a_test_whose_approximation_does_not_hold_is_refused(judge: Callable[[], Judgement], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        judge()
