"""Whether rows come several times: an e-detector takes each copy for a row of its own, and chance for drift."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

NEAR = 128
MEMORY_ROWS = 1000.0
MOST_DIFFERENCE = 0.15
AT_ONCE = 100
FADE = np.exp(-np.arange(AT_ONCE)[::-1] / MEMORY_ROWS)


class Repeats:
    """Compares how often a row has a copy among the 128 rows before it, and among the 128 before those.

    Independent rows of any distribution are exchangeable: both are as likely, however often rows happen to be equal (de
    Finetti 1937), so that no reference is needed. Rows sent r times, at most 128 rows apart, have a near copy in
    (r - 1) / r of all cases; those sent again 128 to 256 rows later have a far one.

    The difference of the two shares, with an exponential memory of 1,000 rows, is 0 on average where rows are
    independent; it stands for repeats from 0.15 on: 8 standard errors at worst, and no independent stream of 6 million
    rows did (benchmarks/monitor_power.py). Bounded: at most 356 keys and one number.
    """

    def __init__(self) -> None:
        """Before the first row."""
        self._seen: list[int] = []
        self._excess = 0.0

    @property
    def difference(self) -> float:
        """Share of rows with a near copy less that with a far one, -1 to 1."""
        return self._excess / MEMORY_ROWS

    @property
    def repeated(self) -> bool:
        """Whether rows come several times."""
        return abs(self.difference) >= MOST_DIFFERENCE

    def add(self, keys: Sequence[int]) -> None:
        """Take rows in the order of their arrival; a hundred at a time are judged.

        Args:
            keys: a hash of each row, 64 bits, signed: the same for equal rows.
        """
        seen, judged = [*self._seen, *keys], 0
        while len(seen) - judged >= 2 * NEAR + AT_ONCE:
            self._judge(np.array(seen[judged : judged + 2 * NEAR + AT_ONCE], dtype=np.int64))
            judged += AT_ONCE
        self._seen = seen[judged:]

    def _judge(self, seen: NDArray[np.int64]) -> None:
        """The last hundred rows of 356."""
        windows = sliding_window_view(seen, 2 * NEAR + 1)[-AT_ONCE:]
        equal = windows[:, :-1] == windows[:, -1:]
        far, near = equal[:, :NEAR].any(axis=1), equal[:, NEAR:].any(axis=1)
        past = self._excess * math.exp(-AT_ONCE / MEMORY_ROWS)
        self._excess = float(past + FADE @ (near.astype(np.float64) - far))
