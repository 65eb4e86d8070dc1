"""Move timestamps, as a clock that is wrong does."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.faults.base import TIMES, CellContext, CellFault
from alertdrill.core.units import DurationS
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

_SHORTEST_S = 0.001
_LONGEST_S = 876_600 * 3600.0


class ClockOffset(CellFault):
    """Move timestamps, as a clock that is wrong does.

    What it does:
        Moves every touched timestamp by `by`, ahead into the future or behind into the past. Timestamps are written to
        the millisecond. Nulls stay null.
    Why it matters:
        A host without time synchronisation, a phone set by hand, local time written as UTC. Ages and rates computed
        from such times are off by as much, or negative, and windows lose the rows.
    Should trigger:
        An alert on the age of requests, or on times in the future. Nothing bundled: the monitor keeps no statistics of
        timestamps.
    Example:
        - {kind: clock_offset, features: [sent_at], by: 1h, direction: ahead, share: 20%}
    References:
        RFC 5905, Network Time Protocol Version 4: offset of a clock; Lamport 1978, Time, Clocks, and the Ordering of
        Events in a Distributed System (CACM 21:7).
    """

    edits: ClassVar[frozenset[FeatureKind]] = TIMES
    has_dose: ClassVar[bool] = True

    kind: Literal["clock_offset"]
    by: DurationS = Field(description="how far the clock is off, from 1ms to 100 years (876600h), such as 1h")
    direction: Literal["ahead", "behind"] = Field(
        default="ahead", description="ahead: the clock shows a time to come; behind: one that is past"
    )

    @field_validator("by")
    @classmethod
    def _can_be_written(cls, by: float) -> float:
        if not _SHORTEST_S <= by <= _LONGEST_S:
            raise BadValue("a duration from 1ms to 876600h (100 years)", "write one such as 500ms, 90s or 1h")
        return by

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Move the touched times as far as the dose says."""
        offset = self.by if self.direction == "ahead" else -self.by
        return column.with_values(context.touched, column.values + context.dose * offset)
