"""Whether rows come several times: an e-detector takes each copy for a row of its own, and chance for drift."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

NEAR = 128
MEMORY_ROWS = 1000.0
MOST_DIFFERENCE = 0.15
AT_ONCE = 1024
FADE = np.exp(-np.arange(AT_ONCE)[::-1] / MEMORY_ROWS)

Keys = NDArray[np.int64]


class Repeats:
    """Compares how often a row has a copy among the 128 rows before it, and among the 128 before those.

    Independent rows of any distribution are exchangeable: both are as likely, however often rows happen to be equal (de
    Finetti 1937), so that no reference is needed. Rows sent r times, at most 128 rows apart, have a near copy in
    (r - 1) / r of all cases; those sent again 128 to 256 rows later have a far one.

    The difference of the two shares, with an exponential memory of 1,000 rows, is 0 on average where rows are
    independent; it stands for repeats from 0.15 on: 8 standard errors at worst, and no independent stream of 6 million
    rows did (benchmarks/monitor_power.py). Bounded: 256 keys of eight bytes and one number.
    """

    def __init__(self) -> None:
        """Before the first row."""
        self._last: Keys = np.empty(0, dtype=np.int64)
        self._excess = 0.0

    @property
    def difference(self) -> float:
        """Share of rows with a near copy less that with a far one, -1 to 1."""
        return self._excess / MEMORY_ROWS

    @property
    def repeated(self) -> bool:
        """Whether rows come several times."""
        return abs(self.difference) >= MOST_DIFFERENCE

    def add(self, keys: Keys) -> None:
        """Take rows in the order of their arrival.

        Args:
            keys: shape (n,), a hash of each row: the same for equal rows.
        """
        for start in range(0, len(keys), AT_ONCE):
            self._take(keys[start : start + AT_ONCE])

    def _take(self, keys: Keys) -> None:
        seen = np.concatenate([self._last, keys])
        self._last = seen[-2 * NEAR :]
        if len(seen) <= 2 * NEAR:
            return
        windows = sliding_window_view(seen, 2 * NEAR + 1)
        equal = windows[:, :-1] == windows[:, -1:]
        far, near = equal[:, :NEAR].any(axis=1), equal[:, NEAR:].any(axis=1)
        fade = FADE[-len(windows) :]
        past = self._excess * np.exp(-len(windows) / MEMORY_ROWS)
        self._excess = float(past + fade @ (near.astype(float) - far))
