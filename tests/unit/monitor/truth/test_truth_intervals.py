"""The intervals hold what they promise: seeded simulations, and values from the literature."""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from alertdrill.monitor.truth.auc import auc
from alertdrill.monitor.truth.errors import chi_square, mae, rmse
from alertdrill.monitor.truth.proportions import Estimate, f1, proportion

LEAST = 0.93  # of intervals, at a nominal .95
ROUNDS = 1_500

Drawn = Callable[[np.random.Generator, int], NDArray[np.float64]]


def holds(estimate: Estimate | None, truth: float) -> bool:
    assert estimate is not None
    assert estimate.low <= estimate.value <= estimate.high
    return estimate.low <= truth <= estimate.high


def test_wilson_is_that_of_the_literature() -> None:
    estimate = proportion(15, 148)  # Newcombe 1998, Stat Med 17:857, table I, method 3: 81 of 263 and 15 of 148
    assert estimate is not None
    assert (round(estimate.low, 4), round(estimate.high, 4)) == (0.0624, 0.1605)
    assert proportion(0, 20) == pytest.approx((0.0, 0.0, 0.1611), abs=5e-5)
    assert proportion(0, 0) is None


@pytest.mark.parametrize(("share", "trials"), [(0.5, 30), (0.9, 100), (0.98, 300), (0.75, 1_000)])
def test_accuracy_is_covered(share: float, trials: int) -> None:
    rng = np.random.default_rng(1)
    hits = rng.binomial(trials, share, ROUNDS).tolist()
    assert np.mean([holds(proportion(hit, trials), share) for hit in hits]) >= LEAST


@pytest.mark.parametrize(
    ("shares", "rows"), [((0.3, 0.1, 0.1), 60), ((0.015, 0.01, 0.005), 2_000), ((0.05, 0.2, 0.1), 100)]
)
def test_f1_is_covered(shares: tuple[float, float, float], rows: int) -> None:
    both, called, missed = shares
    truth = 2 * both / (2 * both + called + missed)
    drawn = np.random.default_rng(2).multinomial(rows, [*shares, 1 - sum(shares)], ROUNDS).tolist()
    assert np.mean([holds(f1(*counts[:3]), truth) for counts in drawn if sum(counts[:3])]) >= LEAST


def test_f1_is_its_formula_and_unknown_without_positives() -> None:
    estimate = f1(30, 10, 20)
    assert estimate is not None
    assert estimate.value == pytest.approx(60 / 90)
    assert f1(0, 0, 0) is None
    assert f1(0, 3, 0) == pytest.approx((0.0, 0.0, f1(0, 0, 3).high))  # type: ignore[union-attr]


@pytest.mark.parametrize("positives", [10, 50, 300])
@pytest.mark.parametrize("area", [0.6, 0.8, 0.95])
@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_auc_is_covered(positives: int, area: float, spread: float) -> None:
    rng = np.random.default_rng(3)
    shift = NormalDist().inv_cdf(area) * math.sqrt(1 + spread**2)
    draws = [auc(rng.normal(shift, spread, positives), rng.normal(0.0, 1.0, 300)) for _ in range(500)]
    assert np.mean([holds(estimate, area) for estimate in draws]) >= LEAST


def test_auc_counts_ties_half_and_has_width_at_its_ends() -> None:
    apart, ties = auc(np.array([3.0, 4.0, 5.0]), np.array([0.0, 1.0])), auc(np.ones(20), np.ones(30))
    assert apart is not None
    assert ties is not None
    assert (apart.value, apart.high) == (1.0, 1.0)
    assert apart.low < 0.7
    assert ties.value == 0.5
    assert auc(np.array([1.0]), np.array([0.0, 1.0])) is None


def test_auc_of_delong_is_that_of_pairs() -> None:
    rng = np.random.default_rng(4)
    positive, negative = rng.integers(0, 9, 40).astype(float), rng.integers(0, 7, 60).astype(float)
    pairs = (positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean()
    estimate = auc(positive, negative)
    assert estimate is not None
    assert estimate.value == pytest.approx(pairs)


ERRORS: dict[str, tuple[Drawn, float, float]] = {
    "normal": (lambda rng, n: rng.normal(0.0, 3.0, n), 3.0, 3.0 * math.sqrt(2 / math.pi)),
    "uniform": (lambda rng, n: rng.uniform(-1.0, 1.0, n), math.sqrt(1 / 3), 0.5),
    "laplace": (lambda rng, n: rng.laplace(0.0, 1.0, n), math.sqrt(2.0), 1.0),
}


@pytest.mark.parametrize(("kind", "rows"), [("normal", 50), ("normal", 300), ("uniform", 50), ("laplace", 300)])
def test_rmse_and_mae_are_covered(kind: str, rows: int) -> None:
    draw, root, mean = ERRORS[kind]
    rng = np.random.default_rng(5)
    drawn = [draw(rng, rows) for _ in range(ROUNDS)]
    assert np.mean([holds(rmse(errors), root) for errors in drawn]) >= LEAST
    assert np.mean([holds(mae(errors), mean) for errors in drawn]) >= LEAST


def test_errors_that_are_all_alike_or_absurd_have_an_answer() -> None:
    assert rmse(np.zeros(5)) == (0.0, 0.0, 0.0)
    assert mae(np.full(5, -2.0)) == (2.0, 2.0, 2.0)
    assert mae(np.array([1.0])) is None
    large = mae(np.array([1e200, 2e200, 3e200]))
    assert large is not None
    assert math.isfinite(large.high)
    assert rmse(np.array([3e200, 4e200])) == pytest.approx((3.5355e200,) * 3, rel=0.6)


@pytest.mark.parametrize(("freedom", "quantile"), [(10.0, 20.483), (50.0, 71.420), (3.0, 9.348)])
def test_the_chi_square_quantile_is_that_of_tables(freedom: float, quantile: float) -> None:
    assert chi_square(freedom, NormalDist().inv_cdf(0.975)) == pytest.approx(quantile, rel=0.01)
