"""The lines of a log file one by one, whatever its format: JSON lines, CSV or Parquet."""

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import orjson

from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.log_rows import Unusable, shown

LONGEST_LINE_BYTES = 1 << 20
MOST_BYTES = 500 << 20
SNIFFED_BYTES = 8192
PARQUET_ROWS = 4096

_TEXT_SUFFIXES = (".jsonl", ".ndjson", ".log", ".csv")
_NAMES = ".jsonl, .ndjson, .log or .csv, each also .gz, or .parquet"


@dataclass(frozen=True)
class Line:
    """One request of a log.

    Attributes:
        number: of the line in the file, from 1; of a Parquet file that of the row.
        values: what it holds, by name; or why it cannot be used.
        of_lines: how many lines of the file it takes, above 1 only for a line that cannot be used.
    """

    number: int
    values: Mapping[str, Any] | Unusable
    of_lines: int = 1


@dataclass(frozen=True)
class LogFile:
    """A log that can be opened.

    Attributes:
        path: its file.
        columns: names of its columns; None where each line has names of its own.
        from_text: whether all values are texts.
        lines: reads it from its beginning.
    """

    path: Path
    columns: tuple[str, ...] | None
    from_text: bool
    lines: Callable[[], Iterator[Line]]


def open_log(path: Path) -> LogFile:
    """See what a file is.

    Raises:
        BadInput: it cannot be read, is empty or is no log.
    """
    suffixes = [one.lower() for one in path.suffixes]
    zipped = suffixes[-1:] == [".gz"]
    suffix = (suffixes[:-1] if zipped else suffixes)[-1:]
    try:
        if suffix == [".parquet"] and not zipped:
            return _parquet(path)
        if not suffix or suffix[0] not in _TEXT_SUFFIXES:
            raise _refused(path, f"a name that ends in {path.suffix or 'nothing'}", f"{_NAMES}", "rename or convert it")
        _sniff(path, zipped)
        return _csv(path, zipped) if suffix == [".csv"] else LogFile(path, None, False, lambda: _json(path, zipped))
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error


def _refused(path: Path, got: str, expected: str, fix: str, line: int | None = None) -> BadInput:
    return BadInput([Mistake("", got, expected, fix, line, file=str(path))])


def _unreadable(path: Path, error: Exception) -> BadInput:
    why = getattr(error, "strerror", None) or str(error).splitlines()[0]
    damaged = isinstance(error, gzip.BadGzipFile | EOFError | zlib.error)
    fix = "compress it again, or give it without .gz" if damaged else "check the path and who may read it"
    return _refused(path, why, "a log that can be read", fix)


def _open(path: Path, zipped: bool) -> BufferedIOBase:
    return gzip.open(path, "rb") if zipped else path.open("rb")


def _sniff(path: Path, zipped: bool) -> None:
    with _open(path, zipped) as file:
        head = file.read(SNIFFED_BYTES)
    if not head.strip():
        raise _refused(path, "an empty file", "recorded requests, one a line", "record some traffic first")
    if b"\0" in head:
        raise _refused(path, "binary data", f"text, as the name ends in {path.suffix}", f"give a file in {_NAMES}")


def _raw(path: Path, zipped: bool) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of every line; of a line that is too long the first 1 MiB and one byte."""
    number, total = 0, 0
    try:
        with _open(path, zipped) as file:
            while line := file.readline(LONGEST_LINE_BYTES + 1):
                number += 1
                total += len(line)
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                while not line.endswith(b"\n") and len(line) > LONGEST_LINE_BYTES:
                    line = file.readline(LONGEST_LINE_BYTES + 1)
                    total += len(line)
                if total > MOST_BYTES:
                    most = f"at most {MOST_BYTES >> 20} MB, uncompressed"
                    raise _refused(path, "more", most, "cut it to the time that the drill plays", number)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error


def _json(path: Path, zipped: bool) -> Iterator[Line]:
    for number, raw in _raw(path, zipped):
        if raw.isspace():
            continue
        yield Line(number, _parsed(raw))


def _parsed(raw: bytes) -> Mapping[str, Any] | Unusable:
    if len(raw) > LONGEST_LINE_BYTES:
        return Unusable("a longer line", f"lines of at most {LONGEST_LINE_BYTES >> 20} MB")
    try:
        values = orjson.loads(raw)
    except ValueError as error:
        values = _with_nan(raw)
        if values is None:
            return Unusable(f"no JSON ({str(error).split(':')[0]})", "one JSON object a line")
    return values if isinstance(values, dict) else Unusable(shown(values), "one JSON object a line")


def _with_nan(raw: bytes) -> object:
    """A line with the NaN and Infinity that Python's loggers write, which are no JSON; None if it is none otherwise."""
    if b"NaN" not in raw and b"Infinity" not in raw:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


