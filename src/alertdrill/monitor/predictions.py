"""Counters of what the model answers: answers that cannot be read, classes, and a tally of each output."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from alertdrill.drift.cells import Absent, Cells
from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.notes import Batch, Taker, row_counts
from alertdrill.monitor.tally import Output, Tally, render
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.json_template import Json

MOST_CLASSES = 20
LONGEST_CLASS = 40
OTHER = "other"
JSON_TYPES = {dict, list, str, int, float, bool}  # None stands for no answer


@dataclass(frozen=True)
class Outputs:
    """Where an answer holds what.

    Attributes:
        pointers: JSON pointer to each output, from a prediction.
        protocol: how answers hold predictions.
        references: cells of the outputs whose normal values are known; those of the others come from the first answers.
        first: how many answers make a reference.
        threshold: evidence at which an output alarms, as `log_threshold` computes it for all that can alarm.
    """

    pointers: Mapping[Output, str]
    references: Mapping[Output, Cells]
    first: int
    threshold: float
    protocol: Protocol = field(default_factory=Json)


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
        self._outputs = [
            (
                output,
                outputs.protocol.find_in_each(pointer, Absent.KEY),
                Tally(output, labels, outputs.references.get(output), outputs.first, outputs.threshold),
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
            found = [one_a_row(value, count) for value in values]
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
        yield from render([tally for _, _, tally in self._outputs])


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


def one_a_row(value: object, rows: int) -> Sequence[object] | None:
    """One value for each of `rows` rows; None if it holds another number of them."""
    if isinstance(value, list):
        return value if len(value) == rows else None
    if value is Absent.KEY:
        return [value] * rows
    return [value] if rows == 1 else None
