import numpy as np
import pytest
from sample import sample

from alertdrill.core.traffic_log import TrafficLog


def log(*at_s: float, rows: bool = True) -> TrafficLog:
    at_us = np.array([round(at * 1e6) for at in at_s]) + 1_790_000_000_000_000
    return TrafficLog.of(at_us, sample().take(np.arange(len(at_s))) if rows else None)


TEN = log(*np.arange(10) / 2)


def times(one: TrafficLog, from_s: float, duration_s: float, speed: float = 1.0) -> list[float]:
    return one.stretch(from_s, duration_s, speed).times().round(6).tolist()


def test_a_log_lasts_until_the_next_line_would_come() -> None:
    assert TEN.length_s == pytest.approx(5.0)
    assert log(0, 1, 5).length_s == pytest.approx(7.5)


def test_a_stretch_has_the_times_of_its_part_of_the_log() -> None:
    assert times(TEN, 0.0, 2.0) == [0.0, 0.5, 1.0, 1.5]
    assert times(TEN, 1.2, 1.0) == [0.3, 0.8]
    assert TEN.stretch(1.2, 1.0, 1.0).first_row == 3
    assert log(0, 1, 2, rows=False).stretch(0.5, 1.0, 1.0).first_row is None


def test_stretches_that_follow_each_other_play_every_line_once() -> None:
    parts = [TEN.stretch(from_s, lasts_s, 1.0) for from_s, lasts_s in ((0.0, 1.7), (1.7, 0.1), (1.8, 3.2))]
    assert sum(one.count for one in parts) == 10
    assert [one.first_row for one in parts] == [0, 4, 4]
    assert [one.count for one in parts] == [4, 0, 6]


def test_a_log_that_is_too_short_is_played_over_and_over() -> None:
    again = TEN.stretch(4.0, 7.0, 1.0)
    assert again.times().tolist() == pytest.approx([0.5 * i for i in range(14)])
    assert again.first_row == 8
    assert times(TEN, 14.0, 2.0) == times(TEN, 4.0, 2.0)


def test_a_faster_log_has_its_lines_closer() -> None:
    assert times(TEN, 1.0, 1.0, speed=2.0) == [0.0, 0.25, 0.5, 0.75]
    assert times(TEN, 1.0, 2.0, speed=0.5) == [0.0, 1.0]


def test_lines_are_counted_without_making_them() -> None:
    for from_s, lasts_s in ((0.0, 2.0), (1.2, 1.0), (4.0, 7.0), (3.3, 0.1)):
        assert TEN.count(from_s, lasts_s) == TEN.stretch(from_s, lasts_s, 1.0).count
    assert log(0, 1e-6).count(0.0, 1e6) == 10**12


def test_the_part_that_is_played_is_cut_out_and_lasts_as_long_as_all_of_it() -> None:
    cut = TEN.until(2.0)
    assert cut.rows is not None
    assert (len(cut.at_us), len(cut.rows), cut.length_s) == (4, 4, TEN.length_s)
    assert times(cut, 0.0, 2.0) == times(TEN, 0.0, 2.0)
    whole = TEN.until(100.0)
    assert whole.rows is not None
    assert (len(whole.at_us), len(whole.rows)) == (10, 10)
    assert len(TEN.until(0.0).at_us) == 2
