"""Whether the conditions hold under which the e-detector keeps its promise; a warning for each that does not."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.alternatives import SHIFTS_SD, smallest_shift_sd
from alertdrill.drift.cells import Cells
from alertdrill.drift.dependence import Dependence
from alertdrill.drift.repeats import Repeats


class Warned(StrEnum):
    """What is wrong. These are all the values of the label `reason`."""

    REFERENCE_TOO_SMALL = "reference_too_small"
    REPEATED_ROWS = "repeated_rows"
    DEPENDENT_IN_TIME = "dependent_in_time"


class Conditions:
    """Watches the rows for repeats and the batches for dependence, and knows the size of the reference.

    Warnings are about the promise, not about drift: while one stands, false alarms may be more frequent than the budget
    says. A reference is too small where its sampling error is within reach of the smallest drift that is bet on,
    m < (10 / 0.1)^2 = 10,000 rows: bets that it does not support are left out, so that small drifts are not seen.
    """

    def __init__(self, cells: Sequence[Cells], exact_reference: bool = False) -> None:
        """Before the first row.

        Args:
            cells: of each watched feature; at least one.
            exact_reference: the live rows are drawn from the reference itself, which then has no sampling error.
        """
        smallest = min(map(abs, SHIFTS_SD))
        rows = min(of.reference_rows for of in cells)
        self._too_small = not exact_reference and smallest_shift_sd(rows) > smallest
        self._repeats = Repeats()
        self._dependence = Dependence(cells, exact_reference)

    def add(self, keys: Sequence[int]) -> None:
        """Take rows in the order of their arrival; see `Repeats.add`."""
        self._repeats.add(keys)

    def update(self, counts: NDArray[np.int64], alarmed: NDArray[np.bool_]) -> None:
        """Take a batch that the e-detector took; see `Dependence.add`."""
        self._dependence.add(counts, alarmed)

    def warnings(self) -> dict[Warned, bool]:
        """Every reason, and whether it applies."""
        return {
            Warned.REFERENCE_TOO_SMALL: self._too_small,
            Warned.REPEATED_ROWS: self._repeats.repeated,
            Warned.DEPENDENT_IN_TIME: self._dependence.dependent,
        }
