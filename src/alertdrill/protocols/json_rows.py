"""The `json` protocol: one flat JSON object a request, one key a feature."""

from collections.abc import Mapping
from typing import Any

import orjson

from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import FeatureKind, Schema

CONTENT_TYPE = "application/json"


def _texts(column: Column, kind: FeatureKind) -> list[bytes]:
    """The JSON text of every cell of a column; empty where the key is missing."""
    cells = column.cells
    if kind is FeatureKind.INTEGER:
        texts = [b"%d" % value if value == value else b"null" for value in column.values.tolist()]
    else:
        texts = [orjson.dumps(value) for value in column.values.tolist()]
    for position in cells.nonzero()[0].tolist():
        if cells[position] == Cell.NULL:
            texts[position] = b"null"
        elif cells[position] == Cell.MISSING:
            texts[position] = b""
        else:
            texts[position] = column.raw[position]
    return texts


def encode(rows: Rows, schema: Schema) -> list[bytes]:
    """One request body a row, keys in the schema's order."""
    columns = [
        [
            b'"%s":%s' % (feature.name.encode(), text) if text else b""
            for text in _texts(rows.columns[feature.name], feature.kind)
        ]
        for feature in schema.features
    ]
    return [b"{" + b",".join(part for part in parts if part) + b"}" for parts in zip(*columns, strict=True)]


def decode(body: bytes) -> Mapping[str, Any]:
    """The object of a request or answer body.

    Raises:
        ValueError: the body is not UTF-8 JSON, or not an object.
    """
    value = orjson.loads(body)
    if not isinstance(value, dict):
        raise ValueError(f"got {type(value).__name__}, expected an object")
    return value
