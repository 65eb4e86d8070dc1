import math

import numpy as np
import pytest
from numpy.typing import NDArray

from alertdrill.drift.repeats import MEMORY_ROWS, NEAR, Repeats

ROWS = 100_000


def in_batches(keys: NDArray[np.int64], size: int = 500) -> list[float]:
    """The difference after each batch."""
    repeats = Repeats()
    found = []
    for start in range(0, len(keys), size):
        repeats.add(keys[start : start + size].tolist())
        found.append(repeats.difference)
    return found


def drawn(pool: int, rng: np.random.Generator, skew: float = 0.0) -> NDArray[np.int64]:
    weights = (np.arange(pool) + 1.0) ** -skew
    return rng.choice(pool, ROWS, p=weights / weights.sum())


@pytest.mark.parametrize("skew", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("pool", [1, 2, 30, 200, 2_000, 100_000])
def test_independent_rows_never_warn_however_often_they_happen_to_be_equal(pool: int, skew: float) -> None:
    assert max(map(abs, in_batches(drawn(pool, np.random.default_rng(31), skew)))) < 0.12


@pytest.mark.parametrize(("times", "within_rows"), [(2, 1_000), (5, 500)])
def test_rows_sent_several_times_warn(times: int, within_rows: int) -> None:
    keys = np.repeat(np.arange(ROWS), times)[: NEAR * 2 + within_rows]
    repeats = Repeats()
    repeats.add(keys[: NEAR * 2].tolist())
    assert not repeats.repeated
    repeats.add(keys[NEAR * 2 :].tolist())
    assert repeats.repeated


@pytest.mark.parametrize("later", [50, 200])
def test_rows_sent_again_some_rows_later_warn(later: int) -> None:
    blocks = np.arange(ROWS).reshape(-1, later)
    repeats = Repeats()
    repeats.add(np.repeat(blocks, 2, axis=0).ravel()[:4_000].tolist())
    assert repeats.repeated


def test_the_warning_ends_some_time_after_the_repeats() -> None:
    repeats = Repeats()
    repeats.add(np.repeat(np.arange(1_000), 5).tolist())
    assert repeats.repeated
    repeats.add(range(10_000, 14_000))
    assert not repeats.repeated


def test_a_sudden_flood_of_equal_rows_is_drift_and_no_repeat() -> None:
    keys = np.r_[np.arange(5_000), np.full(5_000, -1)]
    assert max(map(abs, in_batches(keys, 10))) < 0.15


@pytest.mark.parametrize("pool", [1, 20, 200, 5_000])
def test_a_copy_is_near_or_far_by_the_rows_between(pool: int) -> None:
    keys = np.random.default_rng(pool).choice(pool, 2_656).tolist()
    excess = 0.0
    for at in range(2 * NEAR, len(keys)):
        far, near = keys[at - 2 * NEAR : at - NEAR], keys[at - NEAR : at]
        excess = excess * math.exp(-1 / MEMORY_ROWS) + (keys[at] in near) - (keys[at] in far)
    assert in_batches(np.array(keys), 700)[-1] == pytest.approx(excess / MEMORY_ROWS, abs=1e-12)


def test_batches_of_any_size_say_the_same() -> None:
    keys = np.repeat(np.arange(2_000), 2)
    assert 0.4 < in_batches(keys, 1)[-1] == in_batches(keys, 1_000)[-1]
