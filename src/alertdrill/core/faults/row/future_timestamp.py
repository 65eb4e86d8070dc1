"""Move timestamps to a year in the future."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import TIMES, CellContext, CellFault
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

_EPOCH_YEAR = 1970


class FutureTimestamp(CellFault):
    """Move timestamps to a year in the future.

    What it does:
        Gives the touched timestamps the year `year` and keeps month, day and time, to the millisecond: of 29 February
        a year without one makes 1 March. A timestamp of that year stays, and nulls stay null.
    Why it matters:
        A default such as 2099-12-31 for "no end", a year typed with a slip. One such row becomes the newest of all:
        caches that keep the newest never change again, and ages turn negative.
    Should trigger:
        An alert on times in the future, or on the newest time seen. Nothing bundled: the monitor keeps no statistics
        of timestamps.
    Example:
        - {kind: future_timestamp, features: [sent_at], year: 2099, share: 5%}
    References:
        RFC 3339, Date and Time on the Internet: Timestamps (Klyne, Newman 2002).
    """

    edits: ClassVar[frozenset[FeatureKind]] = TIMES

    kind: Literal["future_timestamp"]
    year: int = Field(default=2099, ge=2030, le=9999, description="the year that touched timestamps get, such as 2099")

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Change the year of the touched times."""
        where = column.having_value(context.touched)
        moments = (column.values[where] * 1000.0).round().astype("datetime64[ms]")
        months = moments.astype("datetime64[M]")
        january = moments.astype("datetime64[Y]").astype("datetime64[M]")
        moved = np.datetime64(self.year - _EPOCH_YEAR, "Y").astype("datetime64[M]") + (months - january)
        values = column.values.copy()
        values[where] = (moved + (moments - months)).astype(np.int64) / 1000.0
        return replace(column, values=values)
