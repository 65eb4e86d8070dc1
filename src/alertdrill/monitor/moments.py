"""Sums of numbers and of their squares, which absurd ones do not swallow."""

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.cells import NumericCells

WIDEST = 1e9
WIDEST_SD = 1e6
UTMOST = 1e140  # the square of which can be counted for ever


class Moments:
    """Sums of numbers, sentinels left out: the reference's mean and deviation leave them out too.

    Absurd numbers are drawn in to 10^6 standard deviations of the reference, or to 10^9 where there is none. One of
    1e300 would otherwise swallow everything counted before and after it.

    Attributes:
        count: of the numbers.
        total: of them.
        squares: sum of their squares.
    """

    def __init__(self) -> None:
        """Nothing counted yet, without a reference."""
        self._low, self._high = -WIDEST, WIDEST
        self._sentinels: NDArray[np.float64] = np.empty(0)
        self.count, self.total, self.squares = 0, 0.0, 0.0

    @classmethod
    def of(cls, cells: NumericCells) -> "Moments":
        """Nothing counted yet of what has this reference."""
        moments = cls()
        moments.keep_to(cells)
        return moments

    def keep_to(self, cells: NumericCells) -> None:
        """Take numbers as a reference has them, from the next one on."""
        reach = WIDEST_SD * max(cells.sd, abs(cells.mean), 1e-9)
        self._low, self._high = max(-UTMOST, cells.mean - reach), min(UTMOST, cells.mean + reach)
        self._sentinels = cells.sentinels

    def add(self, numbers: NDArray[np.float64]) -> None:
        """Count numbers, shape (n,); NaN is none."""
        kept = numbers[~np.isin(numbers, self._sentinels)] if len(self._sentinels) else numbers
        if not len(kept):
            return
        if not (np.minimum.reduce(kept) >= self._low and np.maximum.reduce(kept) <= self._high):  # as with any NaN
            kept = np.clip(kept[~np.isnan(kept)], self._low, self._high)
        self.count += len(kept)
        self.total += float(np.add.reduce(kept))
        self.squares += float(kept @ kept)
