import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.arrivals import Floats, arrival_context, planned

from alertdrill.core.faults.arrival.surge import Surge

AT = planned()


def fault(factor: object = 3) -> Surge:
    return Surge.model_validate({"kind": "surge", "factor": factor})


def ramp(at: Floats) -> Floats:
    """From 0 at the start to 1 after a minute."""
    return at / 60.0


def test_arrivals_are_multiplied_by_the_factor():
    change = fault(3).change(AT, arrival_context(AT))
    assert abs(len(change.at) - 12_000) < 5 * np.sqrt(12_000)
    assert not change.lost.any()
    assert change.lost.shape == AT.shape
    assert set(change.repeats.tolist()) == {-1}
    assert change.repeats.shape == change.at.shape


@pytest.mark.parametrize("of", ["share", "dose"])
def test_share_and_dose_scale_the_further_arrivals_at_their_time(of: str):
    change = fault(3).change(AT, arrival_context(AT, **{of: ramp}))
    by_quarter, _ = np.histogram(change.at, bins=4, range=(0, 60))
    expected = 3000 * np.array([1, 3, 5, 7]) / 8
    assert np.all(np.abs(by_quarter - expected) < 5 * np.sqrt(expected))


def test_a_pulse_leaves_the_rest_of_the_phase_alone():
    def pulse(at: Floats) -> Floats:
        return np.where((at >= 20) & (at < 30), 1.0, 0.0)

    of_share = fault().change(AT, arrival_context(AT, share=pulse)).at
    of_dose = fault().change(AT, arrival_context(AT, dose=pulse)).at
    assert 20 <= of_share.min() < of_share.max() < 30
    assert len(np.setxor1d(of_share, of_dose)) < 20  # the dose is that of the newest planned arrival, some ms old


@pytest.mark.parametrize("of", ["share", "dose"])
def test_without_strength_nothing_comes(of: str):
    assert not len(fault().change(AT, arrival_context(AT, **{of: np.zeros_like})).at)


def test_a_stronger_surge_keeps_what_a_weaker_one_sent():
    weak, strong = (
        fault().change(AT, arrival_context(AT, share=lambda at, share=share: np.full(len(at), share))).at
        for share in (0.2, 0.7)
    )
    assert set(weak.tolist()) < set(strong.tolist())


def test_constant_arrivals_surge_at_constant_gaps():
    at = planned(kind="constant")
    change = fault(3).change(at, arrival_context(at, kind="constant"))
    assert np.allclose(np.diff(change.at), 1 / 200)


def test_it_surges_where_nothing_was_planned():
    nothing = np.empty(0)
    assert len(fault(50).change(nothing, arrival_context(nothing, duration_s=1.0, rate_per_s=1.0)).at)


def test_every_further_arrival_comes_unless_a_share_is_written():
    assert fault().share == 1.0
    assert Surge.model_validate({"kind": "surge", "factor": 2, "share": "50%"}).share == 0.5


@pytest.mark.parametrize("factor", [1, 0.5, 101, float("nan"), float("inf")])
def test_a_surge_is_more_than_there_was(factor: object):
    with pytest.raises(ValidationError):
        fault(factor)
