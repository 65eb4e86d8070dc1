"""Faults on the processes of a target, as the director sees them: its keeper is told when they begin and end."""

import asyncio
import time
from contextlib import suppress

from alertdrill.adapters.processes import Child
from alertdrill.core.faults.base import ProcessFault
from alertdrill.core.plan import Plan


class TargetHalts:
    """Has a keeper halt a target's processes in the segments of a plan that say so."""

    def __init__(self, plan: Plan, keeper: Child | None) -> None:
        """Nothing is halted; without a keeper nothing ever is."""
        self._plan, self._keeper = plan, keeper
        self._on = False
        self._whole = asyncio.Event()
        self._whole.set()

    def announce(self, k: int, at: float) -> None:
        """A segment begins: what the one before halted is restored, and what this one halts is halted."""
        self.let_go(at)
        for injection in self._plan.segment_injections(k):
            if isinstance(injection.fault, ProcessFault) and injection.share and self._keeper is not None:
                how = injection.fault.halt()
                self._keeper.send({"do": "halt", "injection": injection.id, "k": k, "how": how, "at": at})
                self._on = True
                self._whole.clear()

    def let_go(self, at: float) -> None:
        """Restore what is halted, at an instant."""
        if self._on and self._keeper is not None:
            self._keeper.send({"do": "restore", "at": at})
            self._on = False

    def restored(self) -> None:
        """The keeper says that the target answers again."""
        if not self._on:
            self._whole.set()

    def whole(self) -> bool:
        """Whether nothing is halted, and the target answers again."""
        return self._whole.is_set()

    async def confirm(self, timeout_s: float) -> None:
        """End what is on, and wait until it is over, or for so long."""
        self.let_go(time.time())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._whole.wait(), timeout_s)
