from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from alertdrill.core.profiles import Profile, ProfileSpec

PROFILES = [
    {"kind": "step", "at": "3s"},
    {"kind": "ramp", "at": "3s", "over": "4s"},
    {"kind": "pulse", "at": "3s", "lasts": "4s"},
    {"kind": "recurring", "at": "3s", "period": "4s", "duty": "25%"},
    {"kind": "sine", "at": "3s", "period": "4s"},
]


def profile(values: dict[str, Any]) -> Profile:
    found: Profile = TypeAdapter(ProfileSpec).validate_python(values)
    return found


def strength(values: dict[str, Any], *at: float) -> list[float]:
    return profile(values).strength(np.array(at)).round(9).tolist()


def test_a_step_is_everything_from_its_time_on() -> None:
    assert strength(PROFILES[0], 0, 2.999, 3, 100) == [0, 0, 1, 1]


def test_a_ramp_rises_in_a_straight_line_and_stays() -> None:
    assert strength(PROFILES[1], 2, 3, 4, 5, 7, 60) == [0, 0, 0.25, 0.5, 1, 1]


def test_a_pulse_ends() -> None:
    assert strength(PROFILES[2], 2, 3, 6.999, 7) == [0, 1, 1, 0]


def test_recurring_pulses_last_their_duty_of_every_period() -> None:
    assert strength(PROFILES[3], 2, 3, 3.999, 4, 6.999, 7, 7.999, 8, 403.5) == [0, 1, 1, 0, 0, 1, 1, 0, 1]


def test_a_sine_goes_from_trough_to_crest_and_back() -> None:
    assert strength(PROFILES[4], 2, 3, 4, 5, 6, 7, 9) == [0, 0, 0.5, 1, 0.5, 0, 1]


@pytest.mark.parametrize("values", PROFILES)
@given(at=st.lists(st.floats(0, 1e5), max_size=20))
def test_every_profile_stays_between_nothing_and_everything(values: dict[str, Any], at: list[float]) -> None:
    found = profile(values).strength(np.array(at, dtype=np.float64))
    assert found.shape == (len(at),)
    assert np.all((found >= 0) & (found <= 1))


@pytest.mark.parametrize("values", PROFILES)
def test_it_is_at_full_strength_first_when_it_says_so(values: dict[str, Any]) -> None:
    one = profile(values)
    assert one.strength(np.array([one.full_at_s])).round(9).tolist() == [1]
    assert one.strength(np.linspace(0, one.full_at_s - 1e-3, 500)).max() < 1


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "ramp"},
        {"kind": "ramp", "over": "0s"},
        {"kind": "recurring", "period": "4s", "duty": 0},
        {"kind": "wave", "period": "4s"},
        {"kind": "step", "of": "features"},
    ],
)
def test_a_profile_without_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        profile(values)
