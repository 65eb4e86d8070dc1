import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import fires_after, scrape

from alertdrill.core.detection import Settings, bounds
from alertdrill.core.fill import FillBounds
from alertdrill.core.odds import Odds, odds_of

SETTINGS = Settings(for_ms=2000, scrape_ms=1000, evaluation_ms=1000, window_s=5.0)
SURE = FillBounds(1.0, 1.0, 1.0)


@st.composite
def many_odds(draw: st.DrawFn) -> Odds:
    low, likely, high = sorted(draw(st.tuples(*[st.floats(0, 300)] * 3)))
    interval = st.sampled_from([0.1, 0.5, 1.0, 15.0, 60.0])
    return Odds(FillBounds(low, likely, high), draw(st.sampled_from([0.0, 2.0, 300.0])), draw(interval), draw(interval))


@given(many_odds(), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=100)
def test_odds_never_fall_with_more_time(one: Odds, earlier: float, later: float) -> None:
    span_s = one.worst_s - one.floor_s
    points = [one.floor_s + share * span_s for share in sorted((earlier, later))]
    assert 0 <= one.within(points[0]) <= one.within(points[1]) <= 1


@given(many_odds())
@settings(max_examples=100)
def test_below_the_floor_is_never_and_the_worst_always(one: Odds) -> None:
    assert one.within(one.floor_s - 0.001) == 0
    assert one.within(one.worst_s) == 1


@given(many_odds(), st.sampled_from([0.5, 0.95, 0.99]))
@settings(max_examples=100)
def test_a_point_is_the_first_tenth_that_suffices(one: Odds, share: float) -> None:
    point_s = one.point_s(share)
    assert one.within(point_s) >= share
    assert one.within(point_s - 0.101) < share
    assert one.floor_s <= point_s < one.worst_s + 0.1
    assert point_s == round(point_s, 1)


def test_floor_and_worst_are_those_of_the_bounds() -> None:
    fill = FillBounds(0.7231, 0.8, 1.2347)
    one, limits = odds_of(fill, SETTINGS), bounds(fill, SETTINGS, None)
    assert one is not None
    assert (one.floor_s, one.worst_s) == (limits.floor_s, limits.worst_s)


def test_with_a_fill_that_is_sure_half_of_the_drills_take_the_mean_wait() -> None:
    one = odds_of(SURE, SETTINGS)
    assert one is not None
    assert one.within(4.0) == pytest.approx(0.5)
    # From U + V > 2 - t with probability t^2 / 2 follows t = sqrt(0.1).
    assert one.point_s() == pytest.approx(math.ceil((5 - math.sqrt(0.1)) * 10) / 10)


def test_a_fill_that_is_unknown_or_not_sure_has_no_odds() -> None:
    assert odds_of(None, SETTINGS) is None
    assert odds_of(FillBounds(1.0, 1.0, math.inf), SETTINGS) is None


@pytest.mark.parametrize(("scrape_s", "evaluation_s", "for_s"), [(1.0, 1.0, 2.0), (5.0, 1.0, 0.0), (1.0, 15.0, 20.0)])
def test_odds_agree_with_clocks_that_tick(scrape_s: float, evaluation_s: float, for_s: float) -> None:
    """Scrapes and evaluations on grids of random phase; firing is the first evaluation that saw it for long enough."""
    generator = np.random.default_rng(1)
    n = 20_000
    fills = generator.triangular(2.0, 3.0, 7.0, n)
    scrapes, evaluations = generator.random(n) * scrape_s, generator.random(n) * evaluation_s
    seen = scrapes + np.ceil((fills - scrapes) / scrape_s) * scrape_s
    pending = evaluations + np.ceil((seen - evaluations) / evaluation_s) * evaluation_s
    ttd = pending + math.ceil(for_s / evaluation_s) * evaluation_s
    settings_ = Settings(round(for_s * 1000), round(scrape_s * 1000), round(evaluation_s * 1000), 5.0)
    one = odds_of(FillBounds(2.0, 3.0, 7.0), settings_)
    assert one is not None
    for within_s in np.linspace(one.floor_s, one.worst_s, 9):
        assert one.within(float(within_s)) == pytest.approx((ttd <= within_s).mean(), abs=0.015)


def test_the_95_percent_point_suffices_in_simulated_drills() -> None:
    """Nulls in a fifth of the requests, one more than 5% within a window of 5 s; see `test_fill` for the bounds."""
    late, drills = 0, 60
    for seed in range(drills):
        generator = np.random.default_rng(seed)
        at = np.cumsum(generator.exponential(0.01, 3500))
        hit = (generator.random(len(at)) < 0.2) & (at >= 20)
        start_s = float(at[hit.argmax()])
        counted, null = np.searchsorted(at, at - 4.0), np.concatenate([[0], np.cumsum(hit)])
        over = (null[1:] - null[counted]) > 0.05 * (np.arange(len(at)) + 1 - counted)
        filled_s = float(at[over.argmax()]) - start_s
        one = odds_of(FillBounds(filled_s, filled_s, filled_s * 1.3), SETTINGS)
        assert one is not None
        rate = scrape(at, {"all": np.ones(len(at), dtype=bool), "null": hit}, generator, at[-1]).rate
        ttd = fires_after(
            lambda t, rate=rate: rate("null", t, 5.0) / rate("all", t, 5.0) > 0.05, start_s, generator.random(), 2.0
        )
        assert ttd is not None
        late += ttd > one.point_s()
    assert late <= 6
