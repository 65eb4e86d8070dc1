import math

import pytest

from alertdrill.core.http_dates import ask_at, reading_of
from alertdrill.core.observations import ClockBracket


@pytest.mark.parametrize("offset_s", [0.0, 0.3, -7.2, 1234.567])
def test_a_clock_that_shows_whole_seconds_is_read_to_milliseconds_by_ten_questions(offset_s: float) -> None:
    now, took = 100.123, 0.001
    brackets = []
    for _ in range(10):
        brackets.append(ClockBracket(now, math.floor(now + took / 2 + offset_s), now + took))
        known = reading_of(brackets)
        assert abs(known.offset_s - offset_s) <= known.error_s, "the truth is always inside"
        now = ask_at(known, now + took)
        assert now >= brackets[-1].after_s
    assert known.error_s < 0.002
    assert now - 100.123 < 11.0, "it takes about a second each"
