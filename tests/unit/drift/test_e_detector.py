import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alertdrill.drift.alternatives import log_ratios
from alertdrill.drift.cells import CategoryCells, NumericCells
from alertdrill.drift.e_detector import CAP_LOG, EDetector, log_threshold

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


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(0, 9), st.integers(0, 9))
def test_the_mean_of_r_under_the_reference_is_the_number_of_updates(a: int, b: int, nulls: int) -> None:
    cells = CategoryCells.from_reference(["a"] * (a + 1) + ["b"] * b, nulls)
    width, rows, updates = len(cells.names), 1, 3
    sequences = list(product(range(width), repeat=updates))
    chances = [math.prod(cells.reference_shares[list(sequence)]) for sequence in sequences]
    detector = EDetector([cells] * len(sequences), 1e9, exact_reference=True)
    for step in range(updates):
        counts = np.zeros(detector.shape, dtype=np.int64)
        counts[np.arange(len(sequences)), [sequence[step] for sequence in sequences]] = rows
        detector.update(counts)
    assert chances @ detector.mean_r == pytest.approx(updates)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(-1.5, 1.5), st.floats(0.0, 0.5), st.integers(1, 40), st.floats(2.0, 18.0))
def test_cap_and_reset_never_move_a_first_alarm(
    seed: int, shift: float, nulls: float, rows: int, threshold: float
) -> None:
    rng = np.random.default_rng(seed)
    counts = np.vstack([rng.multinomial(rows, CLEAN, 20), rng.multinomial(rows, shares_of(POOL + shift, nulls), 60)])
    detector = EDetector([CELLS], threshold, exact_reference=True)
    gains = counts @ log_ratios(CELLS, exact_reference=True).T
    plain = np.full(gains.shape[1], -np.inf)
    for batch, gain in zip(counts, gains, strict=True):
        plain = np.logaddexp(0.0, plain) + gain
        alarmed = np.logaddexp.reduce(plain) - math.log(len(plain)) >= threshold
        assert (detector.update(one(batch))[0] >= threshold) == alarmed
        if alarmed:
            break


def test_the_global_evidence_is_the_mean_over_features_against_the_budget_alone() -> None:
    rng = np.random.default_rng(10)
    detector = EDetector([CELLS] * 5, log_threshold(5), exact_reference=True)
    assert detector.log_global_threshold == pytest.approx(log_threshold(1))
    for _ in range(20):
        evidence = detector.update(rng.multinomial(ROWS, shares_of(POOL + 0.4), 5))
        assert detector.global_evidence == pytest.approx(math.log(np.exp(evidence).mean()), abs=0.7)
    assert detector.global_evidence == pytest.approx(math.log(detector.mean_r.mean()))


def test_drifts_of_many_features_can_alarm_globally_before_any_does_alone() -> None:
    rng = np.random.default_rng(11)
    sooner = 0
    for _ in range(20):
        detector = EDetector([CELLS] * 10, WEEK_OF_TEN_FEATURES, exact_reference=True)
        while not detector.globally_alarmed:
            detector.update(rng.multinomial(ROWS, shares_of(POOL + 0.3), 10))
        sooner += not detector.alarmed.any()
    assert sooner >= 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(-1.0, 1.0))
def test_the_global_alarm_is_never_later_than_the_first_of_a_feature(seed: int, features: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    shares = [shares_of(POOL + shift), *[CLEAN] * (features - 1)]
    detector = EDetector([CELLS] * features, log_threshold(features), exact_reference=True)
    for _ in range(60):
        detector.update(np.array([rng.multinomial(ROWS, p) for p in shares]))
        if detector.alarmed.any():
            assert detector.globally_alarmed
            break


def test_the_global_alarm_resolves_and_starts_anew() -> None:
    rng = np.random.default_rng(12)
    detector = EDetector([CELLS] * 10, WEEK_OF_TEN_FEATURES, exact_reference=True)
    while not detector.globally_alarmed:
        detector.update(rng.multinomial(ROWS, shares_of(POOL + 0.5), 10))
    for _ in range(200):
        detector.update(rng.multinomial(ROWS, shares_of(POOL + 0.5), 10))
        assert detector.global_evidence <= detector.log_global_threshold + CAP_LOG + 1e-9
    updates = 0
    while detector.globally_alarmed:
        detector.update(rng.multinomial(ROWS, CLEAN, 10))
        updates += 1
    assert 1 <= updates <= 25
    assert detector.global_evidence == 0.0


def test_a_larger_budget_of_false_alarms_lowers_the_threshold() -> None:
    assert log_threshold(10, false_alarms_per_week=7.0) == pytest.approx(log_threshold(10) - math.log(7))


@pytest.mark.parametrize("budget", [0.0, -1.0, 1e-9, 1e6, math.inf, math.nan])
def test_a_budget_out_of_range_is_refused(budget: float) -> None:
    with pytest.raises(ValueError, match=r"expected 0\.0001 to 1000"):
        log_threshold(10, budget)
