"""Counters of what the model answers: classes, cells and moments of its scores, and the evidence for their drift."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.cells import Absent, CategoryCells, Cells, NumericCells
from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.notes import Batch, Taker, row_counts
from alertdrill.monitor.pointer import finder_in_each

MOST_CLASSES = 20
LONGEST_CLASS = 40
OTHER = "other"
JSON_TYPES = {dict, list, str, int, float, bool}  # None stands for no answer
MOST_WAITING = 1000
WIDEST = 1e9  # a score of 1e300 would swallow every sum


class Output(StrEnum):
    """What is looked for in an answer. These are all the values of the label `output`."""

    SCORE = "score"
    LABEL = "label"


@dataclass(frozen=True)
class Outputs:
    """Where an answer holds what.

    Attributes:
        pointers: JSON pointer to each output; with several rows it must give a list with one value a row.
        references: cells of the outputs whose normal values are known; those of the others come from the first answers.
        first: how many answers make a reference.
    """

    pointers: Mapping[Output, str]
    references: Mapping[Output, Cells]
    first: int


class PredictionCounters(Taker):
    """What the answers held.

    Args:
        labels: of the model, put on every series.
        outputs: where answers hold what.

    Raises:
        ValueError: a pointer is none.
    """

    def __init__(self, labels: Mapping[str, str], outputs: Outputs) -> None:
        self._labels = dict(labels)
        self._bad = dict.fromkeys(BadAnswer, 0)
        self._classes: dict[str, int] = {}
        budget = log_threshold(max(1, len(outputs.pointers)))
        self._outputs = [
            (
                output,
                finder_in_each(pointer, Absent.KEY),
                _Tally(output, labels, outputs.references.get(output), outputs.first, budget),
            )
            for output, pointer in outputs.pointers.items()
        ]

    def take(self, batch: Batch) -> None:
        """Count the answers of predictions."""
        answers: Sequence[Any] = batch.answers
        counts = row_counts(batch.rows)
        if not set(map(type, answers)) <= JSON_TYPES:
            for reason in [answer for answer in answers if type(answer) is BadAnswer]:
                self._bad[reason] += 1
            given = [type(answer) in JSON_TYPES for answer in answers]
            answers, counts = list(compress(answers, given)), list(compress(counts, given))
        columns = [find(answers) for _, find, _ in self._outputs]
        if max(counts, default=1) > 1 or any(list in set(map(type, column)) for column in columns):
            columns = self._spread(columns, counts)
        for (output, _, tally), column in zip(self._outputs, columns, strict=True):
            if column and output is Output.LABEL:
                names = class_names(column)
                self._count_classes(names)
                tally.add(names)
            elif column:
                tally.add(column)

    def _spread(self, columns: Sequence[Sequence[object]], counts: Sequence[int]) -> list[list[object]]:
        """One value a row; answers that do not hold as many are counted and left out."""
        spread: list[list[object]] = [[] for _ in columns]
        for values, count in zip(zip(*columns, strict=True), counts, strict=True):
            found = [_values(value, count) for value in values]
            if any(one is None for one in found):
                self._bad[BadAnswer.WRONG_BATCH] += 1
                continue
            for kept, one in zip(spread, found, strict=True):
                kept += one or ()
        return spread

    def _count_classes(self, names: Sequence[object]) -> None:
        for name, count in Counter([name for name in names if isinstance(name, str)]).items():
            short = name[:LONGEST_CLASS]
            kept = short if short in self._classes or len(self._classes) < MOST_CLASSES else OTHER
            self._classes[kept] = self._classes.get(kept, 0) + count

    def update(self) -> None:
        """Give the e-detectors what was counted since the last update."""
        for _, _, tally in self._outputs:
            tally.update()

    def render(self) -> Iterator[str]:
        """The lines of these metrics."""
        yield header("model_malformed_answers_total", "counter", "Answers that hold no prediction, by reason.")
        reasons = [key("model_malformed_answers_total", {**self._labels, "reason": r.value}) for r in self._bad]
        yield from lines(reasons, self._bad.values())
        if any(output is Output.LABEL for output, _, _ in self._outputs):
            yield header("model_prediction_classes_total", "counter", "Predictions of a class.")
            classes = [key("model_prediction_classes_total", {**self._labels, "class": name}) for name in self._classes]
            yield from lines(classes, self._classes.values())
        tallies = [tally for _, _, tally in self._outputs]
        for tally in tallies:
            tally.count_waiting()
        for name, kind, text, rendered in _METRICS:
            part = "".join([line for tally in tallies for line in rendered(tally, name)])
            if part:
                yield header(name, kind, text) + part


def class_name(value: object) -> object:
    """The text of a class; what is no class (null, an object, NaN) as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def class_names(values: Sequence[object]) -> Sequence[object]:
    """The same of many."""
    types = set(map(type, values))
    if types == {str}:
        return values
    return list(map(str, values)) if types == {int} else list(map(class_name, values))


