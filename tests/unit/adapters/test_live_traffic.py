from typing import Any

import numpy as np
import pytest

from alertdrill.adapters.live_traffic import LiveTraffic
from alertdrill.adapters.load.tally import LogHistogram
from alertdrill.run.ports import Traffic


class Watched:
    """Live traffic under a clock that moves a second an event."""

    def __init__(self) -> None:
        self.now = 10.0
        self.live = LiveTraffic(lambda: self.now)

    def take(self, k: int, upto: int, *latencies_s: float, **more: Any) -> Traffic:
        self.now += 1.0
        histogram = LogHistogram()
        histogram.add(np.array(latencies_s))
        answered = {
            "answered": len(latencies_s),
            "latencies": list(histogram.bins().items()),
            "latency_max_s": histogram.max_s,
        }
        return self.live.take({"k": k, "upto": upto, "errors": {}, "codes": {}, "in_flight": 0, **answered, **more})


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_the_rate_is_that_of_the_last_seconds_across_segments(watched: Watched) -> None:
    assert watched.take(0, 500).rate_per_s == 0
    assert watched.take(0, 600).rate_per_s == pytest.approx(100)
    assert watched.take(1, 40).rate_per_s == pytest.approx(70)
    for n in range(1, 20):
        now = watched.take(1, 40 + 20 * n)
    assert now.rate_per_s == pytest.approx(20)


def test_latencies_are_those_of_the_window(watched: Watched) -> None:
    assert watched.take(0, 1).latencies_s is None
    assert watched.take(0, 2, 3.0).latencies_s == pytest.approx((3.0, 3.0, 3.0), rel=0.02)
    for n in range(10):
        now = watched.take(0, 3 + n, 0.1, 0.1)
    assert now.latencies_s == pytest.approx((0.1, 0.1, 0.1), rel=0.02)


def test_errors_are_those_since_the_start(watched: Watched) -> None:
    watched.take(0, 10, 0.1, codes={"200": 5, "422": 2}, errors={"timeout": 3}, in_flight=3)
    for n in range(10):
        now = watched.take(0, 11 + n, codes={"422": 1})
    assert now.errors == {"422": 12, "timeout": 3}
    assert watched.take(0, 30, in_flight=7).in_flight == 7
