"""The master's wall clock as a worker knows it, from questions to the master and their answers."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from alertdrill.adapters.load.instants import monotonic_s

KEPT = 64
DRIFT = 100e-6  # two quartz clocks go apart by less


@dataclass(frozen=True)
class Reading:
    """One answer of the master. Both instants are seconds of `monotonic_s`.

    Attributes:
        at: when it was asked and when the answer was there, the middle of the two.
        offset_s: the master's wall time minus our instant, true within plus or minus `error_s`.
        error_s: half of the time between question and answer.
    """

    at: float
    offset_s: float
    error_s: float


class MasterClock:
    """Translates between the master's wall time and `monotonic_s` of this machine, whose own wall clock counts nothing.

    Of the last readings the one with the smallest error counts; the error of each grows as it gets older.
    """

    def __init__(self, clock: Callable[[], float] = monotonic_s) -> None:
        """Start without a reading: nothing can be translated before the first."""
        self._clock = clock
        self._readings: deque[Reading] = deque(maxlen=KEPT)
        self._offset_s = 0.0

    @property
    def count(self) -> int:
        """How many readings there are, at most `KEPT`."""
        return len(self._readings)

    @property
    def error_s(self) -> float:
        """How far off the translation may be; infinite before the first reading."""
        return min(map(self._error_s, self._readings), default=inf)

    @property
    def ahead_s(self) -> float:
        """This machine's wall clock minus the master's."""
        return time.time() - self.now()

    def answered(self, asked: float, wall: float) -> None:
        """Take an answer that has just come.

        Args:
            asked: when the question was sent, seconds of `monotonic_s`.
            wall: the master's wall time when it answered.
        """
        received = self._clock()
        middle = (asked + received) / 2
        self._readings.append(Reading(middle, wall - middle, (received - asked) / 2))
        self._offset_s = min(self._readings, key=self._error_s).offset_s

    def wall(self, at: float) -> float:
        """The master's wall time at an instant of `monotonic_s`."""
        return at + self._offset_s

    def monotonic(self, wall: float) -> float:
        """Instant of `monotonic_s` at a wall time of the master's."""
        return wall - self._offset_s

    def now(self) -> float:
        """The master's wall time now."""
        return self.wall(self._clock())

    def _error_s(self, reading: Reading) -> float:
        return reading.error_s + DRIFT * (self._clock() - reading.at)
