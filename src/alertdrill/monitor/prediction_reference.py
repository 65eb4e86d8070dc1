"""What predictions are compared with: columns of the reference."""

import csv
import io
from collections.abc import Iterable

from alertdrill.drift.cells import Absent, Cells
from alertdrill.monitor.predictions import class_name
from alertdrill.monitor.reference import BadFile, read_text
from alertdrill.monitor.settings import Settings
from alertdrill.monitor.tally import Output, cells_of


def prediction_references(settings: Settings) -> dict[Output, Cells]:
    """The cells of the outputs whose column the settings name.

    Raises:
        BadFile: there is no such column, or nothing in it can be used.
    """
    columns = {Output.SCORE: settings.reference_score, Output.LABEL: settings.reference_label}
    named = {output: column for output, column in columns.items() if column is not None}
    if not named:
        return {}
    table = csv.DictReader(io.StringIO(read_text(settings.reference)))
    lacking = [column for column in named.values() if column not in (table.fieldnames or ())]
    if lacking:
        got = f"got no column {', '.join(lacking)}, expected one with the model's predictions"
        raise BadFile(settings.reference, got, "name a column of it, or leave the option out")
    texts = {output: list[str]() for output in named}
    for row in table:
        for output, column in named.items():
            texts[output].append(row[column] or "")
    found = {output: cells_of(_values(some, output), output is Output.SCORE) for output, some in texts.items()}
    unusable = [named[output] for output, cells in found.items() if cells is None]
    if unusable:
        fix = "give numbers for scores, and any text for classes"
        raise BadFile(settings.reference, f"{', '.join(unusable)}: got no usable value", fix)
    return {output: cells for output, cells in found.items() if cells is not None}


def _values(texts: Iterable[str], output: Output) -> list[object]:
    """Decoded values of a CSV column; an empty field is a missing key, as an answer would have it."""
    return [Absent.KEY if not text else _number(text) if output is Output.SCORE else _class(text) for text in texts]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _class(text: str) -> object:
    """A class as `class_name` writes it: 1.0 in a CSV is the class 1."""
    value = _number(text)
    return class_name(value) if isinstance(value, float) else text
