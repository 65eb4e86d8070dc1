import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.core.timeline import ArrivalKind, Arrivals, arrival_times, fingerprint

RECIPES = st.builds(Arrivals, kind=st.sampled_from(ArrivalKind), rate_per_s=st.floats(0.5, 50))
SECONDS = st.floats(0.01, 20)


@given(recipe=RECIPES, seed=st.integers(0, 2**63 - 1), k=st.integers(0, 50), duration_s=SECONDS)
def test_arrivals_ascend_and_stay_inside_their_segment(recipe: Arrivals, seed: int, k: int, duration_s: float) -> None:
    times = arrival_times(recipe, seed, k, duration_s)
    assert np.all(np.diff(times) >= 0)
    assert np.all((times >= 0) & (times < duration_s))
    assert fingerprint(times) == fingerprint(arrival_times(recipe, seed, k, duration_s))


@given(recipe=RECIPES, seed=st.integers(0, 2**63 - 1), short_s=SECONDS, more_s=SECONDS)
def test_a_longer_segment_only_adds_arrivals(recipe: Arrivals, seed: int, short_s: float, more_s: float) -> None:
    short, long = (arrival_times(recipe, seed, 3, s) for s in (short_s, short_s + more_s))
    assert len(long) >= len(short)
    np.testing.assert_allclose(long[: len(short)], short, rtol=0, atol=1e-9)


def test_poisson_gaps_are_exponential() -> None:
    gaps = np.diff(arrival_times(Arrivals(kind=ArrivalKind.POISSON, rate_per_s=100), 1, 0, 200))
    assert gaps.mean() == pytest.approx(0.01, rel=0.03)
    assert gaps.std() == pytest.approx(0.01, rel=0.05)


def test_constant_arrivals_keep_the_rate_across_segments() -> None:
    times = arrival_times(Arrivals(kind=ArrivalKind.CONSTANT, rate_per_s=10), 1, 0, 1.0)
    np.testing.assert_allclose(times, np.arange(10) / 10 + 0.05)


def test_seed_and_segment_each_change_the_arrivals() -> None:
    recipe = Arrivals(kind=ArrivalKind.POISSON, rate_per_s=20)
    prints = {fingerprint(arrival_times(recipe, seed, k, 5)) for seed, k in [(1, 0), (2, 0), (1, 1)]}
    assert len(prints) == 3