def _values(value: object, rows: int) -> Sequence[object] | None:
    """One value for each of `rows` rows; None if it holds another number of them."""
    if isinstance(value, list):
        return value if len(value) == rows else None
    if value is Absent.KEY:
        return [value] * rows
    return [value] if rows == 1 else None


class _Tally:
    """One output: its reference is given, or made of the first values, which are then no longer compared with it."""

    def __init__(
        self, output: Output, labels: Mapping[str, str], cells: Cells | None, first: int, threshold: float
    ) -> None:
        self._numeric = output is Output.SCORE
        self._labels = {**labels, "output": output.value}
        self._first, self._threshold = first, threshold
        self._waiting: list[object] = []
        self._learning: list[object] = []
        self._count, self._total, self._squares = 0, 0.0, 0.0
        self._cells: Cells | None = None
        if cells is not None:
            self._begin(cells)

    def _begin(self, cells: Cells) -> None:
        self._cells = cells
        self._detector = EDetector([cells], self._threshold)
        self._counts: NDArray[np.int64] = np.zeros(len(cells.names), dtype=np.int64)
        self._batch = self._counts.copy()
        self._evidence = 0.0

    def add(self, values: Sequence[object]) -> None:
        """Take values, to be counted by the next `update`, or before the next scrape."""
        self._waiting += values
        if len(self._waiting) >= MOST_WAITING:
            self.count_waiting()

    def count_waiting(self) -> None:
        values: Sequence[object] = self._waiting
        if not values:
            return
        self._waiting = []
        if self._numeric:
            self._add_moments(values)
        if self._cells is None:
            values = self._learn(values)
        if self._cells is not None and values:
            self._batch += self._cells.count(values)

    def _add_moments(self, values: Sequence[object]) -> None:
        numbers = np.array([value for value in values if type(value) in (int, float)], dtype=np.float64)
        kept = np.clip(numbers[~np.isnan(numbers)], -WIDEST, WIDEST)
        self._count += len(kept)
        self._total += float(kept.sum())
        self._squares += float(kept @ kept)

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
        self.count_waiting()
        if self._cells is not None and self._batch.any():
            batch, self._batch = self._batch, np.zeros_like(self._batch)
            self._counts += batch
            self._evidence = float(self._detector.update(batch[None, :])[0])

    # what is rendered: each gives the lines of one metric

    def values(self, name: str) -> Iterator[str]:
        if self._cells is not None:
            yield from self._by_cell(name, self._cells, (self._counts + self._batch).tolist())

    def shares(self, name: str) -> Iterator[str]:
        if self._cells is not None:
            yield from self._by_cell(name, self._cells, self._cells.reference_shares.tolist())

    def _by_cell(self, name: str, cells: Cells, numbers: Sequence[float]) -> Iterator[str]:
        return lines([key(name, {**self._labels, "cell": cell}) for cell in cells.names], numbers)

    def rows(self, name: str) -> Iterator[str]:
        return self._one(name, 0 if self._cells is None else self._cells.reference_rows)

    def summary(self, name: str) -> Iterator[str]:
        if self._numeric:
            yield from self._one(f"{name}_sum", self._total)
            yield from self._one(f"{name}_count", self._count)

    def squares(self, name: str) -> Iterator[str]:
        return self._one(name, self._squares) if self._numeric else iter(())

    def mean(self, name: str) -> Iterator[str]:
        return self._one(name, self._cells.mean) if isinstance(self._cells, NumericCells) else iter(())

    def sd(self, name: str) -> Iterator[str]:
        return self._one(name, self._cells.sd) if isinstance(self._cells, NumericCells) else iter(())

    def evidence(self, name: str) -> Iterator[str]:
        return iter(()) if self._cells is None else self._one(name, self._evidence)

    def threshold(self, name: str) -> Iterator[str]:
        return iter(()) if self._cells is None else self._one(name, self._threshold)

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


_METRICS: tuple[tuple[str, str, str, Callable[[_Tally, str], Iterator[str]]], ...] = (
    ("model_prediction_values_total", "counter", "Values of an output in a cell of its reference.", _Tally.values),
    ("model_prediction_reference_share", "gauge", "Share of a cell in the reference.", _Tally.shares),
    ("model_prediction_reference_rows", "gauge", "Answers of the reference; 0 while it is gathered.", _Tally.rows),
    ("model_prediction_reference_mean", "gauge", "Mean of an output in the reference.", _Tally.mean),
    ("model_prediction_reference_sd", "gauge", "Standard deviation in the reference.", _Tally.sd),
    ("model_prediction", "summary", "Sum and count of scores that are numbers; the sum can fall.", _Tally.summary),
    ("model_prediction_sum_squares", "gauge", "Sum of the squares of the scores.", _Tally.squares),
    (
        "model_prediction_drift_evidence",
        "gauge",
        "Natural log of the evidence for drift of an output.",
        _Tally.evidence,
    ),
    ("model_prediction_drift_threshold", "gauge", "Evidence at which an output alarms.", _Tally.threshold),
)
