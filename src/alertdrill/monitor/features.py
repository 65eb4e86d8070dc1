"""Counters of the features' cells and moments, the evidence for drift of them, and what that evidence rests on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.cells import Cells, NumericCells
from alertdrill.drift.conditions import Conditions, Warned
from alertdrill.drift.e_detector import EDetector
from alertdrill.monitor.columns import columns_of
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.moments import Moments


class FeatureCounters:
    """What the rows held, by feature and cell.

    Attributes:
        rows: rows counted.
        unknown_keys: keys of rows that the schema does not name.
        updates: batches that the e-detector has taken.
    """

    def __init__(
        self, labels: Mapping[str, str], cells: Mapping[str, Cells], unwatched: Sequence[str], detector: EDetector
    ) -> None:
        """Counters at 0.

        Args:
            labels: of the model, put on every series.
            cells: of every watched feature.
            unwatched: the other features of the schema; no statistics are kept of them.
            detector: over the same features in the same order.
        """
        self._cells = list(cells.items())
        self._names = tuple(cells)
        self._unwatched = tuple(unwatched)
        self._detector = detector
        self._counts: NDArray[np.int64] = np.zeros(detector.shape, dtype=np.int64)
        self._batch: NDArray[np.int64] = np.zeros(detector.shape, dtype=np.int64)
        self._moments = {name: Moments.of(of) for name, of in self._cells if isinstance(of, NumericCells)}
        self._conditions = Conditions(list(cells.values()), detector.exact_reference)
        self._evidence: NDArray[np.float64] = np.zeros(len(self._cells))
        self._text = _Text(labels, cells)
        self.rows = self.unknown_keys = self.updates = 0

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Count decoded rows; the e-detector takes them at the next `update`."""
        known = sum(name in row for name in self._unwatched for row in rows)
        columns = columns_of(rows, self._names)
        for at, ((name, cells), values) in enumerate(zip(self._cells, columns, strict=True)):
            counts = self._count(name, cells, values)
            self._batch[at, : len(counts)] += counts
            known += len(rows) - int(counts[cells.missing])
        self.rows += len(rows)
        self.unknown_keys += sum(map(len, rows)) - known
        self._conditions.add(_keys(columns))

    def _count(self, name: str, cells: Cells, values: Sequence[object]) -> NDArray[np.int64]:
        if not isinstance(cells, NumericCells):
            return cells.count(values)
        numbers, others = cells.split(values)
        self._moments[name].add(numbers)
        return cells.count_split(numbers, others)

    def update(self) -> None:
        """Give the e-detector the rows since the last update as one batch; nothing if there are none."""
        if self._batch.any():
            batch, self._batch = self._batch, np.zeros_like(self._batch)
            self._counts += batch
            self._evidence = self._detector.update(batch)
            self._conditions.update(batch, self._detector.alarmed)
            self.updates += 1

    def render(self) -> Iterator[str]:
        """The lines of these metrics, rows since the last update included."""
        counts = self._counts + self._batch
        by_cell = [n for (_, of), row in zip(self._cells, counts.tolist(), strict=True) for n in row[: len(of.names)]]
        moments = self._moments.values()
        yield header("model_feature_values_total", "counter", "Values of a feature in a cell of its reference.")
        yield from lines(self._text.cells, by_cell)
        yield header("model_feature", "summary", "Sum and count of a feature's numbers; the sum can fall.")
        yield from lines(self._text.sums, [m.total for m in moments])
        yield from lines(self._text.counts, [m.count for m in moments])
        yield header("model_feature_sum_squares", "gauge", "Sum of the squares of a feature's numbers.")
        yield from lines(self._text.squares, [m.squares for m in moments])
        yield header("model_drift_evidence", "gauge", "Natural log of the evidence for drift of a feature.")
        yield from lines(self._text.evidence, self._evidence.tolist())
        yield header("model_drift_threshold", "gauge", "Evidence at which a feature alarms.")
        yield from lines(self._text.threshold, [self._detector.log_threshold] * len(self._cells))
        yield from self._render_whole()
        yield self._text.reference

    def _render_whole(self) -> Iterator[str]:
        """What is said of all features together."""
        yield header("model_drift_global_evidence", "gauge", "Natural log of the evidence over all features together.")
        yield from lines(self._text.global_evidence, [self._detector.global_evidence])
        yield header("model_drift_global_threshold", "gauge", "Global evidence at which all features alarm together.")
        yield from lines(self._text.global_threshold, [self._detector.log_global_threshold])
        yield header("model_drift_warning", "gauge", "1: drift may alarm by chance, or not be seen, for this reason.")
        yield from lines(self._text.warnings, map(int, self._conditions.warnings().values()))


def _keys(columns: Sequence[Sequence[object]]) -> list[int]:
    """A hash of each row: the same for equal rows. Lists and objects count by their type alone."""
    try:
        return list(map(hash, zip(*columns, strict=True)))
    except TypeError:
        plain = [[type(v) if isinstance(v, list | dict) else v for v in values] for values in columns]
        return list(map(hash, zip(*plain, strict=True)))


class _Text:
    """The parts of the lines that never change."""

    def __init__(self, labels: Mapping[str, str], cells: Mapping[str, Cells]) -> None:
        numeric = {name: of for name, of in cells.items() if isinstance(of, NumericCells)}
        pairs = [({**labels, "feature": name, "cell": cell}) for name, of in cells.items() for cell in of.names]
        self.cells = [key("model_feature_values_total", pair) for pair in pairs]
        self._labels = labels
        self.sums = self._keys("model_feature_sum", numeric)
        self.counts = self._keys("model_feature_count", numeric)
        self.squares = self._keys("model_feature_sum_squares", numeric)
        self.evidence = self._keys("model_drift_evidence", cells)
        self.threshold = self._keys("model_drift_threshold", cells)
        self.global_evidence = [key("model_drift_global_evidence", labels)]
        self.global_threshold = [key("model_drift_global_threshold", labels)]
        self.warnings = [key("model_drift_warning", {**labels, "reason": reason.value}) for reason in Warned]
        shares = [share for of in cells.values() for share in of.reference_shares.tolist()]
        self.reference = "".join(
            [
                header("model_feature_reference_share", "gauge", "Share of a cell in the reference."),
                *lines([key("model_feature_reference_share", pair) for pair in pairs], shares),
                *self._gauge("rows", "Rows of the reference.", {n: of.reference_rows for n, of in cells.items()}),
                *self._gauge("mean", "Mean of a feature in the reference.", {n: of.mean for n, of in numeric.items()}),
                *self._gauge("sd", "Standard deviation in the reference.", {n: of.sd for n, of in numeric.items()}),
            ]
        )

    def _keys(self, name: str, features: Mapping[str, Any]) -> list[str]:
        return [key(name, {**self._labels, "feature": feature}) for feature in features]

    def _gauge(self, name: str, text: str, values: Mapping[str, float]) -> Iterator[str]:
        yield header(f"model_feature_reference_{name}", "gauge", text)
        yield from lines(self._keys(f"model_feature_reference_{name}", values), values.values())
