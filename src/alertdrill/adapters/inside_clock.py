"""Instants that an app on another machine stated, on our clock."""

from collections import deque
from typing import NamedTuple

READINGS = 40


class _Reading(NamedTuple):
    before: float
    app: float
    after: float


class InsideClock:
    """Converts by the narrowest of the last 40 readings; it takes the clocks for one where that reading allows it."""

    def __init__(self) -> None:
        self._readings: deque[_Reading] = deque(maxlen=READINGS)

    def read(self, before: float, app: float, after: float) -> None:
        """Note a reading of the app's clock between two of ours, seconds since the epoch."""
        self._readings.append(_Reading(before, app, after))

    def ours(self, at: float | None) -> float | None:
        """An instant of the app's clock on ours; there must be a reading."""
        if at is None:
            return None
        narrowest = min(self._readings, key=lambda one: one.after - one.before)
        if narrowest.before <= narrowest.app <= narrowest.after:
            return at
        return round(at - narrowest.app + (narrowest.before + narrowest.after) / 2, 6)
