"""Calls back, again and again, with how much of a time has passed."""

import asyncio
import time
from collections.abc import Callable

STEPS = 20
SHORTEST_STEP_S = 0.005
LONGEST_STEP_S = 0.25


class Pace:
    """Steps over a time, evenly.

    Args:
        over_s: the time, in seconds, from now on.
        step: called with the share of it that has passed, above 0 and at last 1.
    """

    def __init__(self, over_s: float, step: Callable[[float], None]) -> None:
        self._over_s = over_s
        self._step = step
        self._every_s = min(max(over_s / STEPS, SHORTEST_STEP_S), LONGEST_STEP_S)
        self._began_at = time.monotonic()
        self._arm(over_s)

    def _arm(self, left_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(min(self._every_s, left_s), self._tick)

    def _tick(self) -> None:
        passed_s = time.monotonic() - self._began_at
        if passed_s < self._over_s:
            self._arm(self._over_s - passed_s)
        self._step(min(passed_s / self._over_s, 1.0))

    def stop(self) -> None:
        """Call back no more."""
        self._timer.cancel()
