"""Rows as the CSV text that `rows.parse_csv` reads back, and cells as fields of a request in CSV."""

import csv
import io

import numpy as np
import orjson

from alertdrill.protocols.forms import NO_VALUE, csv_field
from alertdrill.protocols.json_rows import cell_texts, iso_texts
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import FeatureKind, Schema


def to_csv(rows: Rows, schema: Schema) -> str:
    """A header of feature names and one line a row; whatever is no value is an empty field, which means null.

    Labels, if there are any, stand in the column that the schema names.
    """
    columns = [_texts(rows.columns[feature.name], feature.kind) for feature in schema.features]
    names = [feature.name for feature in schema.features]
    if schema.label is not None and schema.label not in names:
        names.append(schema.label)
        columns.append([""] * len(rows) if rows.labels is None else rows.labels.tolist())
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")  # the writer quotes what this holds, a lone \r too
    writer.writerow(names)
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def _texts(column: Column, kind: FeatureKind) -> list[str]:
    there = column.cells == Cell.VALUE
    if kind is FeatureKind.CATEGORY:
        texts = column.values
    elif kind is FeatureKind.TIMESTAMP:
        texts = iso_texts(column.values)
    else:
        texts = np.array(list(map(repr, column.values.tolist())), dtype=object)
    return list(np.where(there, texts, "").tolist())


def field_texts(column: Column, kind: FeatureKind) -> list[bytes]:
    """Every cell of a column as a CSV field: what its JSON text holds, and nothing for no value."""
    return [_field(text) for text in cell_texts(column, kind)]


def lone_field_texts(column: Column, kind: FeatureKind) -> list[bytes]:
    """The same for the only column of a table: a pair of quotes for no value, as an empty line would be no row."""
    return [text or NO_VALUE for text in field_texts(column, kind)]


def _field(text: bytes) -> bytes:
    if text == b"null":
        return b""
    if text[:1] == b'"':
        return csv_field(orjson.loads(text))
    return csv_field(text.decode()) if b"," in text else text
