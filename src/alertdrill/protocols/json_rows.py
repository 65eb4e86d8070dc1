"""Cells of rows as JSON texts."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from alertdrill.protocols.rows import Cell, Column
from alertdrill.protocols.schema import FeatureKind

LARGEST_BODY_BYTES = 1 << 20  # the monitor parses no longer one


def _numbers(values: NDArray[Any]) -> list[bytes]:
    """JSON texts of numbers, shape (n,); a NaN is null."""
    if not len(values):
        return []
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")


def _integers(values: NDArray[np.float64]) -> list[bytes]:
    """JSON texts of whole numbers; decimals are cut off, a NaN is null."""
    if np.isfinite(values).all() and (np.abs(values) < 2.0**63).all():
        return _numbers(values.astype(np.int64))
    return [b"%d" % value if np.isfinite(value) else b"null" for value in values.tolist()]


def iso_texts(seconds: NDArray[np.float64]) -> NDArray[np.str_]:
    """ISO 8601 in UTC with milliseconds of seconds since the epoch, shape (n,); NaN gives `NaT`."""
    finite = np.isfinite(seconds)
    moments = (np.where(finite, seconds, 0.0) * 1000.0).round().astype("datetime64[ms]")
    return np.where(finite, np.char.add(np.datetime_as_string(moments, unit="ms"), "Z"), "NaT")


def cell_texts(column: Column, kind: FeatureKind) -> list[bytes]:
    """The JSON text of every cell of a column; empty where the key is missing."""
    if kind is FeatureKind.NUMBER:
        texts = _numbers(column.values)
    elif kind is FeatureKind.INTEGER:
        texts = _integers(column.values)
    elif kind is FeatureKind.TIMESTAMP:
        texts = [b'"%s"' % text.encode() for text in iso_texts(column.values).tolist()]
    else:
        texts = list(map(orjson.dumps, column.values.tolist()))
    cells = column.cells
    others = cells.nonzero()[0]
    for position, cell in zip(others.tolist(), cells[others].tolist(), strict=True):
        if cell == Cell.NULL:
            texts[position] = b"null"
        elif cell == Cell.MISSING:
            texts[position] = b""
        elif column.raw is not None:
            texts[position] = column.raw[position]
    return texts


def is_json(text: bytes) -> bool:
    """Whether a text is JSON, as RFC 8259 has it: NaN is not."""
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def cell_value(text: bytes) -> object:
    """The decoded value of a raw cell; what is not JSON is read as text, which fits no number."""
    try:
        return orjson.loads(text)
    except ValueError:
        return text
