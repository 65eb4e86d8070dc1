"""How many rows the e-detector needs on average to see a drift whose distribution over the cells is known."""

import math

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.alternatives import log_ratios
from alertdrill.drift.cells import Cells


def expected_delay_rows(
    cells: Cells, shares: NDArray[np.float64], log_threshold: float, exact_reference: bool = False
) -> float:
    """Mean rows from the onset of a drift until its feature alarms: ln(c F K) / D; infinite where no bet wins.

    D is what the best of the K bets grows by in a row on average, in nats: the mean of ln(q_k / p0) over the live
    distribution q, which is KL(q || p0) for a bet on q itself and less by KL(q || q_k) for one beside it (Kullback and
    Leibler 1951). Its R, one of K in the mean, then reaches c F K after so many rows (Shin, Ramdas and Rinaldo,
    arXiv:2203.03532, section 4: log(threshold) / KL to first order). That several bets win makes it sooner: two
    drifts at once by a third; simulated, the mean for a single drift is within 25% of this where it exceeds five
    batches (benchmarks/monitor_power.py).

    Args:
        cells: of the feature.
        shares: shape (cells,), the live distribution q under the drift, from 0, sum 1.
        log_threshold: ln c + ln F.
        exact_reference: see `alternatives`.
    """
    bets = log_ratios(cells, exact_reference)
    nats_per_row = float((bets @ shares).max())
    return (log_threshold + math.log(len(bets))) / nats_per_row if nats_per_row > 0 else math.inf
