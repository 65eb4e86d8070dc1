"""A clean stream of many features for a long time, drawn from its own reference, and what the monitor makes of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.cells import CategoryCells, Cells, NumericCells
from alertdrill.drift.conditions import Conditions, Warned
from alertdrill.drift.e_detector import EDetector, log_threshold

NUMERIC, CATEGORIES = 10, 5
POOL = 10_000
BATCH = 10
UPDATES_AT_ONCE = 1_000
CHECK_EVERY = 10


@dataclass(frozen=True)
class Pool:
    """Rows to draw from.

    Attributes:
        cells: of each feature; the pool is their reference.
        placed: shape (rows, features), the cell of every value.
        values: shape (rows,) of every feature by name.
    """

    cells: dict[str, Cells]
    placed: NDArray[np.int64]
    values: dict[str, list[float] | list[str]]


def pool(rng: np.random.Generator) -> Pool:
    """10,000 rows of ten numeric features, skewed ones among them, and five categories."""
    values: dict[str, list[float] | list[str]] = {}
    cells: dict[str, Cells] = {}
    for i in range(NUMERIC):
        numbers = rng.normal(size=POOL) if i % 2 else np.round(rng.lognormal(3.0, 1.0, POOL), 2)
        cells[f"x{i}"] = NumericCells.from_reference(numbers)
        values[f"x{i}"] = numbers.tolist()
    for i in range(CATEGORIES):
        weights = np.arange(1, 4 + 2 * i) ** -1.0
        texts = rng.choice([f"c{j}" for j in range(len(weights))], POOL, p=weights / weights.sum())
        cells[f"k{i}"] = CategoryCells.from_reference(texts)
        values[f"k{i}"] = texts.tolist()
    placed = np.column_stack([of.place(values[name]) for name, of in cells.items()])
    return Pool(cells, placed, values)


@dataclass(frozen=True)
class Soak:
    """What a clean stream raised.

    Attributes:
        rows: of the stream.
        alarms: of features and global, each time one was raised.
        highest: the evidence that came nearest to its threshold, as a share of it.
        warnings: of each reason, updates at which it stood, looked at every tenth.
    """

    rows: int
    alarms: int
    highest: float
    warnings: dict[Warned, int]


def soak(rows: int, copies: int, rng: np.random.Generator) -> Soak:
    """Send rows of the pool, each `copies` times in a row, ten a batch, and stop at the end."""
    source = pool(rng)
    cells = list(source.cells.values())
    detector = EDetector(cells, log_threshold(len(cells)), exact_reference=True)
    conditions = Conditions(cells, exact_reference=True)
    features, width = detector.shape
    offsets = np.arange(features) * width
    alarms, highest, stood = 0, 0.0, dict.fromkeys(Warned, 0)
    before = np.zeros(features + 1, dtype=bool)
    for start in range(0, rows, UPDATES_AT_ONCE * BATCH):
        updates = min(UPDATES_AT_ONCE, (rows - start) // BATCH)
        drawn = np.repeat(rng.integers(0, POOL, updates * BATCH // copies), copies)
        at = np.arange(len(drawn))[:, None] // BATCH * (features * width) + offsets + source.placed[drawn]
        keys = drawn.tolist()
        batches = np.bincount(at.ravel(), minlength=updates * features * width).reshape(updates, features, width)
        for update, counts in enumerate(batches):
            evidence = detector.update(counts)
            conditions.add(keys[update * BATCH : (update + 1) * BATCH])
            conditions.update(counts, detector.alarmed)
            now = np.append(detector.alarmed, detector.globally_alarmed)
            alarms += int((now & ~before).sum())
            before = now
            highest = max(highest, float(evidence.max()) / detector.log_threshold)
            if update % CHECK_EVERY == 0:
                for reason, stands in conditions.warnings().items():
                    stood[reason] += stands * CHECK_EVERY
    return Soak(rows, alarms, highest, stood)


def rows_until_warned(copies: int, rng: np.random.Generator) -> int:
    """Rows of a stream that sends each row `copies` times until the monitor warns of repeats."""
    conditions = Conditions(list(pool(rng).cells.values()), exact_reference=True)
    keys = np.repeat(rng.integers(0, POOL, 10_000), copies).tolist()
    for start in range(0, len(keys), BATCH):
        conditions.add(keys[start : start + BATCH])
        if conditions.warnings()[Warned.REPEATED_ROWS]:
            return start + BATCH
    return len(keys)
