"""One bracketed reading that ties the wall clock to the clock that the load measures with."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

monotonic_s = time.perf_counter
"""Seconds of a clock that is never set; CLOCK_MONOTONIC on Linux, which the timer follows too."""


def pack(instants: NDArray[np.float64]) -> tuple[float, NDArray[np.int64]]:
    """Instants in seconds, shape (n,), n > 0, as the first of them and whole microseconds after it; see `unpack`."""
    first = float(instants.min())
    return first, np.rint((instants - first) * 1e6).astype(np.int64)


def unpack(first: float, offsets_us: Sequence[int]) -> list[float]:
    """The instants that `pack` put away."""
    return [first + offset * 1e-6 for offset in offsets_us]


@dataclass(frozen=True)
class Anchor:
    """Translates between wall time and `monotonic_s`; a later change of the wall clock does not move it."""

    offset_s: float

    @classmethod
    def take(cls) -> "Anchor":
        """Read both clocks; of five readings the one with the tightest bracket counts."""
        readings = []
        for _ in range(5):
            before, wall, after = monotonic_s(), time.time(), monotonic_s()
            readings.append((after - before, wall - (before + after) / 2))
        return cls(min(readings)[1])

    def wall(self, at: float) -> float:
        """Wall time of an instant of `monotonic_s`."""
        return at + self.offset_s

    def monotonic(self, wall: float) -> float:
        """Instant of `monotonic_s` at a wall time."""
        return wall - self.offset_s

    def now(self) -> float:
        """Wall time now."""
        return self.wall(monotonic_s())
