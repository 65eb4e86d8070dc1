import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from alertdrill.core.rates import Rate, RateSpec
from alertdrill.core.timeline import ArrivalKind, Arrivals, arrival_times, further_times

SPEC = TypeAdapter(RateSpec)
DURATION_S = 60.0
EXAMPLES = {
    "steps": {
        "kind": "steps",
        "steps": [{"at": "10s", "factor": 3}, {"at": "20s", "factor": 0}, {"at": "30s", "factor": 0.5}],
    },
    "steps from the start": {"kind": "steps", "steps": [{"at": "0s", "factor": 0.2}, {"at": "45s", "factor": 2}]},
    "ramp": {"kind": "ramp", "from": 0.5, "to": 4, "at": "10s", "over": "20s"},
    "ramp down": {"kind": "ramp", "to": 0, "over": "50s"},
    "sine": {"kind": "sine", "period": "24s", "amplitude": "70%", "peak_at": "7s"},
    "full sine": {"kind": "sine", "period": "9s", "amplitude": "100%"},
    "slow sine": {"kind": "sine", "period": "24h", "amplitude": "50%", "peak_at": "14h"},
    "surge": {"kind": "surge", "at": "20s", "for": "5s", "factor": 8},
    "surge at once": {"kind": "surge", "for": "5s", "factor": 8},
    "pause": {"kind": "pause", "at": "20s", "for": "15s"},
    "pause at once": {"kind": "pause", "for": "15s"},
    "pause to the end": {"kind": "pause", "at": "50s", "for": "15s"},
}  # fmt: skip
every_profile = pytest.mark.parametrize(
    "profile", [SPEC.validate_python(one) for one in EXAMPLES.values()], ids=EXAMPLES
)


def arrivals(profile: Rate | None, kind: str = "poisson", rate_per_s: float = 200.0) -> Arrivals:
    return Arrivals(kind=ArrivalKind(kind), rate_per_s=rate_per_s, profile=profile)


@every_profile
def test_the_integral_is_the_area_under_the_factor(profile: Rate) -> None:
    edges = np.linspace(0.0, DURATION_S, 60_001)
    middles = (edges[1:] + edges[:-1]) / 2
    area = np.concatenate([[0.0], np.cumsum(profile.factors(middles) * np.diff(edges))])
    assert np.allclose(profile.integral(edges), area, rtol=0, atol=0.01)
    assert profile.integral(np.array([0.0])) == pytest.approx(0.0, abs=1e-9)
    assert (profile.factors(edges) >= 0).all()


@every_profile
def test_the_inverse_leads_back_to_a_double(profile: Rate) -> None:
    plain = np.linspace(0.0, profile.plain_s(DURATION_S), 1000, endpoint=False)
    at = profile.inverse(plain, DURATION_S)
    assert (np.diff(at) >= 0).all()
    assert profile.integral(at) == pytest.approx(plain, abs=1e-11)


@every_profile
def test_no_factor_is_above_the_highest_and_one_comes_near(profile: Rate) -> None:
    for duration_s in (3.0, 22.0, DURATION_S):
        factors = profile.factors(np.linspace(0.0, duration_s, 100_001)[:-1])
        assert factors.max() <= profile.highest(duration_s) + 1e-12
        assert factors.max() == pytest.approx(profile.highest(duration_s), abs=0.01)


@every_profile
@pytest.mark.parametrize("kind", ["poisson", "constant"])
def test_arrivals_are_as_many_as_the_profile_says_in_every_stretch(profile: Rate, kind: str) -> None:
    times = arrival_times(arrivals(profile, kind), 3, 0, DURATION_S)
    assert (np.diff(times) > 0).all()
    assert times[-1] < DURATION_S
    edges = np.linspace(0.0, DURATION_S, 13)
    expected = 200.0 * np.diff(profile.integral(edges))
    slack = 1.5 if kind == "constant" else 5 * np.sqrt(expected) + 1.5
    assert (np.abs(np.histogram(times, edges)[0] - expected) <= slack).all()


@every_profile
def test_a_profile_is_written_as_it_was_read(profile: Rate) -> None:
    one = arrivals(profile)
    assert Arrivals.model_validate_json(one.model_dump_json()) == one


@given(st.integers(0, 2**32), st.sampled_from(["poisson", "constant"]), st.floats(0.5, 80), st.floats(2, 40))
def test_a_factor_of_one_changes_no_arrival(seed: int, kind: str, rate_per_s: float, duration_s: float) -> None:
    flat = SPEC.validate_python({"kind": "steps", "steps": [{"at": "1s", "factor": 1}]})
    both = (arrival_times(arrivals(one, kind, rate_per_s), seed, 0, duration_s) for one in (None, flat))
    # whether an arrival at the very end is in is one bit of rounding
    plain, same = (times[times < duration_s - 1e-9] for times in both)
    assert same == pytest.approx(plain, abs=1e-12)


def test_nothing_comes_in_a_pause_not_even_at_its_edge() -> None:
    pause = SPEC.validate_python({"kind": "pause", "at": "20s", "for": "15s"})
    for kind in ("poisson", "constant"):
        times = arrival_times(arrivals(pause, kind, 10.0), 3, 0, DURATION_S)
        assert not ((times >= 20) & (times < 35)).any()
    on_the_edge = arrival_times(arrivals(pause, "constant", 0.5), 3, 0, DURATION_S)
    assert 36.0 in on_the_edge.round(9)
    assert pause.inverse(np.array([20.0]), DURATION_S) == pytest.approx([35.0], abs=1e-12)


def test_no_traffic_at_all_is_no_arrival() -> None:
    nothing = SPEC.validate_python({"kind": "pause", "for": "2m"})
    assert len(arrival_times(arrivals(nothing), 3, 0, DURATION_S)) == 0
    assert arrivals(nothing).mean_per_s(DURATION_S) == 0


def test_the_mean_rate_is_that_of_the_time_asked_about() -> None:
    surge = SPEC.validate_python({"kind": "surge", "at": "10s", "for": "10s", "factor": 5})
    assert arrivals(surge).mean_per_s(10.0) == pytest.approx(200)
    assert arrivals(surge).mean_per_s(20.0) == pytest.approx(600)
    assert arrivals(None).mean_per_s(20.0) == 200


@every_profile
@pytest.mark.parametrize("kind", ["poisson", "constant"])
def test_further_arrivals_follow_the_profile_too(profile: Rate, kind: str) -> None:
    more = further_times(arrivals(profile, kind), 2.5, 3, 0, DURATION_S, "further")
    edges = np.linspace(0.0, DURATION_S, 13)
    expected = 500.0 * np.diff(profile.integral(edges))
    slack = 2.5 if kind == "constant" else 5 * np.sqrt(expected) + 1.5
    assert (np.abs(np.histogram(more, edges)[0] - expected) <= slack).all()
    planned = arrival_times(arrivals(profile, kind), 3, 0, DURATION_S)
    assert not np.isin(more, planned).any()
