"""Arrivals that were recorded: the stretch of a log that one segment plays, as the plan carries it."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.packed import packed, unpacked

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_BYTES = 8


def pack(numbers: Integers) -> str:
    """Whole numbers, shape (n,), as text: their lowest bytes, then the next ones and so on, compressed."""
    planes = numbers.astype("<i8").view(np.uint8).reshape(-1, _BYTES).T
    return packed(planes.tobytes())


def unpack(text: str, count: int) -> Integers:
    """The numbers, shape (count,), that `pack` wrote.

    Raises:
        ValueError: it is no such text.
    """
    size = count * _BYTES
    data = unpacked(text, size, count=size, unit="bytes")
    planes = np.frombuffer(data, dtype=np.uint8).reshape(_BYTES, count)
    return np.ascontiguousarray(planes.T).view("<i8").reshape(count).astype(np.int64)


class Recorded(BaseModel):
    """The arrivals of a log that one segment plays."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    count: int = Field(ge=0, description="how many")
    gaps_us: str = Field(
        description="whole microseconds from the start of the segment to the first arrival and from each to the next"
    )
    first_row: int | None = Field(
        default=None,
        ge=0,
        description="row of the log that the first arrival sends, each further arrival the row after it, the first row "
        "after the last; null: rows are drawn from the sample",
    )

    @classmethod
    def of(cls, at_us: Integers, first_row: int | None) -> "Recorded":
        """Arrivals at whole microseconds from the start of the segment, ascending, shape (n,)."""
        return cls(count=len(at_us), gaps_us=pack(np.diff(at_us, prepend=0)), first_row=first_row)

    def times(self) -> Floats:
        """Seconds from the start of the segment, ascending, shape (count,).

        Raises:
            ValueError: the gaps are not what was packed.
        """
        return np.cumsum(unpack(self.gaps_us, self.count)) / 1e6


def followed(times: Floats, ordinals: Floats, duration_s: float) -> Floats:
    """Instants at which as many arrivals have come as `ordinals` say, parts of one included; shape (m,).

    The inverse of the arrivals' count, drawn as a line through (times[i], i + 1/2) from (0, 0) to (duration_s, n): what
    is uniform on 0 to n becomes as dense as the arrivals are.

    Args:
        times: of n arrivals, ascending, all below `duration_s`.
        ordinals: from 0 to n.
        duration_s: of the segment.
    """
    count = len(times)
    counted = np.concatenate([[0.0], np.arange(count) + 0.5, [float(count)]])
    return np.asarray(np.interp(ordinals, counted, np.concatenate([[0.0], times, [duration_s]])), dtype=np.float64)
