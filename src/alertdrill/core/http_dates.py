"""A clock that is only shown in whole seconds, as HTTP's `Date` header does, read to the millisecond.

The second changes at one instant: asked right where it is expected to, each answer halves what is not known.
"""

import math
from collections.abc import Iterable

from alertdrill.core.observations import ClockBracket, ClockReading, read_clock

STEP_S = 1.0


def reading_of(brackets: Iterable[ClockBracket]) -> ClockReading:
    """The offset that answers with whole seconds allow; see `read_clock`."""
    return read_clock(brackets, STEP_S)


def ask_at(known: ClockReading, now_s: float) -> float:
    """When to ask next (our clock, s, not before `now_s`): where the second changes, as far as is known."""
    return math.ceil(now_s + known.offset_s) - known.offset_s
