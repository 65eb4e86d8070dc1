"""The mixture Shiryaev-Roberts e-detector: drift alarms with a bound on false ones, without choosing a window.

Source: J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection"
(arXiv:2203.03532): an e-detector from Shiryaev-Roberts statistics, and its bound on the average run length.

For each alternative q of a feature whose cells have the reference shares p0, every batch of rows updates
R <- (1 + R) * exp(counts . L) with L = ln(q / p0); the evidence is the log of the mean of R over the alternatives. If
p0 is exact and rows are independent, R_n - n is a martingale, so that the mean number of updates until the mean of R
first reaches c is at least c, whatever the dependence between features.

Two kinds of alarm spend the same budget of one false alarm in c updates. Each of F features alarms by itself at c * F.
The global alarm takes the mean over all features and alternatives and needs c only. A feature at c * F lifts the global
mean to c, so until the first alarm of an episode the global one is never later (and, as evidence of several features
adds up but does not multiply, seldom much sooner), and both kinds together alarm no more often than it. A detector of F
among W that share a budget has F parts of W of it: all this with c * W / F for c.
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


def log_threshold(watched: int, false_alarms_per_week: float = 1.0, update_s: float = UPDATE_S) -> float:
    """Evidence at which one of those watched alarms: ln c + ln W, c = updates in a week / false alarms allowed in it.

    Args:
        watched: features and outputs that can alarm, W, at least 1, in however many detectors: each of them spends one
            part of W of the budget, and the global alarm of a detector's F features what they spend, F parts.
        false_alarms_per_week: at most so many on average, over all that are watched together.
        update_s: seconds between two updates, at least.

    Raises:
        ValueError: the budget is not between 0.0001 (one in 192 years) and 1,000 (one in ten minutes).
    """
    if not FEWEST_A_WEEK <= false_alarms_per_week <= MOST_A_WEEK:
        raise ValueError(f"got {false_alarms_per_week:g} false alarms a week, expected {FEWEST_A_WEEK:g} to 1000")
    return math.log(WEEK_S / (false_alarms_per_week * update_s)) + math.log(watched)


class EDetector:
    """Evidence for drift of several features, updated together: an alarm for each feature, and a global one.

    After an alarm the evidence must be able to fall again: R is rescaled so that its mean is at most 10^4 times the
    alarm level (which cannot move a first alarm), and when it falls below that level R <- 0, which renews the guarantee
    for the next episode. The global alarm keeps an R of its own, as its caps and resets are others.

    Attributes:
        log_threshold: evidence at which a feature alarms, ln c + ln W.
        log_global_threshold: evidence at which the global alarm is raised, ln c + ln W - ln F.
        global_evidence: ln of the mean of R over all features and alternatives, no lower than 0.
        globally_alarmed: whether it stands at or above its threshold.
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
        features = len(ratios)
        most, width = (max(r.shape[axis] for r in ratios) for axis in (0, 1))
        self._log_ratios = np.zeros((features, width, most))
        self._weights = np.zeros((2, features, most))
        for at, feature in enumerate(ratios):
            k, own_width = feature.shape
            self._log_ratios[at, :own_width, :k] = feature.T
            self._weights[:, at, :k] = np.array([1 / k, 1 / (k * features)])[:, None]
        self._r = np.zeros(self._weights.shape)  # weight times R: of the features' own alarms, of the global one
        self._ones = np.ones(most)  # a product with ones is the fastest sum
        self._alarmed = np.zeros(features, dtype=bool)
        self.exact_reference = exact_reference
        self.log_threshold = log_threshold
        self.log_global_threshold = log_threshold - math.log(features)
        self.global_evidence = 0.0
        self.globally_alarmed = False

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the counts that `update` takes: (features, the most cells of any feature)."""
        return self._log_ratios.shape[0], self._log_ratios.shape[1]

    @property
    def alarmed(self) -> NDArray[np.bool_]:
        """Shape (features,): whether the evidence stands at or above the threshold."""
        return self._alarmed.copy()

    @property
    def mean_r(self) -> NDArray[np.float64]:
        """Shape (features,): the mean of R over the alternatives, whose log is the evidence wherever it is 1 or more.

        Under the reference's shares it is the number of updates on average, while no cap or reset has touched it.
        """
        return np.asarray(self._r[0].sum(axis=1), dtype=np.float64)

    def update(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Take one batch of rows.

        Args:
            counts: shape (features, most cells): rows of the batch in each cell, 0 beyond a feature's own cells.

        Returns:
            Shape (features,): the evidence, ln of the mean of R over the alternatives, no lower than 0.
        """
        growth = np.matmul(counts[:, None, :].astype(np.float64), self._log_ratios)[:, 0, :]
        np.minimum(growth, LARGEST_GAIN, out=growth)
        np.exp(growth, out=growth)
        self._r += self._weights
        self._r *= growth
        own, shared = self._r @ self._ones
        self._judge_globally(math.log(max(float(shared.sum()), 1.0)))
        return self._judge(np.log(np.maximum(own, 1.0)))

    def _judge(self, evidence: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cap and reset the features' own R; the evidence after it."""
        over = evidence >= self.log_threshold
        if np.count_nonzero(over | self._alarmed):
            excess = np.maximum(evidence - (self.log_threshold + CAP_LOG), 0.0)
            evidence -= excess
            self._r[0] *= np.exp(-excess)[:, None]
            ended = self._alarmed & ~over
            self._r[0, ended] = 0.0
            evidence[ended] = 0.0
        self._alarmed = over
        return evidence

    def _judge_globally(self, evidence: float) -> None:
        """The same for the global R."""
        over = evidence >= self.log_global_threshold
        excess = max(evidence - (self.log_global_threshold + CAP_LOG), 0.0)
        if excess:
            self._r[1] *= math.exp(-excess)
        elif self.globally_alarmed and not over:
            self._r[1] = evidence = 0.0
        self.global_evidence, self.globally_alarmed = evidence - excess, over
