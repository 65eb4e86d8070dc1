import math

import numpy as np
import pytest
from numpy.typing import NDArray

from alertdrill.drift.alternatives import log_ratios
from alertdrill.drift.cells import CategoryCells, NumericCells
from alertdrill.drift.e_detector import CAP_LOG, EDetector, crossing, log_threshold

POOL = np.random.default_rng(3).normal(size=10_000)
CELLS = NumericCells.from_reference(POOL, nulls=100)
CLEAN = CELLS.reference_counts / CELLS.reference_rows
STREAMS, ROWS = 120, 10
WEEK_OF_TEN_FEATURES = log_threshold(10)


def shares_of(values: NDArray[np.float64], nulls: float = 0.01) -> NDArray[np.float64]:
    counts = np.bincount(CELLS.place_numbers(values), minlength=len(CELLS.names)).astype(float)
    shares = np.asarray((1 - nulls) * counts / counts.sum(), dtype=np.float64)
    shares[CELLS.null] = nulls
    return shares


def first_alarms(
    shares: NDArray[np.float64], threshold: float, batches: int, rng: np.random.Generator, warm: int
) -> tuple[EDetector, NDArray[np.int64]]:
    """A detector over STREAMS independent streams, and the batch at which each alarmed (0: did not)."""
    detector = EDetector([CELLS] * STREAMS, threshold, exact_reference=True)
    for _ in range(warm):
        detector.update(rng.multinomial(ROWS, CLEAN, STREAMS))
    hit = np.zeros(STREAMS, dtype=np.int64)
    for batch in range(1, batches + 1):
        over = detector.update(rng.multinomial(ROWS, shares, STREAMS)) >= threshold
        hit[over & (hit == 0)] = batch
        if hit.all():
            break
    return detector, hit


def test_threshold_is_one_false_alarm_a_week_over_all_features() -> None:
    assert log_threshold(1) == pytest.approx(15.615, abs=1e-3)
    assert log_threshold(10) == pytest.approx(math.log(6_048_000 * 10))


def test_mean_run_length_to_a_false_alarm_is_at_least_the_threshold() -> None:
    limit = 2_500
    _, hit = first_alarms(CLEAN, math.log(1000), limit, np.random.default_rng(4), warm=0)
    assert np.where(hit == 0, limit, hit).mean() >= 1000
    assert (hit == 0).any()


@pytest.mark.parametrize(
    ("shares", "most_rows"),
    [(shares_of(POOL + 1.0), 80), (shares_of(POOL, nulls=0.2), 80), (shares_of(POOL + 0.5), 250)],
    ids=["mean 1 sd", "nulls 20%", "mean 0.5 sd"],
)
def test_delay_in_rows(shares: NDArray[np.float64], most_rows: int) -> None:
    _, hit = first_alarms(shares, WEEK_OF_TEN_FEATURES, 200, np.random.default_rng(5), warm=60)
    assert (hit > 0).all()
    assert hit.mean() * ROWS <= most_rows


@pytest.mark.parametrize("shares", [shares_of(POOL + 1.0), shares_of(POOL, nulls=0.2)], ids=["mean 1 sd", "nulls 20%"])
def test_alarms_resolve_soon_after_the_fault_ends_and_only_then(shares: NDArray[np.float64]) -> None:
    rng = np.random.default_rng(6)
    detector, hit = first_alarms(shares, WEEK_OF_TEN_FEATURES, 200, rng, warm=60)
    flapped = np.zeros(STREAMS, dtype=bool)
    for _ in range(100):
        flapped |= detector.update(rng.multinomial(ROWS, shares, STREAMS)) < WEEK_OF_TEN_FEATURES
    assert flapped.mean() < 0.1
    still = np.ones(STREAMS, dtype=bool)
    rows_to_resolve = 0
    while np.mean(still) > 0.5:
        detector.update(rng.multinomial(ROWS, CLEAN, STREAMS))
        still &= detector.alarmed
        rows_to_resolve += ROWS
    assert 20 <= rows_to_resolve <= 110
    assert hit.all()


