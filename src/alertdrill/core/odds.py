"""How likely an alert fires in time: the distribution of ttd that the planned requests and the settings allow.

    ttd = fill + wait for the next scrape + wait for the next evaluation + ceil(for / E) * E

The waits are uniform on [0, S) and [0, E): scrapes and evaluations run on clocks of their own, and every fault phase
starts after a random delay. The fill is triangular on [low, high] with its mode at `likely`. That is a model: the plan
fixes every request, but where scrapes cut the traffic is open, and no more is known of it than these three figures, for
which the triangular distribution is the plainest choice (Kotz, van Dorp 2004, Beyond Beta, chapter 1).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.detection import Settings, whole_intervals_ms
from alertdrill.core.fill import FillBounds

LIKELY_ENOUGH = 0.95
NODES = 512
STEP_S = 0.1

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Odds:
    """The distribution of ttd of one expectation.

    Attributes:
        fill: bounds of the fill, all finite.
        for_s: ceil(for / E) * E.
        scrape_s: scrape interval S.
        evaluation_s: evaluation interval E.
    """

    fill: FillBounds
    for_s: float
    scrape_s: float
    evaluation_s: float

    @property
    def floor_s(self) -> float:
        """The least ttd, to the millisecond: the alert never fires sooner."""
        return round(self.fill.low_s + self.for_s, 3)

    @property
    def worst_s(self) -> float:
        """The largest ttd, to the millisecond, the length of a scrape left out."""
        return round(self.fill.high_s + self.for_s + self.scrape_s + self.evaluation_s, 3)

    def within(self, within_s: float) -> float:
        """P(ttd <= within_s), from 0 to 1: the mean of the waits' distribution over the fill's quantiles.

        0 below the floor, 1 from the worst on. The error of the 512 midpoints is below 0.001.
        """
        if within_s < self.floor_s:
            return 0.0
        if within_s >= self.worst_s:
            return 1.0
        return round(float(self._waits(within_s - self.for_s - self._fills).mean()), 9)

    def point_s(self, share: float = LIKELY_ENOUGH) -> float:
        """The ttd that `share` of drills do not exceed, in seconds, rounded up to a tenth."""
        low_s, high_s = self.floor_s, self.worst_s
        while high_s - low_s > STEP_S / 1000:
            middle_s = (low_s + high_s) / 2
            if self.within(middle_s) < share:
                low_s = middle_s
            else:
                high_s = middle_s
        return round(math.ceil(round(high_s / STEP_S, 6)) * STEP_S, 1)

    @cached_property
    def _fills(self) -> Floats:
        """Shape (512,): quantiles of the triangular distribution at (i + 1/2) / 512, by its inverse."""
        low, high = self.fill.low_s, self.fill.high_s
        mode = min(max(self.fill.likely_s, low), high)
        share = (np.arange(NODES) + 0.5) / NODES
        rising = low + np.sqrt(share * (high - low) * (mode - low))
        falling = high - np.sqrt((1 - share) * (high - low) * (high - mode))
        return np.where(share * (high - low) <= mode - low, rising, falling)

    def _waits(self, at_s: Floats) -> Floats:
        """P(U[0, S) + U[0, E) <= at_s), shape of `at_s`.

        (y+^2 - (y - S)+^2 - (y - E)+^2 + (y - S - E)+^2) / (2 S E), with x+ = max(x, 0).
        """
        s, e = self.scrape_s, self.evaluation_s
        parts = [np.maximum(at_s - shift, 0.0) ** 2 for shift in (0.0, s, e, s + e)]
        return np.asarray(np.clip((parts[0] - parts[1] - parts[2] + parts[3]) / (2 * s * e), 0.0, 1.0))


def odds_of(fill: FillBounds | None, settings: Settings) -> Odds | None:
    """The distribution of ttd; None where the fill is unknown, or not sure to be reached."""
    if fill is None or math.isinf(fill.high_s):
        return None
    for_s = whole_intervals_ms(settings.for_ms, settings.evaluation_ms) / 1000
    return Odds(fill, for_s, settings.scrape_ms / 1000, settings.evaluation_ms / 1000)
