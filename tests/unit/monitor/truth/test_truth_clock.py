from dataclasses import dataclass

import pytest

from alertdrill.monitor.durations import seconds
from alertdrill.monitor.truth.allowance import MOST_S, Allowance
from alertdrill.monitor.truth.clock import PATIENCE_S, SteadyClock


@dataclass
class Clocks:
    """A wall clock and a steady one that a test sets."""

    wall: float = 1_000_000.0
    steady: float = 50.0

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def test_a_step_is_followed_only_once_it_has_lasted() -> None:
    at = Clocks()
    clock = SteadyClock(lambda: at.wall, lambda: at.steady)
    at.wall += 1e8
    assert clock.now() == pytest.approx(1_000_000.0)
    at.go(PATIENCE_S - 1)
    assert clock.now() == pytest.approx(1_000_000.0 + PATIENCE_S - 1)
    at.go(1)
    assert clock.now() == pytest.approx(at.wall)
    assert clock.jumps == 1


def test_a_step_that_is_taken_back_changes_nothing() -> None:
    at = Clocks()
    clock = SteadyClock(lambda: at.wall, lambda: at.steady)
    at.wall -= 1e6
    assert clock.now() == 1_000_000.0
    at.wall += 1e6
    at.go(PATIENCE_S * 2)
    assert clock.now() == at.wall
    assert clock.jumps == 0


def test_small_corrections_are_followed_at_once() -> None:
    at = Clocks()
    clock = SteadyClock(lambda: at.wall, lambda: at.steady)
    at.wall += 30.0
    assert clock.now() == at.wall


def test_an_allowance_is_spent_and_fills_again() -> None:
    at = Clocks()
    allowance = Allowance(lambda: at.steady)
    assert allowance.left()
    started = at.steady
    at.go(10 * MOST_S)
    allowance.spend_since(started)
    assert not allowance.left()
    at.go(100 * MOST_S)
    assert allowance.left()


@pytest.mark.parametrize(("text", "value"), [("30s", 30.0), ("1.5h", 5_400.0), ("7d", 604_800.0), ("200ms", 0.2)])
def test_durations_have_units(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "5", "0s", "-1d", "1y", "100000d", "inf", "nans"])
def test_a_duration_that_is_none_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match="fix: write 30s"):
        seconds(text)
