import math
from statistics import NormalDist

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from alertdrill.core.faults.base import ExchangeEffect
from alertdrill.core.faults.exchange.latency import Latency

DRAWS = [(n + 0.5) / 1000 for n in range(1000)]
FIXED = {"kind": "fixed"}
UNIFORM = {"kind": "uniform", "jitter": "100ms"}
NORMAL = {"kind": "normal", "jitter": "100ms"}
LOGNORMAL = {"kind": "lognormal", "sigma": 0.5}
PARETO = {"kind": "pareto", "alpha": 1.5}


def latency(**fields: object) -> Latency:
    return Latency.model_validate({"kind": "latency", "share": 0.3, "delay": "400ms", **fields})


def delays(fault: Latency, dose: float = 1.0) -> list[float]:
    """One delay a thousandth, in ascending order of the draw."""
    return [fault.effect(draw, dose).delay_s for draw in DRAWS]


def test_a_delay_without_distribution_is_the_same_for_all_and_grows_with_the_dose() -> None:
    assert latency().effect(0.9, 1.0) == ExchangeEffect(delay_s=0.4)
    assert latency() == latency(distribution=FIXED)
    assert set(delays(latency(), 0.25)) == {0.1}
    assert set(delays(latency(), 0.0)) == {0.0}


def test_uniform_delays_lie_evenly_around_the_typical_one() -> None:
    found = delays(latency(distribution=UNIFORM))
    assert (min(found), max(found)) == pytest.approx((0.3, 0.5), abs=0.001)
    assert found == sorted(found)
    assert sum(found) / 1000 == pytest.approx(0.4)
    assert found[250] == pytest.approx(0.35, abs=0.001)


def test_normal_delays_have_their_mean_and_standard_deviation() -> None:
    found = delays(latency(distribution=NORMAL))
    assert sum(found) / 1000 == pytest.approx(0.4)
    assert found[841] == pytest.approx(0.5, abs=0.001)  # one standard deviation up
    assert math.sqrt(sum((one - 0.4) ** 2 for one in found) / 1000) == pytest.approx(0.1, rel=0.01)


def test_normal_delays_that_would_be_negative_are_1_ms() -> None:
    found = delays(latency(distribution={"kind": "normal", "jitter": "2s"}))
    assert min(found) == 0.001
    assert found.count(0.001) == pytest.approx(1000 * NormalDist(0.4, 2.0).cdf(0.001), abs=1)


def test_the_median_of_lognormal_delays_is_the_typical_one() -> None:
    found = delays(latency(distribution=LOGNORMAL))
    assert found[500] == pytest.approx(0.4, rel=0.01)
    assert found[950] == pytest.approx(0.4 * 2.28, rel=0.01)
    assert found[50] == pytest.approx(0.4 / 2.28, rel=0.01)


def test_the_shortest_of_pareto_delays_is_the_typical_one() -> None:
    found = delays(latency(distribution=PARETO))
    assert found[0] == pytest.approx(0.4, rel=0.001)
    assert found[950] == pytest.approx(0.4 * 20 ** (1 / 1.5), rel=0.01)


def test_no_delay_is_longer_than_at_most() -> None:
    found = delays(latency(distribution={"kind": "pareto", "alpha": 0.1}, at_most="2s"))
    assert max(found) == 2.0
    assert max(delays(latency(distribution={"kind": "pareto", "alpha": 0.1}))) == 30.0
    assert set(delays(latency(delay="1m"))) == {60.0}


@given(
    draw=st.floats(0, 1),
    dose=st.floats(0, 1),
    delay=st.integers(1, 30_000),
    distribution=st.sampled_from(
        [FIXED, NORMAL, LOGNORMAL, PARETO, {"kind": "lognormal", "sigma": 10}, {"kind": "pareto", "alpha": 0.1}]
    ),
)
@example(draw=0.0, dose=1.0, delay=400, distribution=NORMAL)
@example(draw=1.0, dose=1.0, delay=400, distribution=NORMAL)
@example(draw=1.0, dose=1.0, delay=400, distribution=PARETO)
@settings(max_examples=50)
def test_every_draw_gives_a_delay_within_bounds(draw: float, dose: float, delay: int, distribution: object) -> None:
    fault = latency(delay=f"{delay}ms", distribution=distribution)
    full = fault.effect(draw, 1.0).delay_s
    assert 0.001 <= full <= 30.0
    assert fault.effect(draw, dose).delay_s == full * dose


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least delay, 400ms"):
        latency(at_most="300ms")
    with pytest.raises(ValidationError, match="at most delay, 400ms"):
        latency(distribution={"kind": "uniform", "jitter": "401ms"})
    for wrong in ({"kind": "uniform"}, {"kind": "pareto", "alpha": 0}, {"kind": "poisson"}, {**FIXED, "jitter": "1s"}):
        with pytest.raises(ValidationError):
            latency(distribution=wrong)


def test_a_plan_keeps_the_distribution() -> None:
    for distribution in (FIXED, UNIFORM, NORMAL, LOGNORMAL, PARETO):
        fault = latency(distribution=distribution)
        assert Latency.model_validate_json(fault.model_dump_json()) == fault
