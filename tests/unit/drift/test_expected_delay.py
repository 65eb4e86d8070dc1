import math

import numpy as np
import pytest

from alertdrill.drift.alternatives import alternatives
from alertdrill.drift.cells import NumericCells
from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.drift.expected_delay import expected_delay_rows

POOL = np.random.default_rng(61).normal(size=10_000)
CELLS = NumericCells.from_reference(POOL, nulls=100)
THRESHOLD = log_threshold(10)
ROWS, STREAMS = 10, 150


def moved(shift: float, nulls: float) -> np.ndarray:
    shares = np.bincount(CELLS.place_numbers(POOL + shift), minlength=len(CELLS.names)) / len(POOL) * (1 - nulls)
    shares[CELLS.null] = nulls
    return shares


def test_the_delay_to_a_drift_that_is_bet_on_is_the_threshold_over_its_divergence() -> None:
    bets = alternatives(CELLS, exact_reference=True)
    q = bets[4]
    divergence = (q * np.log(q / CELLS.reference_shares)).sum()
    delay = expected_delay_rows(CELLS, q, THRESHOLD, exact_reference=True)
    assert delay == pytest.approx(math.log(6_048_000 * 10 * len(bets)) / divergence)


def test_without_drift_it_is_never() -> None:
    assert expected_delay_rows(CELLS, CELLS.reference_shares, THRESHOLD) == math.inf


@pytest.mark.parametrize(("shift", "nulls"), [(0.5, 0.01), (0.25, 0.01), (0.0, 0.2), (0.0, 0.05)])
def test_simulated_delays_are_within_a_quarter_of_it(shift: float, nulls: float) -> None:
    rng = np.random.default_rng(62)
    shares = moved(shift, nulls)
    detector = EDetector([CELLS] * STREAMS, THRESHOLD, exact_reference=True)
    for _ in range(50):
        detector.update(rng.multinomial(ROWS, CELLS.reference_counts / CELLS.reference_rows, STREAMS))
    delays = np.zeros(STREAMS)
    for batch in range(1, 250):
        over = detector.update(rng.multinomial(ROWS, shares, STREAMS)) >= THRESHOLD
        delays[over & (delays == 0)] = batch * ROWS
        if delays.all():
            break
    expected = expected_delay_rows(CELLS, shares, THRESHOLD, exact_reference=True)
    assert delays.all()
    assert 0.75 <= delays.mean() / expected <= 1.25
