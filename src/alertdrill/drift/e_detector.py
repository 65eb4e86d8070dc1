"""The mixture Shiryaev-Roberts e-detector: drift alarms with a bound on false ones, without choosing a window.

Source: J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection"
(arXiv:2203.03532): an e-detector from Shiryaev-Roberts statistics, and its bound on the average run length.

For each alternative q of a feature whose cells have the reference shares p0, every batch of rows updates
R <- (1 + R) * exp(counts . L) with L = ln(q / p0); the evidence is the log of the mean of R over the alternatives. If
p0 is exact and rows are independent, the mean number of updates until R first reaches c is at least c, whatever the
dependence between features; F features that share a budget each use c * F.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.alternatives import log_ratios
from alertdrill.drift.cells import Cells

WEEK_S = 604_800.0
UPDATE_S = 0.1
CAP_LOG = math.log(1e4)
LARGEST_GAIN = 600.0  # R stays below e^50 by the cap, so that this factor cannot overflow; one so large meets the cap


def log_threshold(features: int, budget_s: float = WEEK_S, update_s: float = UPDATE_S) -> float:
    """Evidence at which one feature alarms: ln c + ln F, c = budget_s / update_s.

    Args:
        features: how many are watched, F, at least 1.
        budget_s: mean seconds between false alarms over all features together, at least.
        update_s: seconds between two updates, at least.
    """
    return math.log(budget_s / update_s) + math.log(features)


class EDetector:
    """Evidence for drift of several features, updated together; every feature has its own alarm.

    After an alarm the evidence must be able to fall again: R is rescaled so that its mean over the alternatives is at
    most 10^4 times the alarm level (which cannot move a first alarm), and when it falls below that level R <- 0, which
    renews the guarantee for the next episode.
    """

    def __init__(self, cells: Sequence[Cells], log_threshold: float, exact_reference: bool = False) -> None:
        """Start without evidence.

        Args:
            cells: of each feature; at least one feature.
            log_threshold: evidence at which a feature alarms, as `log_threshold` computes it.
            exact_reference: see `alternatives`.
        """
        ratios = [log_ratios(feature, exact_reference) for feature in cells]
        most = max(r.shape[0] for r in ratios)
        self._width = max(r.shape[1] for r in ratios)
        self._log_ratios = np.zeros((len(ratios), self._width, most))
        self._weights = np.zeros((len(ratios), most))
        for at, feature in enumerate(ratios):
            k, width = feature.shape
            self._log_ratios[at, :width, :k] = feature.T
            self._weights[at, :k] = 1 / k
        self._r = np.zeros((len(ratios), most))
        self._alarmed = np.zeros(len(ratios), dtype=bool)
        self.log_threshold = log_threshold

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the counts that `update` takes: (features, the most cells of any feature)."""
        return len(self._r), self._width

    @property
    def alarmed(self) -> NDArray[np.bool_]:
        """Shape (features,): whether the evidence stands at or above the threshold."""
        return self._alarmed.copy()

    def update(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Take one batch of rows.

        Args:
            counts: shape (features, most cells): rows of the batch in each cell, 0 beyond a feature's own cells.

        Returns:
            Shape (features,): the evidence, ln of the mean of R over the alternatives, no lower than 0.
        """
        gain = np.matmul(counts[:, None, :].astype(np.float64), self._log_ratios)[:, 0, :]
        r = (1.0 + self._r) * np.exp(np.minimum(gain, LARGEST_GAIN))
        evidence = np.log(np.maximum((r * self._weights).sum(axis=1), 1.0))
        excess = np.maximum(evidence - (self.log_threshold + CAP_LOG), 0.0)
        evidence -= excess
        r *= np.exp(-excess)[:, None]
        over = evidence >= self.log_threshold
        ended = self._alarmed & ~over
        r[ended] = 0.0
        evidence[ended] = 0.0
        self._r, self._alarmed = r, over
        return np.asarray(evidence, dtype=np.float64)


def crossing(
    cells: Cells, counts: NDArray[np.int64], log_threshold: float, start: int = 0, exact_reference: bool = False
) -> int | None:
    """Index of the batch after which one feature's evidence first stands at or above the threshold, or None.

    Args:
        cells: of the feature.
        counts: shape (batches, cells): rows of each batch in each cell; batches without rows are skipped, as the
            monitor skips them.
        log_threshold: evidence at which it alarms.
        start: earlier batches are taken, but an alarm within them is not an answer.
        exact_reference: see `alternatives`.
    """
    detector = EDetector([cells], log_threshold, exact_reference)
    for index in np.flatnonzero(counts.sum(axis=1)).tolist():
        evidence = detector.update(counts[index : index + 1])[0]
        if index >= start and evidence >= log_threshold:
            return int(index)
    return None
