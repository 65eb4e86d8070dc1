"""What became of one injection: how many of the planned effects were confirmed, and when."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alertdrill.core import journal as records
from alertdrill.core.plan import Injection

DELIVERED = 0.99


@dataclass(frozen=True)
class Delivery:
    """What became of one injection.

    Attributes:
        requests: requests sent in its segment; for an arrival fault also those that it suppressed.
        planned: of these, how many the plan chose; the load, where users bring their own rows.
        touched: of those, how many have a confirmed effect.
        stray: confirmed effects on requests that the plan did not choose.
        first_ms, last_ms: first and last confirmed effect, engine clock; None if there is none.
        over_ms: when the last effect was over: that instant, or when the last request of its segment was answered or
            given up, if that came after the segment.
        served_ms: first answer (or cut) of a touched exchange.
        full_ms: first confirmed effect from when on the fault was at its full strength.
        halted: of a fault on processes, how many were seen stopped or reaped; the requests that it touched are those
            that were due meanwhile. None of other faults.
        why_not: what kept such a fault from being as planned; empty: nothing.
    """

    injection: Injection
    requests: int
    planned: int
    touched: int
    stray: int
    first_ms: int | None
    last_ms: int | None
    over_ms: int | None
    served_ms: int | None
    full_ms: int | None
    halted: int | None = None
    why_not: str = ""

    @property
    def had_nothing_to_touch(self) -> bool:
        """Whether the plan chose nothing, or there was nothing left of it: no request, no process."""
        return self.planned == self.stray == 0 if self.halted is None else not self.halted and not self.why_not

    @property
    def delivered(self) -> bool:
        """Whether the effects are those of the plan."""
        if self.halted is not None:
            return self.halted > 0 and not self.why_not
        if self.stray > (1 - DELIVERED) * self.planned:
            return False
        return self.touched > 0 and self.touched >= DELIVERED * self.planned


def of_halts(
    injection: Injection,
    said: Sequence[records.Halted],
    due_ms: NDArray[np.int64],
    *,
    requests: int,
    segment_end_ms: int,
    drained_ms: int,
    engine_ms: Callable[[float], int],
) -> Delivery:
    """What became of a fault on processes.

    Args:
        injection: the fault in its phase.
        said: its records.
        due_ms: shape (n,); when the requests of its phase were due, ms on the engine's clock.
        requests: how many of them were sent.
        segment_end_ms: when the phase gave way to the next; a fault of which no end is known lasted until then.
        drained_ms: when the last request of the phase was over, if that was after it.
        engine_ms: one of our instants (s) on the engine's clock (ms).
    """
    halted = max((len(one.pids) for one in said), default=0)
    first_ms = next((engine_ms(one.from_at) for one in said if one.from_at is not None), None)
    last_ms = next((engine_ms(one.until_at) for one in reversed(said) if one.until_at is not None), segment_end_ms)
    touched = 0 if first_ms is None else int(((due_ms >= first_ms) & (due_ms <= last_ms)).sum())
    return Delivery(
        injection=injection,
        requests=requests,
        planned=touched,
        touched=touched,
        stray=0,
        first_ms=first_ms,
        last_ms=None if first_ms is None else max(first_ms, last_ms),
        over_ms=None if first_ms is None else max(first_ms, last_ms, drained_ms),
        served_ms=None,
        full_ms=first_ms,
        halted=halted,
        why_not=next((one.why for one in said if one.why), ""),
    )
