"""A log of traffic: when its requests came, what was in them, and the stretch of it that a segment plays."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.recorded import Recorded
from alertdrill.protocols.rows import Rows

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrafficLog:
    """The usable lines of a log in order of time; there are at least two, at two different times.

    Attributes:
        at_us: shape (n,), ascending; whole microseconds since the first line.
        length_us: how long it lasts, the gap after its last line taken for an average one.
        rows: shape (n,) of them; None if only the times are sent again.
        notes: what is worth knowing about the file.
    """

    at_us: Integers
    length_us: int
    rows: Rows | None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, at_us: Integers, rows: Rows | None, notes: tuple[str, ...] = ()) -> "TrafficLog":
        """A log whose lines came at whole microseconds of any origin, shape (n,), ascending."""
        since = at_us - at_us[0]
        count = len(since)
        return cls(since, -(-int(since[-1]) * count // (count - 1)), rows, notes)

    @property
    def length_s(self) -> float:
        """How long it lasts, in seconds of its own time."""
        return self.length_us / 1e6

    def until(self, log_s: float) -> "TrafficLog":
        """The part before `log_s` of its own time, for whoever plays no more: it lasts as long, but is silent then."""
        count = max(int(np.searchsorted(self.at_us, log_s * 1e6)), 2)
        rows = None if self.rows is None else self.rows.take(np.arange(min(count, len(self.at_us))))
        return replace(self, at_us=self.at_us[:count], rows=rows)

    def count(self, from_s: float, lasts_s: float) -> int:
        """How many lines lie in `lasts_s` of its own time from `from_s`, played over and over."""
        begin, end = self._span(from_s, lasts_s)
        return self._before(end) - self._before(begin)

    def stretch(self, from_s: float, duration_s: float, speed: float) -> Recorded:
        """The arrivals of a segment that plays the log, over and over, from `from_s` of the log's own time.

        Args:
            from_s: where in the log the segment begins; beyond its end it begins anew.
            duration_s: how long the segment lasts.
            speed: seconds of the log played in a second.
        """
        begin, end = self._span(from_s, duration_s * speed)
        first, count = self._before(begin), self._before(end) - self._before(begin)
        laps, lines = np.divmod(np.arange(first, first + count), len(self.at_us))
        since_us = laps * self.length_us + self.at_us[lines] - begin
        at_us = since_us if speed == 1 else np.round(since_us / speed).astype(np.int64)
        return Recorded.of(at_us, first % len(self.at_us) if self.rows is not None else None)

    def _span(self, from_s: float, lasts_s: float) -> tuple[int, int]:
        begin = round(from_s * 1e6)
        return begin, begin + round(lasts_s * 1e6)

    def _before(self, at_us: int) -> int:
        """How many lines come before an instant, all laps counted."""
        laps, left = divmod(at_us, self.length_us)
        return laps * len(self.at_us) + int(np.searchsorted(self.at_us, left))
