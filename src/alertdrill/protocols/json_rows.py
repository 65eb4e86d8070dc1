"""The `json` protocol: one flat JSON object a request, one key a feature."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

CONTENT_TYPE = "application/json"
LARGEST_BODY_BYTES = 1 << 20  # the monitor parses no longer one
MOST_STRETCHES = 32  # of neighbouring features whose texts are kept; each stretch has the length of the sample


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


class Drawn:
    """Rows drawn from a sample, whose cells are written once for all draws."""

    def __init__(self, sample: Rows, schema: Schema) -> None:
        self._sample = sample
        self._schema = schema
        self._texts: dict[tuple[str, ...], tuple[NDArray[np.bool_], NDArray[np.object_]]] = {}
        self._whole = not any((column.cells == Cell.MISSING).any() for column in sample.columns.values())

    def encode(self, rows: Rows, drawn: Rows, positions: NDArray[np.int64]) -> list[bytes]:
        """One request body a row, as `encode` has it.

        Args:
            rows: n rows, with the columns of `drawn` themselves where nothing was changed.
            drawn: the sample's rows at `positions`.
            positions: shape (n,).
        """
        kept = {name for name, column in rows.columns.items() if column is drawn.columns[name]}
        if (
            not kept
            or not self._whole
            or any((rows.columns[name].cells == Cell.MISSING).any() for name in rows.columns)
        ):
            return encode(rows, self._schema)
        parts, columns = list[bytes](), list[list[bytes]]()
        for is_kept, features in groupby(self._schema.features, key=lambda feature: feature.name in kept):
            stretch = tuple(features)
            if is_kept:
                parts.append(b"%b")
                columns.append(self._written(stretch, positions))
                continue
            for feature in stretch:
                parts.append(_key(feature).replace(b"%", b"%%") + b"%b")
                columns.append(cell_texts(rows.columns[feature.name], feature.kind))
        template = b"{" + b",".join(parts) + b"}"
        return [template % texts for texts in zip(*columns, strict=True)]

    def _written(self, features: tuple[Feature, ...], positions: NDArray[np.int64]) -> list[bytes]:
        """Keys and values of neighbouring features, joined, of the sample's rows at `positions`.

        They are written when a row is first drawn: to write those of the whole sample at once takes a tenth of a
        second, in which nothing is sent.
        """
        names = tuple(feature.name for feature in features)
        if names not in self._texts:
            if len(self._texts) >= MOST_STRETCHES:
                self._texts.clear()
            self._texts[names] = np.zeros(len(self._sample), dtype=bool), np.empty(len(self._sample), dtype=object)
        written, texts = self._texts[names]
        new = positions[~written[positions]]
        if len(new):
            columns = [
                [_key(one) + text for text in cell_texts(self._sample.columns[one.name].take(new), one.kind)]
                for one in features
            ]
            texts[new] = [b",".join(cells) for cells in zip(*columns, strict=True)]
            written[new] = True
        return cast(list[bytes], texts[positions].tolist())


def _key(feature: Feature) -> bytes:
    return orjson.dumps(feature.name) + b":"


def encode(rows: Rows, schema: Schema) -> list[bytes]:
    """One request body a row, keys in the schema's order."""
    keys = [_key(feature) for feature in schema.features]
    columns = [cell_texts(rows.columns[feature.name], feature.kind) for feature in schema.features]
    template = b"{" + b",".join(key.replace(b"%", b"%%") + b"%b" for key in keys) + b"}"
    bodies = [template % texts for texts in zip(*columns, strict=True)]
    gaps: NDArray[np.bool_] = np.zeros(len(bodies), dtype=bool)
    for feature in schema.features:
        gaps |= rows.columns[feature.name].cells == Cell.MISSING
    for position in gaps.nonzero()[0].tolist():
        parts = [key + column[position] for key, column in zip(keys, columns, strict=True) if column[position]]
        bodies[position] = b"{" + b",".join(parts) + b"}"
    return bodies


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


def decode(body: bytes) -> Mapping[str, Any]:
    """The object of a request or answer body.

    Raises:
        ValueError: the body is not UTF-8 JSON, or not an object.
    """
    value = orjson.loads(body)
    if not isinstance(value, dict):
        raise ValueError(f"got {type(value).__name__}, expected an object")
    return value
