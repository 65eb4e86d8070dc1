from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from alertdrill.drift.cells import CategoryCells, NumericCells
from alertdrill.drift.dependence import MOST_AUTOCORRELATION, Dependence
from alertdrill.drift.e_detector import EDetector, log_threshold

POOL = np.random.default_rng(41).normal(size=10_000)
CELLS = NumericCells.from_reference(POOL, nulls=100)
CLEAN = CELLS.reference_counts / CELLS.reference_rows
FEATURES, ROWS = 40, 10


def of(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Counts, shape (features, cells), of values, shape (features, rows)."""
    placed = CELLS.place_numbers(values)
    return (placed[:, :, None] == np.arange(len(CELLS.names))).sum(axis=1)


def watched(batches: list[NDArray[np.int64]]) -> tuple[float, Dependence]:
    """The largest autocorrelation that any feature had at any time, and the watcher at the end."""
    detector = EDetector([CELLS] * FEATURES, log_threshold(FEATURES), exact_reference=True)
    dependence = Dependence([CELLS] * FEATURES, exact_reference=True)
    highest = 0.0
    for counts in batches:
        detector.update(counts)
        dependence.add(counts, detector.alarmed)
        highest = max(highest, float(dependence.autocorrelation.max()))
    return highest, dependence


def in_waves(sd: float, memory: float, rng: np.random.Generator, updates: int = 1_500) -> list[NDArray[np.int64]]:
    """Batches whose mean wanders: an autoregression of the first order."""
    mean, batches = np.zeros(FEATURES), []
    for _ in range(updates):
        mean = memory * mean + np.sqrt(1 - memory**2) * rng.normal(0.0, sd, FEATURES)
        batches.append(of(rng.normal(mean[:, None], 1.0, (FEATURES, ROWS))))
    return batches


@pytest.mark.parametrize("rows", [1, 10, 500])
def test_independent_rows_do_not_warn(rows: int) -> None:
    rng = np.random.default_rng(42)
    highest, _ = watched([rng.multinomial(rows, CLEAN, FEATURES) for _ in range(2_500)])
    assert 0 < highest < MOST_AUTOCORRELATION


@pytest.mark.parametrize("shift", [0.05, 0.1, 0.5, 2.0])
def test_a_lasting_change_is_drift_and_no_dependence(shift: float) -> None:
    rng = np.random.default_rng(43)
    means = np.repeat([0.0, shift], [400, 1_100])
    highest, _ = watched([of(rng.normal(mean, 1.0, (FEATURES, ROWS))) for mean in means])
    assert highest < MOST_AUTOCORRELATION


def test_rows_that_a_small_reference_cannot_tell_from_its_own_do_not_warn() -> None:
    rng = np.random.default_rng(46)
    small = NumericCells.from_reference(rng.normal(size=1_000))
    detector, dependence = EDetector([small], log_threshold(1)), Dependence([small])
    for _ in range(1_500):
        counts = small.count(rng.normal(0.12, 1.0, 100).tolist())[None, :]
        detector.update(counts)
        dependence.add(counts, detector.alarmed)
        assert not detector.alarmed.any()
        assert not dependence.dependent


@pytest.mark.parametrize(("sd", "memory"), [(0.3, 0.9), (0.5, 0.6)])
def test_batches_that_resemble_the_last_warn(sd: float, memory: float) -> None:
    _, dependence = watched(in_waves(sd, memory, np.random.default_rng(44)))
    assert dependence.dependent
    assert (dependence.autocorrelation >= MOST_AUTOCORRELATION).mean() > 0.9


def test_rows_that_come_again_in_the_next_batch_warn() -> None:
    rng = np.random.default_rng(45)
    halves = [rng.normal(size=(FEATURES, ROWS // 2)) for _ in range(1_000)]
    _, dependence = watched([of(np.hstack(pair)) for pair in pairwise(halves)])
    assert dependence.dependent


def test_features_with_few_directions_are_watched_too() -> None:
    single = CategoryCells.from_reference(["only"] * 1_000)
    dependence = Dependence([CELLS, single])
    counts = np.zeros((2, len(CELLS.names)), dtype=np.int64)
    for start in range(400):
        counts[0] = np.random.default_rng(start).multinomial(ROWS, CLEAN)
        counts[1, 0] = ROWS
        dependence.add(counts, np.zeros(2, dtype=bool))
    assert np.isfinite(dependence.autocorrelation).all()
    assert not dependence.dependent
