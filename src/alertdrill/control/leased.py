"""Faults under a lease: they end when it runs out, however that comes."""

import asyncio
import time
from collections.abc import Callable

from alertdrill.control.account import Account

Clock = Callable[[], float]


class Unusable(ValueError):
    """A plan that cannot be carried out here."""


class Leased:
    """One drill's faults: they end when the lease runs out, and what is held goes on.

    Attributes:
        run_id: of the drill.
        account: what was touched and seen.
        over: done once the faults have ended.
        why: why they ended, if the lease is not it; else empty.
    """

    def __init__(self, run_id: str, lease_s: float, clock: Clock) -> None:
        self.run_id, self.why = run_id, ""
        self.account = Account()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._clock = clock
        self._wall_minus_clock_s = time.time() - clock()
        self._timer: asyncio.TimerHandle | None = None
        self.renew(lease_s)

    def renew(self, lease_s: float) -> None:
        """Let the faults go on for `lease_s` seconds from now."""
        self._ends_at = self._clock() + lease_s
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(lease_s, self.end)

    def end(self, why: str = "") -> None:
        """End the faults."""
        if self._timer is not None:
            self._timer.cancel()
        if not self.over.done():
            self.why = why
            self.over.set_result(None)

    @property
    def alive(self) -> bool:
        """Whether the lease still runs."""
        if self._clock() >= self._ends_at:
            self.end()
        return not self.over.done()

    def now(self) -> float:
        """Seconds on the clock that leases and holds go by."""
        return self._clock()

    def wall(self, at: float | None) -> float | None:
        """An instant of that clock as seconds since the epoch."""
        return None if at is None else round(at + self._wall_minus_clock_s, 6)
