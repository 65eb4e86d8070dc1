"""How much of the event loop's time feedback may take: its share, and a little at once."""

import time
from collections.abc import Callable

SHARE = 0.1
MOST_S = 0.05


class Allowance:
    """A purse of seconds that fills at `SHARE` a second, up to `MOST_S`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left_s, self._at = MOST_S, clock()

    def left(self) -> bool:
        """Whether anything may be spent."""
        now = self._clock()
        self._left_s, self._at = min(MOST_S, self._left_s + SHARE * (now - self._at)), now
        return self._left_s > 0.0

    def spend_since(self, started: float) -> None:
        """Take what has passed since then, in seconds of the clock."""
        self._left_s -= self._clock() - started
