"""What is counted of one output of the model: cells and moments, and the evidence for its drift."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.cells import Absent, CategoryCells, Cells, NumericCells
from alertdrill.drift.conditions import Conditions, Warned
from alertdrill.drift.e_detector import EDetector
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.moments import Moments


class Output(StrEnum):
    """What is looked for in an answer. These are all the values of the label `output`."""

    SCORE = "score"
    LABEL = "label"


class Tally:
    """One output: its reference is given, or made of the first values, which are then no longer compared with it."""

    def __init__(
        self, output: Output, labels: Mapping[str, str], cells: Cells | None, first: int, threshold: float
    ) -> None:
        self._numeric = output is Output.SCORE
        self._labels = {**labels, "output": output.value}
        self._first, self._alarms_at = first, threshold
        self._learning: list[object] = []
        self._moments = Moments()
        self._cells: Cells | None = None
        if cells is not None:
            self._begin(cells)

    def _begin(self, cells: Cells) -> None:
        self._cells = cells
        self._detector = EDetector([cells], self._alarms_at)
        self._conditions = Conditions([cells])
        if isinstance(cells, NumericCells):
            self._moments.keep_to(cells)
        self._counts: NDArray[np.int64] = np.zeros(len(cells.names), dtype=np.int64)
        self._batch = self._counts.copy()
        self._reached = 0.0

    def add(self, values: Sequence[object]) -> None:
        """Count decoded values, `Absent.KEY` where an answer holds none."""
        if self._numeric:
            self._moments.add(np.array([v for v in values if type(v) in (int, float)], dtype=np.float64))
        if self._cells is None:
            values = self._learn(values)
        if self._cells is not None and values:
            self._batch += self._cells.count(values)

    def _learn(self, values: Sequence[object]) -> Sequence[object]:
        """Take what is missing to the reference; the values beyond it."""
        missing = self._first - len(self._learning)
        self._learning += values[:missing]
        if len(self._learning) < self._first:
            return ()
        cells = cells_of(self._learning, self._numeric)
        self._learning = []
        if cells is not None:
            self._begin(cells)
        return values[missing:]

    def update(self) -> None:
        """Give the e-detector the values since the last update as one batch."""
        if self._cells is not None and self._batch.any():
            batch, self._batch = self._batch, np.zeros_like(self._batch)
            self._counts += batch
            self._reached = float(self._detector.update(batch[None, :])[0])
            self._conditions.update(batch[None, :], self._detector.alarmed)

    # what is rendered: each gives the lines of one metric

    def _values(self, name: str) -> Iterator[str]:
        if self._cells is not None:
            yield from self._by_cell(name, self._cells, (self._counts + self._batch).tolist())

    def _shares(self, name: str) -> Iterator[str]:
        if self._cells is not None:
            yield from self._by_cell(name, self._cells, self._cells.reference_shares.tolist())

    def _by_cell(self, name: str, cells: Cells, numbers: Sequence[float]) -> Iterator[str]:
        return lines([key(name, {**self._labels, "cell": cell}) for cell in cells.names], numbers)

    def _rows(self, name: str) -> Iterator[str]:
        return self._one(name, 0 if self._cells is None else self._cells.reference_rows)

    def _summary(self, name: str) -> Iterator[str]:
        if self._numeric:
            yield from self._one(f"{name}_sum", self._moments.total)
            yield from self._one(f"{name}_count", self._moments.count)

    def _squares(self, name: str) -> Iterator[str]:
        return self._one(name, self._moments.squares) if self._numeric else iter(())

    def _mean(self, name: str) -> Iterator[str]:
        return self._one(name, self._cells.mean) if isinstance(self._cells, NumericCells) else iter(())

    def _sd(self, name: str) -> Iterator[str]:
        return self._one(name, self._cells.sd) if isinstance(self._cells, NumericCells) else iter(())

    def _evidence(self, name: str) -> Iterator[str]:
        return iter(()) if self._cells is None else self._one(name, self._reached)

    def _threshold(self, name: str) -> Iterator[str]:
        return iter(()) if self._cells is None else self._one(name, self._alarms_at)

    def _warnings(self, name: str) -> Iterator[str]:
        """That rows repeat is said of the features, whose rows they are."""
        if self._cells is None:
            return iter(())
        found = {why: on for why, on in self._conditions.warnings().items() if why is not Warned.REPEATED_ROWS}
        return lines([key(name, {**self._labels, "reason": why.value}) for why in found], map(int, found.values()))

    def _one(self, name: str, value: float) -> Iterator[str]:
        return lines([key(name, self._labels)], [value])


def cells_of(values: Sequence[object], numeric: bool) -> Cells | None:
    """Cells with these decoded values as their reference; None if they hold nothing usable.

    Args:
        values: numbers, or the texts of classes; None is a null, `Absent.KEY` a missing key.
        numeric: whether they should be numbers.
    """
    nulls = sum(value is None for value in values)
    missing = sum(value is Absent.KEY for value in values)
    if numeric:
        numbers = np.array([value for value in values if type(value) in (int, float)], dtype=np.float64)
        numbers = numbers[np.isfinite(numbers)]
        return NumericCells.from_reference(numbers, nulls, missing) if len(numbers) else None
    texts = [value for value in values if isinstance(value, str)]
    return CategoryCells.from_reference(texts, nulls, missing) if texts else None


_METRICS: tuple[tuple[str, str, str, Callable[[Tally, str], Iterator[str]]], ...] = (
    ("model_prediction_values_total", "counter", "Values of an output in a cell of its reference.", Tally._values),
    ("model_prediction_reference_share", "gauge", "Share of a cell in the reference.", Tally._shares),
    ("model_prediction_reference_rows", "gauge", "Answers of the reference; 0 while it is gathered.", Tally._rows),
    ("model_prediction_reference_mean", "gauge", "Mean of an output in the reference.", Tally._mean),
    ("model_prediction_reference_sd", "gauge", "Standard deviation in the reference.", Tally._sd),
    ("model_prediction", "summary", "Sum and count of scores that are numbers; the sum can fall.", Tally._summary),
    ("model_prediction_sum_squares", "gauge", "Sum of the squares of the scores.", Tally._squares),
    (
        "model_prediction_drift_evidence",
        "gauge",
        "Natural log of the evidence for drift of an output.",
        Tally._evidence,
    ),
    ("model_prediction_drift_threshold", "gauge", "Evidence at which an output alarms.", Tally._threshold),
    (
        "model_prediction_drift_warning",
        "gauge",
        "1: an output's drift may alarm by chance, or not be seen, for this reason.",
        Tally._warnings,
    ),
)


def render(tallies: Sequence[Tally]) -> Iterator[str]:
    """The lines of the metrics of some outputs."""
    for name, kind, text, rendered in _METRICS:
        part = "".join([line for tally in tallies for line in rendered(tally, name)])
        if part:
            yield header(name, kind, text) + part