def test_no_alarm_in_a_quarter_of_a_million_clean_rows() -> None:
    _, hit = first_alarms(CLEAN, WEEK_OF_TEN_FEATURES, 250, np.random.default_rng(7), warm=0)
    assert not hit.any()


def one(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return counts[None, :]


def test_evidence_is_the_mean_of_the_plain_recursion() -> None:
    rng = np.random.default_rng(8)
    batches = rng.multinomial(ROWS, shares_of(POOL + 0.3), 20)
    detector = EDetector([CELLS], 1e9, exact_reference=True)
    plain = np.zeros(len(log_ratios(CELLS, exact_reference=True)))
    for counts in batches:
        plain = (1 + plain) * np.exp(log_ratios(CELLS, exact_reference=True) @ counts)
        evidence = detector.update(one(counts))[0]
        assert evidence == pytest.approx(max(0.0, math.log(plain.mean())))


def test_features_of_different_width_do_not_disturb_each_other() -> None:
    country = CategoryCells.from_reference(["DE"] * 900 + ["FR"] * 100)
    rng = np.random.default_rng(9)
    both, alone = EDetector([CELLS, country], 12.0), EDetector([country], 12.0)
    for _ in range(30):
        counts = np.zeros(both.shape, dtype=np.int64)
        counts[0] = rng.multinomial(ROWS, CLEAN)
        counts[1, : len(country.names)] = narrow = rng.multinomial(ROWS, [0.5, 0.5, 0, 0, 0, 0])
        assert both.update(counts)[1] == pytest.approx(alone.update(one(narrow))[0])


def test_a_huge_batch_is_safe_and_stops_at_the_cap() -> None:
    detector = EDetector([CELLS], WEEK_OF_TEN_FEATURES)
    counts = np.zeros(detector.shape, dtype=np.int64)
    counts[0, CELLS.null] = 10_000_000
    assert detector.update(counts)[0] == pytest.approx(WEEK_OF_TEN_FEATURES + CAP_LOG)
    assert np.isfinite(detector.update(counts)).all()


def test_evidence_starts_anew_when_an_alarm_ends() -> None:
    detector, fresh = EDetector([CELLS], WEEK_OF_TEN_FEATURES), EDetector([CELLS], WEEK_OF_TEN_FEATURES)
    nulls, clean = np.zeros(detector.shape, dtype=np.int64), np.rint(CLEAN * 20).astype(np.int64)[None, :]
    nulls[0, CELLS.null] = 50
    evidence = detector.update(nulls)[0]
    while detector.alarmed.any():
        assert evidence >= WEEK_OF_TEN_FEATURES
        evidence = detector.update(clean)[0]
    assert evidence == 0.0
    assert detector.update(nulls // 10)[0] == fresh.update(nulls // 10)[0]


def test_crossing_is_the_batch_at_which_the_monitor_alarms() -> None:
    rng = np.random.default_rng(10)
    clean, moved = rng.multinomial(ROWS, CLEAN, 40), rng.multinomial(ROWS, shares_of(POOL + 1.0), 40)
    counts = np.vstack([clean, np.zeros((3, len(CELLS.names)), dtype=np.int64), moved])
    detector = EDetector([CELLS], WEEK_OF_TEN_FEATURES)
    evidence = [detector.update(one(batch))[0] if batch.any() else 0.0 for batch in counts]
    expected = next(index for index, value in enumerate(evidence) if value >= WEEK_OF_TEN_FEATURES)
    assert crossing(CELLS, counts, WEEK_OF_TEN_FEATURES) == expected
    assert 43 < expected < 55
    assert crossing(CELLS, counts, WEEK_OF_TEN_FEATURES, start=expected + 1) == expected + 1
    assert crossing(CELLS, clean, WEEK_OF_TEN_FEATURES) is None
