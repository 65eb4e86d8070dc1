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
AT_ONCE = 10

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
    features was (benchmarks/monitor_power.py). Bounded: ten batches and a few numbers a feature.
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
        self._waiting: list[tuple[Floats, NDArray[np.bool_]]] = []
        self._centre = np.zeros((len(cells), DIRECTIONS))
        self._last = np.zeros((1, len(cells), DIRECTIONS))
        self._follows = np.zeros((1, len(cells)), dtype=bool)
        self._weight, self._products, self._squares = np.zeros((3, len(cells)))

    @property
    def autocorrelation(self) -> Floats:
        """Shape (features,), -1 to 1; nearer to 0 than it is while fewer batches are judged than the memory holds."""
        squares = np.maximum(self._squares, np.maximum(self._weight * DIRECTIONS, 1.0))
        return np.asarray(self._products / squares * (self._weight / MEMORY_UPDATES))

    @property
    def dependent(self) -> bool:
        """Whether any feature's batches resemble those just before them."""
        return bool((self.autocorrelation >= MOST_AUTOCORRELATION).any())

    def add(self, counts: NDArray[np.int64], alarmed: NDArray[np.bool_]) -> None:
        """Take one batch of rows; ten at a time are judged.

        Args:
            counts: shape (features, most cells), as the e-detector takes them: of each feature the same rows, at least
                one.
            alarmed: shape (features,), whether the feature's drift alarm stands after this batch.
        """
        self._waiting.append((counts.astype(np.float64), alarmed))
        if len(self._waiting) == AT_ONCE:
            self._judge(*map(np.array, zip(*self._waiting, strict=True)))
            self._waiting.clear()

    def _judge(self, counts: Floats, alarmed: NDArray[np.bool_]) -> None:
        """Successive batches; shape (batches, features, most cells) and (batches, features)."""
        root = np.sqrt(counts[:, 0].sum(axis=1))[:, None, None]
        scores = np.matmul(counts.transpose(1, 0, 2), self._scores).transpose(1, 0, 2) / root
        now = np.clip(scores - root * self._centre, -WIDEST, WIDEST)
        before = np.concatenate([self._last, now[:-1]])
        clear = ~alarmed
        judged = clear & np.concatenate([self._follows, clear[:-1]])
        fresh = judged.sum(axis=0)
        fade = np.exp(-fresh / MEMORY_UPDATES)
        self._weight = self._weight * fade + fresh
        self._products = self._products * fade + np.einsum("tf,tfd,tfd->f", judged, now, before)
        self._squares = self._squares * fade + np.einsum("tf,tfd,tfd->f", judged, now, now)
        self._centre += (clear[:, :, None] * now / root).sum(axis=0) / CENTRE_UPDATES
        self._last, self._follows = now[-1:], clear[-1:]


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
