"""The rows of a model that a user has: a CSV, JSON lines or Parquet file, thinned while it is read."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alertdrill.adapters.log_lines import Line, open_log
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.joining.joined import Reference
from alertdrill.core.joining.reference_table import thinned
from alertdrill.core.log_rows import Unusable

SHOWN = 5


def read_reference(path: Path, label: str | None = None, dropped: tuple[str, ...] = ()) -> Reference:
    """The rows of a file, at most 10,000 evenly from all of them.

    Args:
        path: .csv, .jsonl or .ndjson (each also .gz), or .parquet.
        label: column with the true label.
        dropped: columns that are no features.

    Raises:
        BadInput: it cannot be read, or lines of it cannot be used.
    """
    log, wrong = open_log(path), list[Mistake]()
    names: dict[str, None] = dict.fromkeys(log.columns or ())
    rows, _ = thinned(_values(log.lines(), path, names, wrong))
    if wrong:
        raise BadInput(wrong)
    return Reference(str(path), tuple(names), rows, label, dropped)


def _values(
    lines: Iterator[Line], path: Path, names: dict[str, None], wrong: list[Mistake]
) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        if isinstance(line.values, Unusable):
            if len(wrong) < SHOWN:
                fix = "correct the line, or leave it out"
                wrong.append(Mistake("", line.values.got, line.values.expected, fix, line.number, file=str(path)))
            continue
        names.update(dict.fromkeys(map(str, line.values)))
        yield line.values
