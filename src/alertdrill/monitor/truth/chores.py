"""What the keeper does now and then beside writing: each chore in its turn, whatever becomes of the others."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from alertdrill.monitor.failures import Failures
from alertdrill.monitor.truth.store import Store, UnusableStore


@dataclass
class Chore:
    """One of them.

    Attributes:
        do: it, with an open store, at a time in seconds since 1970.
        every_s: seconds that pass before it is done again.
        rest: as many times as long as it took pass, at least.
        next_at: when its next turn is, in seconds of `time.monotonic`.
    """

    do: Callable[[Store, float], None]
    every_s: float
    rest: float = 0.0
    next_at: float = 0.0


class Chores:
    """Several of them.

    Args:
        chores: in the order in which they are done.
        again_s: seconds before one that failed is tried again, at least.
        failures: where those are counted.
    """

    def __init__(self, chores: list[Chore], again_s: float, failures: Failures) -> None:
        self._chores, self._again_s, self._failures = chores, again_s, failures

    def do(self, store: Store, now: float) -> None:
        """Do those whose turn it is, at a time in seconds since 1970.

        Raises:
            UnusableStore: the store failed in one of them; the next ones have their turn next time.
        """
        for chore in self._chores:
            if time.monotonic() >= chore.next_at:
                self._do(chore, store, now)

    def _do(self, chore: Chore, store: Store, now: float) -> None:
        started, wait_s = time.monotonic(), max(chore.every_s, self._again_s)
        try:
            chore.do(store, now)
            wait_s = chore.every_s
        except UnusableStore:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other chores do not wait for it
            self._failures.take(error)
        finally:
            ended = time.monotonic()
            chore.next_at = ended + max(wait_s, chore.rest * (ended - started))
