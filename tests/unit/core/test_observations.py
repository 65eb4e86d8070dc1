import pytest

from alertdrill.core.observations import ClockBracket, read_clock


def test_an_engine_on_the_same_clock_is_bounded_by_the_bracket():
    reading = read_clock([ClockBracket(10.0000, 10.001, 10.0024)])
    assert reading.offset_s == pytest.approx(0.0003)
    assert reading.error_s == pytest.approx(0.0017)


def test_several_readings_narrow_the_offset_down():
    true_offset = 0.25
    brackets = [
        ClockBracket(1.0000, 1.250, 1.0010),  # the engine read at 1.2501
        ClockBracket(2.0000, 2.250, 2.0020),  # at 2.2509
        ClockBracket(3.0000, 3.251, 3.0011),  # at 3.2510
    ]
    alone = [read_clock([bracket]) for bracket in brackets]
    together = read_clock(brackets)
    assert together.error_s < min(reading.error_s for reading in alone)
    assert abs(together.offset_s - true_offset) <= together.error_s


def test_readings_that_contradict_each_other_leave_the_narrowest():
    stepped = [ClockBracket(1.0, 1.0, 1.001), ClockBracket(2.0, 7.0, 2.010)]
    assert read_clock(stepped) == read_clock(stepped[:1])


def test_no_reading_is_no_clock():
    with pytest.raises(ValueError, match="at least one"):
        read_clock([])
