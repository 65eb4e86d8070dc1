import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.core.timeline import ArrivalKind, Arrivals, arrival_times, fingerprint

DRAWN = (ArrivalKind.POISSON, ArrivalKind.CONSTANT)
RECIPES = st.builds(Arrivals, kind=st.sampled_from(DRAWN), rate_per_s=st.floats(0.5, 50))
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


# Taken before rates could vary: whoever kept a plan must derive the same arrivals from it.
@pytest.mark.parametrize(
    ("kind", "rate_per_s", "k", "duration_s", "count", "expected"),
    [
        ("poisson", 0.5, 0, 60.0, 26, "98506e06a6c0bf64"),
        ("poisson", 0.5, 5, 17.25, 12, "84ee5bbb5cf8df12"),
        ("poisson", 37.3, 0, 60.0, 2214, "909f513aba4d6cac"),
        ("poisson", 37.3, 5, 17.25, 671, "83f0586a1f359aef"),
        ("poisson", 100.0, 0, 60.0, 5989, "f323c5707c339b72"),
        ("poisson", 100.0, 5, 17.25, 1698, "07d2f962a92c276e"),
        ("constant", 0.5, 0, 60.0, 30, "855817f0a504c8eb"),
        ("constant", 0.5, 5, 17.25, 9, "1e24f1926ee2a46d"),
        ("constant", 37.3, 0, 60.0, 2238, "abaa1bb479b903a4"),
        ("constant", 37.3, 5, 17.25, 643, "f188b36e42688c84"),
        ("constant", 100.0, 0, 60.0, 6000, "66a101eb6f8ede24"),
        ("constant", 100.0, 5, 17.25, 1725, "622cf87a3bcf91b6"),
    ],
)
def test_a_plain_rate_has_the_arrivals_that_it_always_had(
    kind: str, rate_per_s: float, k: int, duration_s: float, count: int, expected: str
) -> None:
    times = arrival_times(Arrivals(kind=ArrivalKind(kind), rate_per_s=rate_per_s), 42, k, duration_s)
    assert (len(times), fingerprint(times)[:16]) == (count, expected)


def test_a_recipe_is_drawn_or_recorded() -> None:
    with pytest.raises(ValueError, match="one by one"):
        Arrivals(kind=ArrivalKind.RECORDED, rate_per_s=3)
