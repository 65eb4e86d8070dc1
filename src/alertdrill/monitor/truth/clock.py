"""Wall time that a step of the system's clock does not drag along at once."""

import time
from collections.abc import Callable

STEP_S = 60.0
PATIENCE_S = 600.0


class SteadyClock:
    """Seconds since 1970. A step of more than `STEP_S` is followed only once it has lasted for `PATIENCE_S`.

    Ages, windows and periods hang on it: a clock that jumps a year ahead for a minute must not clear the store.

    Attributes:
        jumps: steps that lasted and were followed.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._offset = wall() - steady()
        self._stepped_at: float | None = None
        self.jumps = 0

    def now(self) -> float:
        """The time that is believed."""
        steady = self._steady()
        offset = self._wall() - steady
        if abs(offset - self._offset) <= STEP_S:
            self._offset, self._stepped_at = offset, None
        elif self._stepped_at is None:
            self._stepped_at = steady
        elif steady - self._stepped_at >= PATIENCE_S:
            self._offset, self._stepped_at = offset, None
            self.jumps += 1
        return steady + self._offset
