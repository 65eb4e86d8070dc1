"""Whether batches resemble those just before them: the e-detector's guarantee is for rows independent over time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.alternatives import log_ratios
from alertdrill.drift.cells import Cells

DIRECTIONS = 3
MEMORY_UPDATES = 500.0
CENTRE_UPDATES = 200.0
MOST_AUTOCORRELATION = 0.12
WIDEST = 4.0

Floats = NDArray[np.float64]


class Dependence:
    """Lag-one autocorrelation of what a batch says, by feature, in the three directions that the bets differ in most.

    A batch of n rows has, in each direction, a score with mean 0 and variance 1 where rows are independent with the
    reference's shares: the sum of the scores of its cells over sqrt(n). The autocorrelation (Box and Jenkins 1970,
    chapter 2) is the mean product of successive scores over their mean square (no less than 1, so that a feature that
    hardly varies does not seem to depend on its past), with an exponential memory of 500 updates. Scores are cut at 4
    and taken from their own slowly moving mean, so that neither a rare cell nor a lasting change of the shares looks
    like dependence. Batches of a feature whose drift alarm stands are not judged: drift explains them.

    From 0.12 on a feature counts as dependent: 6 standard errors, and no independent stream of 6 million rows and 15
    features was (benchmarks/monitor_power.py). Bounded: a few numbers a feature.
    """

    def __init__(self, cells: Sequence[Cells], exact_reference: bool = False) -> None:
        """Before the first batch.

        Args:
            cells: of each feature; at least one feature.
            exact_reference: see `alternatives`.
        """
        self._scores = np.zeros((len(cells), max(len(of.names) for of in cells), DIRECTIONS))
        for at, of in enumerate(cells):
            self._scores[at, : len(of.names)] = _scores(of, exact_reference)
        shape = (len(cells), DIRECTIONS)
        self._centre, self._last = np.zeros(shape), np.zeros(shape)
        self._follows = np.zeros(len(cells), dtype=bool)
        self._weight, self._products, self._squares = (np.zeros(len(cells)) for _ in range(3))

    @property
    def autocorrelation(self) -> Floats:
        """Shape (features,), -1 to 1; nearer to 0 than it is while fewer batches are judged than the memory holds."""
        usual = self._weight * DIRECTIONS
        return self._products / np.maximum(np.maximum(self._squares, usual), 1.0) * self._weight / MEMORY_UPDATES

    @property
    def dependent(self) -> bool:
        """Whether any feature's batches resemble those just before them."""
        return bool((self.autocorrelation >= MOST_AUTOCORRELATION).any())

    def add(self, counts: NDArray[np.int64], alarmed: NDArray[np.bool_]) -> None:
        """Take one batch of rows.

        Args:
            counts: shape (features, most cells), as the e-detector takes them; at least one row in all.
            alarmed: shape (features,), whether the feature's drift alarm stands after this batch.
        """
        root = np.sqrt(counts.sum(axis=1, keepdims=True))
        score = np.matmul(counts[:, None, :].astype(np.float64), self._scores)[:, 0, :] / root
        centred = np.minimum(np.maximum(score - root * self._centre, -WIDEST), WIDEST)
        clear = ~alarmed
        judged = clear & self._follows
        fade = 1.0 - judged / MEMORY_UPDATES
        self._weight = self._weight * fade + judged
        self._products = self._products * fade + judged * np.einsum("fd,fd->f", centred, self._last)
        self._squares = self._squares * fade + judged * np.einsum("fd,fd->f", centred, centred)
        self._centre += (clear / CENTRE_UPDATES)[:, None] * centred / root
        self._last, self._follows = centred, clear


def _scores(cells: Cells, exact_reference: bool) -> Floats:
    """Shape (cells, directions): principal components of the bets under the reference's shares (Hotelling 1933).

    Each column has mean 0 and variance 1 under those shares, and no covariance with the others; 0 where the bets have
    fewer directions.
    """
    root = np.sqrt(cells.reference_shares)
    bets = log_ratios(cells, exact_reference)
    centred = bets - (bets @ cells.reference_shares)[:, None]
    _, sizes, directions = np.linalg.svd(centred * root, full_matrices=False)
    kept = np.flatnonzero(sizes > 1e-9 * max(sizes[0], 1e-300))[:DIRECTIONS]
    scores = np.zeros((len(root), DIRECTIONS))
    scores[:, : len(kept)] = (directions[kept] / root).T
    return scores
