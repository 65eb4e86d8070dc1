"""One bracketed reading that ties the wall clock to the clock that the load measures with."""

import time
from dataclasses import dataclass

monotonic_s = time.perf_counter
"""Seconds of a clock that is never set; CLOCK_MONOTONIC on Linux, which the timer follows too."""


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
