import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from alertdrill.core.stats import (
    hits_needed,
    lower_bound,
    misses_needed,
    poisson_interval,
    poisson_upper,
    time_quantile,
    upper_bound,
    wilson_interval,
)

DRAWS = 4000
QUICK = settings(deadline=None, max_examples=25)  # SciPy searches for its exact bounds


@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_the_one_sided_bound_is_a_quantile_of_chi_squared(count: int) -> None:
    assert poisson_upper(count, 2.0) == pytest.approx(scipy_stats.chi2.ppf(0.95, 2 * count + 2) / 4)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.688879), (1, 0.025318, 5.571643), (3, 0.618672, 8.767273), (10, 4.795389, 18.390356)],
)
def test_garwoods_intervals_are_those_of_his_table(count: int, low: float, high: float) -> None:
    found = poisson_interval(count, 1.0)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)
    tenth = poisson_interval(count, 10.0)
    assert (tenth.low, tenth.high) == pytest.approx((low / 10, high / 10), abs=1e-6)


@QUICK
@given(st.integers(0, 60), st.integers(1, 60))
def test_the_bounds_are_scipys_exact_ones(hits: int, more: int) -> None:
    runs = hits + more
    exact = scipy_stats.binomtest(hits, runs, alternative="greater").proportion_ci(0.95, "exact")
    assert lower_bound(hits, runs) == pytest.approx(exact.low, abs=1e-9)
    exact = scipy_stats.binomtest(hits, runs, alternative="less").proportion_ci(0.95, "exact")
    assert upper_bound(hits, runs) == pytest.approx(exact.high, abs=1e-9)
    score = scipy_stats.binomtest(hits, runs).proportion_ci(0.95, "wilson")
    found = wilson_interval(hits, runs)
    assert (found.low, found.high) == pytest.approx((score.low, score.high), abs=1e-9)


def test_without_a_miss_or_a_hit_one_end_is_certain() -> None:
    assert (lower_bound(0, 9), upper_bound(9, 9)) == (0.0, 1.0)
    assert lower_bound(59, 59) == pytest.approx(0.05 ** (1 / 59))
    assert (wilson_interval(0, 9).low, wilson_interval(9, 9).high) == (0.0, 1.0)
    assert (wilson_interval(0, 0).low, wilson_interval(0, 0).high) == (0.0, 1.0)


def test_fifty_nine_hits_in_a_row_are_needed_for_95_percent() -> None:
    assert hits_needed(0, 0, 0.95) == 59
    assert hits_needed(59, 59, 0.95) == 0
    assert hits_needed(58, 58, 0.95) == 1
    assert hits_needed(9, 10, 0.95) == 83
    assert hits_needed(0, 0, 0.9999999) is None


def test_misses_that_are_needed_to_refute_a_probability() -> None:
    assert misses_needed(0, 0, 0.95) == 2
    assert misses_needed(10, 10, 0.95) == 3
    assert misses_needed(0, 2, 0.95) == 0


@QUICK
@given(st.integers(0, 30), st.integers(0, 30), st.floats(0.01, 0.99))
def test_one_run_fewer_would_not_decide(hits: int, misses: int, probability: float) -> None:
    runs = hits + misses
    more = hits_needed(hits, runs, probability)
    assert more is not None
    assert lower_bound(hits + more, runs + more) >= probability
    assert not more or lower_bound(hits + more - 1, runs + more - 1) < probability
    more = misses_needed(hits, runs, probability)
    assert more is not None
    assert upper_bound(hits, runs + more) < probability
    assert not more or upper_bound(hits, runs + more - 1) >= probability


def test_misses_are_times_that_were_cut_off() -> None:
    times, observed = [2.0, 3.0, 3.0, 4.0, 10.0], [True, True, False, True, False]
    assert time_quantile(times, observed, 0.2) == 2.0
    assert time_quantile(times, observed, 0.4) == 3.0
    assert time_quantile(times, observed, 0.7) == 4.0
    assert time_quantile(times, observed, 0.71) is None
    assert time_quantile([], [], 0.5) is None


@QUICK
@given(
    st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=25), st.sampled_from([0.1, 0.5, 0.9])
)
def test_the_quantile_is_that_of_scipys_product_limit_estimate(pairs: list[tuple[int, bool]], share: float) -> None:
    times = [float(at) for at, _ in pairs]
    observed = [happened for _, happened in pairs]
    events = [at for at, happened in zip(times, observed, strict=True) if happened]
    cut_off = [at for at, happened in zip(times, observed, strict=True) if not happened]
    estimate = scipy_stats.ecdf(scipy_stats.CensoredData(uncensored=events, right=cut_off)).cdf
    reached = [
        float(at)
        for at, p in zip(estimate.quantiles, estimate.probabilities, strict=True)
        if p >= share - 1e-12 and at in events
    ]
    assert time_quantile(times, observed, share) == (reached[0] if reached else None)


@pytest.mark.parametrize(("probability", "runs"), [(0.5, 10), (0.95, 59), (0.9, 5)])
def test_the_lower_bound_is_too_high_in_at_most_five_of_a_hundred_series(probability: float, runs: int) -> None:
    hits = np.random.default_rng(1).binomial(runs, probability, DRAWS)
    bound = np.array([lower_bound(k, runs) for k in range(runs + 1)])
    assert (bound[hits] > probability).mean() <= 0.05 + 3 * (0.05 * 0.95 / DRAWS) ** 0.5


@pytest.mark.parametrize("mean", [0.3, 2.0, 9.0])
def test_garwoods_interval_covers_the_rate_in_95_of_a_hundred_series(mean: float) -> None:
    counts = np.random.default_rng(2).poisson(mean, DRAWS)
    found = [poisson_interval(count, 1.0) for count in range(int(counts.max()) + 1)]
    covered = np.array([one.low <= mean <= one.high for one in found])[counts].mean()
    assert covered >= 0.95 - 3 * (0.05 * 0.95 / DRAWS) ** 0.5
