"""A monitor, its scrapes and a Prometheus in a few lines: what ttd really is, independent of the formulas of `fill`.

Source of the rate: extrapolatedRate in promql/functions.go of Prometheus 2.42 (a window holds both its ends; a counter
is not extrapolated below zero).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counter = NDArray[np.int64]


@dataclass(frozen=True)
class Scrapes:
    """Timestamps (s), when their samples could be seen, and the counters that they read."""

    at: NDArray[np.float64]
    visible: NDArray[np.float64]
    counters: dict[str, Counter]

    def rate(self, name: str, at_s: float, window_s: float) -> float:
        """`rate(name[window])` at an instant; NaN where there is none."""
        inside = (self.visible <= at_s) & (self.at >= at_s - window_s) & (self.at <= at_s)
        times, values = self.at[inside], self.counters[name][inside]
        if len(times) < 2:
            return float("nan")
        rise, span = float(values[-1] - values[0]), float(times[-1] - times[0])
        apart = span / (len(times) - 1)
        before, after = float(times[0] - (at_s - window_s)), float(at_s - times[-1])
        if rise > 0:
            before = min(before, span * float(values[0]) / rise)
        reach = span + sum(gap if gap < 1.1 * apart else apart / 2 for gap in (before, after))
        return rise * reach / span / window_s


def scrape(
    done: NDArray[np.float64], hits: dict[str, NDArray[np.bool_]], generator: np.random.Generator, until_s: float
) -> Scrapes:
    """Scrape counters every second at a random phase, each scrape a few milliseconds long and off the beat."""
    order = np.argsort(done)
    n = int(until_s)
    at = generator.random() + np.arange(n) + generator.normal(0, 0.001, n)
    lasts = 0.003 + generator.exponential(0.005, n)
    read = np.searchsorted(done[order], at + lasts / 2, side="right")
    counters = {name: np.concatenate([[0], np.cumsum(mask[order])])[read] for name, mask in hits.items()}
    return Scrapes(np.round(at, 3), at + lasts, counters)


def fires_after(condition: Callable[[float], bool], start_s: float, phase_s: float, for_s: float) -> float | None:
    """Seconds from `start_s` to firing, evaluated every second at `phase_s`; None within 15 s."""
    pending: float | None = None
    for second in range(int(start_s) - 1, int(start_s) + 15):
        at = second + phase_s
        if not condition(at):
            pending = None
        elif pending is None:
            pending = at
        if pending is not None and at - pending >= for_s - 1e-9:
            return at - start_s
    return None