class _Texts:
    """The lines of a CSV file as text; bytes that are no UTF-8 become surrogates."""

    def __init__(self, path: Path, zipped: bool) -> None:
        self._raw = _raw(path, zipped)

    def __iter__(self) -> Iterator[str]:
        return (raw[:LONGEST_LINE_BYTES].decode("utf-8", "surrogateescape") for _, raw in self._raw)


def _csv(path: Path, zipped: bool) -> LogFile:
    try:
        header = next(csv.reader(_Texts(path, zipped)), [])
        "".join(header).encode()
    except csv.Error as error:
        raise _refused(path, f"no CSV ({error})", "names of columns", "write a header with commas between", 1) from None
    except UnicodeEncodeError:
        raise _refused(path, "bytes that are no text", "UTF-8", "save the file as UTF-8", 1) from None
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise _refused(path, f"two columns {repeated[0]}", "each name once", "rename or remove one", 1)
    return LogFile(path, tuple(header), True, lambda: _csv_lines(path, zipped, header))


def _csv_lines(path: Path, zipped: bool, header: list[str]) -> Iterator[Line]:
    reader = csv.reader(_Texts(path, zipped))
    next(reader)
    while True:
        before = reader.line_num
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            wrong = Unusable(f"no CSV ({error})", "fields with commas between them, quotes closed")
            yield Line(before + 1, wrong, max(reader.line_num - before, 1))
            continue
        if fields:
            yield Line(before + 1, _record(header, fields), max(reader.line_num - before, 1))


def _record(header: list[str], fields: list[str]) -> Mapping[str, Any] | Unusable:
    if len(fields) != len(header):
        return Unusable(f"{len(fields)} fields", f"{len(header)}, one for each column")
    if not "".join(fields).isascii():
        try:
            "".join(fields).encode()
        except UnicodeEncodeError:
            return Unusable("bytes that are no text", "UTF-8")
    return dict(zip(header, fields, strict=True))


def _parquet(path: Path) -> LogFile:
    """A Parquet file, read in batches.

    Raises:
        BadInput: pyarrow is not installed, or the file is no Parquet.
    """
    if not path.stat().st_size:
        raise _refused(path, "an empty file", "recorded requests, one a row", "record some traffic first")
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        fix = "pip install 'alertdrill[parquet]', or give the log as .jsonl or .csv"
        raise _refused(path, "a Parquet file, and no pyarrow", "pyarrow, which reads it", fix) from error
    try:
        names = tuple(pyarrow.parquet.read_schema(path).names)
    except pyarrow.ArrowException as error:
        got = str(error).splitlines()[0]
        raise _refused(path, got, "a Parquet file", f"give a file in {_NAMES}") from error

    def lines() -> Iterator[Line]:
        number = 0
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(PARQUET_ROWS):
                    for values in _in_microseconds(batch, pyarrow).to_pylist():
                        number += 1
                        yield Line(number, values)
        except (pyarrow.ArrowException, OSError) as error:
            got = str(error).splitlines()[0]
            raise _refused(path, got, "a Parquet file that can be read", "write it again", number) from error

    return LogFile(path, names, False, lines)


def _in_microseconds(batch: Any, pyarrow: Any) -> Any:
    """The batch with its times in microseconds, as Python has no finer ones."""
    columns = [
        column.cast(pyarrow.timestamp("us", tz=column.type.tz), safe=False)
        if pyarrow.types.is_timestamp(column.type)
        else column
        for column in batch.columns
    ]
    return pyarrow.RecordBatch.from_arrays(columns, names=batch.schema.names)
