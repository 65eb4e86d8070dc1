"""Notices when the wall clock is set, by a clock that never is."""

import time
from collections.abc import Callable

SMALLEST_JUMP_S = 1.0
LONGEST_READING_S = 0.25


class WallClock:
    """Compares two clocks.

    Durations are measured on the one that never goes back, so that a jump spoils none; times of the log, and the end of
    the last window, go by the wall clock as it is.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._ahead_s: float | None = None
        self.jumped()

    def jumped(self) -> int:
        """1 if the wall clock was set by a second or more since it was last read, else 0."""
        began, wall, ended = self._steady(), self._wall(), self._steady()
        if ended - began >= LONGEST_READING_S:
            return 0  # this process stood still between the two clocks: they cannot be compared, the next call will
        before, self._ahead_s = self._ahead_s, wall - ended
        return int(before is not None and abs(self._ahead_s - before) >= SMALLEST_JUMP_S)
