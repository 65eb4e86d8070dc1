"""Whether rows come several times: an e-detector takes each copy for a row of its own, and chance for drift."""

import math
from collections.abc import Sequence

import numpy as np
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
        seen = [*self._seen, *keys]
        rows = (len(seen) - 2 * NEAR) // AT_ONCE * AT_ONCE
        if rows > 0:
            self._judge(np.array(seen[: 2 * NEAR + rows], dtype=np.int64))
        self._seen = seen[max(rows, 0) :]

    def _judge(self, seen: NDArray[np.int64]) -> None:
        """All rows but the first 256, which are some hundreds."""
        _, codes = np.unique(seen, return_inverse=True)
        places = codes * len(seen) + np.arange(len(seen))  # equal rows follow upon each other, the earlier first
        ordered, judged = np.sort(places), places[2 * NEAR :]

        def copied(nearest: int, farthest: int) -> NDArray[np.bool_]:
            """Shape (rows,): whether there is an equal row from so many to so many rows before."""
            first, end = ordered.searchsorted(judged - farthest), ordered.searchsorted(judged - nearest, "right")
            return np.asarray(first < end)

        differences = copied(1, NEAR).astype(np.float64) - copied(NEAR + 1, 2 * NEAR)
        for hundred in differences.reshape(-1, AT_ONCE):
            self._excess = float(self._excess * math.exp(-AT_ONCE / MEMORY_ROWS) + FADE @ hundred)
