"""The mixture Shiryaev-Roberts e-detector: drift alarms with a bound on false ones, without choosing a window.

Source: J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection"
(arXiv:2203.03532): an e-detector from Shiryaev-Roberts statistics, and its bound on the average run length.

For each alternative q of a feature whose cells have the reference shares p0, every batch of rows updates
R <- (1 + R) * exp(counts . L) with L = ln(q / p0); the evidence is the log of the mean of R over the alternatives. If
p0 is exact and rows are independent, R_n - n is a martingale, so that the mean number of updates until the mean of R
first reaches c is at least c, whatever the dependence between features.

Two kinds of alarm spend the same budget of one false alarm in c updates. Each of F features alarms by itself at c * F.
The global alarm takes the mean over all features and alternatives and needs c only: small drifts of many features add
up in it. A feature at c * F lifts the global mean to c, so until the first alarm of an episode the global one is never
later, and both kinds together alarm no more often than it.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.alternatives import log_ratios
from alertdrill.drift.cells import Cells

WEEK_S = 604_800.0
UPDATE_S = 0.1
FEWEST_A_WEEK, MOST_A_WEEK = 1e-4, 1000.0
CAP_LOG = math.log(1e4)
LARGEST_GAIN = 600.0  # R stays below e^70 by the cap, so that this factor cannot overflow; one so large meets the cap


def log_threshold(features: int, false_alarms_per_week: float = 1.0, update_s: float = UPDATE_S) -> float:
    """Evidence at which one feature alarms: ln c + ln F, c = updates in a week / false alarms allowed in it.

    Args:
        features: how many are watched, F, at least 1.
        false_alarms_per_week: at most so many on average, over all features together.
        update_s: seconds between two updates, at least.

    Raises:
        ValueError: the budget is not between 0.0001 (one in 192 years) and 1,000 (one in ten minutes).
    """
    if not FEWEST_A_WEEK <= false_alarms_per_week <= MOST_A_WEEK:
        raise ValueError(f"got {false_alarms_per_week:g} false alarms a week, expected {FEWEST_A_WEEK:g} to 1000")
    return math.log(WEEK_S / (false_alarms_per_week * update_s)) + math.log(features)


class EDetector:
    """Evidence for drift of several features, updated together: an alarm for each feature, and a global one.

    Attributes:
        log_threshold: evidence at which a feature alarms, ln c + ln F.
        log_global_threshold: evidence at which the global alarm is raised, ln c.
        exact_reference: see `alternatives`.
    """

    def __init__(self, cells: Sequence[Cells], log_threshold: float, exact_reference: bool = False) -> None:
        """Start without evidence.

        Args:
            cells: of each feature; at least one feature.
            log_threshold: evidence at which a feature alarms, as `log_threshold` computes it.
            exact_reference: see `alternatives`.
        """
        ratios = [log_ratios(feature, exact_reference) for feature in cells]
        most, width = (max(r.shape[axis] for r in ratios) for axis in (0, 1))
        self._log_ratios = np.zeros((len(ratios), width, most))
        weights = np.zeros((len(ratios), most))
        for at, feature in enumerate(ratios):
            k, own_width = feature.shape
            self._log_ratios[at, :own_width, :k] = feature.T
            weights[at, :k] = 1 / k
        self.exact_reference = exact_reference
        self.log_threshold = log_threshold
        self.log_global_threshold = log_threshold - math.log(len(ratios))
        self._own = _Statistic(weights, self.log_threshold)
        self._global = _Statistic(weights.reshape(1, -1) / len(ratios), self.log_global_threshold)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the counts that `update` takes: (features, the most cells of any feature)."""
        return self._log_ratios.shape[0], self._log_ratios.shape[1]

    @property
    def alarmed(self) -> NDArray[np.bool_]:
        """Shape (features,): whether the evidence stands at or above the threshold."""
        return self._own.alarmed.copy()

    @property
    def mean_r(self) -> NDArray[np.float64]:
        """Shape (features,): the mean of R over the alternatives, whose log is the evidence wherever it is 1 or more.

        Under the reference's shares it is the number of updates on average, while no cap or reset has touched it.
        """
        return self._own.mean_r

    @property
    def global_evidence(self) -> float:
        """Ln of the mean of R over all features and alternatives, no lower than 0."""
        return float(self._global.evidence[0])

    @property
    def globally_alarmed(self) -> bool:
        """Whether the global evidence stands at or above its threshold."""
        return bool(self._global.alarmed[0])

    def update(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Take one batch of rows.

        Args:
            counts: shape (features, most cells): rows of the batch in each cell, 0 beyond a feature's own cells.

        Returns:
            Shape (features,): the evidence, ln of the mean of R over the alternatives, no lower than 0.
        """
        gain = np.matmul(counts[:, None, :].astype(np.float64), self._log_ratios)[:, 0, :]
        growth = np.exp(np.minimum(gain, LARGEST_GAIN))
        self._global.grow(growth.reshape(1, -1))
        return self._own.grow(growth).copy()


class _Statistic:
    """Groups of bets, R each, whose weighted mean alarms at a threshold and is able to fall again after it.

    R is rescaled so that its mean is at most 10^4 times the alarm level, which cannot move a first alarm; when the mean
    falls below that level after an alarm, R <- 0, which renews the guarantee for the next episode.

    Attributes:
        evidence: shape (groups,), ln of the mean of R, no lower than 0.
        alarmed: shape (groups,), whether it stands at or above the threshold.
    """

    def __init__(self, weights: NDArray[np.float64], log_threshold: float) -> None:
        """Without evidence; weights: shape (groups, bets), from 0, each row sums to 1."""
        self._weights = weights
        self._log_threshold = log_threshold
        self._r = np.zeros(weights.shape)
        self.evidence: NDArray[np.float64] = np.zeros(len(weights))
        self.alarmed: NDArray[np.bool_] = np.zeros(len(weights), dtype=bool)

    @property
    def mean_r(self) -> NDArray[np.float64]:
        """Shape (groups,): the weighted mean of R."""
        return np.asarray(np.einsum("gk,gk->g", self._r, self._weights), dtype=np.float64)

    def grow(self, growth: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multiply 1 + R of every bet by its growth, shape (groups, bets); the evidence after it."""
        r = self._r
        r += 1.0
        r *= growth
        evidence = np.log(np.maximum(self.mean_r, 1.0))
        over = evidence >= self._log_threshold
        if over.any():
            excess = np.maximum(evidence - (self._log_threshold + CAP_LOG), 0.0)
            evidence -= excess
            r *= np.exp(-excess)[:, None]
        ended = self.alarmed & ~over
        if ended.any():
            r[ended] = 0.0
            evidence[ended] = 0.0
        self.evidence, self.alarmed = evidence, over
        return evidence
