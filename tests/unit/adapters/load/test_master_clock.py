"""Tests of the master's clock as a worker knows it."""

import time
from math import inf

import pytest

from alertdrill.adapters.load.master_clock import DRIFT, KEPT, MasterClock


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def _asked(clock: Clock, master: MasterClock, there_s: float, back_s: float, offset_s: float) -> None:
    """One question: the way there, and the way back."""
    asked = clock.at
    clock.at += there_s
    wall = clock.at + offset_s
    clock.at += back_s
    master.answered(asked, wall)


def test_the_quickest_answer_counts() -> None:
    clock = Clock()
    master = MasterClock(clock)
    for there_s, back_s in ((0.200, 0.0), (0.0, 0.080), (0.001, 0.001), (0.0, 0.300)):
        _asked(clock, master, there_s, back_s, offset_s=1000.0)
    assert master.wall(5.0) == pytest.approx(1005.0, abs=1e-9)
    assert master.monotonic(1005.0) == pytest.approx(5.0, abs=1e-9)
    assert 0.001 <= master.error_s < 0.0011


@pytest.mark.parametrize(("there_s", "back_s"), [(0.02, 0.0), (0.0, 0.02), (0.01, 0.01), (0.015, 0.005)])
def test_the_error_bounds_what_uneven_ways_make_wrong(there_s: float, back_s: float) -> None:
    clock = Clock()
    master = MasterClock(clock)
    _asked(clock, master, there_s, back_s, offset_s=1000.0)
    assert abs(master.wall(0.0) - 1000.0) <= master.error_s + 1e-9


def test_an_old_reading_gives_way_to_a_slower_one_of_now() -> None:
    clock = Clock()
    master = MasterClock(clock)
    _asked(clock, master, 0.001, 0.001, offset_s=1000.0)
    clock.at += 100.0  # by now the clocks may have gone apart by 10 ms
    assert master.error_s == pytest.approx(0.001 + 100.001 * DRIFT)
    _asked(clock, master, 0.002, 0.002, offset_s=1000.008)
    assert master.wall(0.0) == pytest.approx(1000.008)


def test_nothing_is_known_before_the_first_answer() -> None:
    assert MasterClock(Clock()).error_s == inf


def test_the_number_of_readings_is_bounded() -> None:
    clock = Clock()
    master = MasterClock(clock)
    for _ in range(KEPT + 10):
        _asked(clock, master, 0.001, 0.001, offset_s=0.0)
    assert master.count == KEPT


def test_it_says_by_how_much_the_own_wall_clock_is_ahead() -> None:
    clock = Clock()
    master = MasterClock(clock)
    master.answered(0.0, time.time() - 3.7)
    assert master.ahead_s == pytest.approx(3.7, abs=0.1)
