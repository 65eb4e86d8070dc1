"""Rows as request bodies, in whichever form the schema's protocol writes them."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import cast

import numpy as np
import orjson
from numpy.typing import NDArray

from alertdrill.protocols import json_rows
from alertdrill.protocols.csv_text import field_texts, lone_field_texts
from alertdrill.protocols.forms import CSV_TYPE, Form
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

MOST_STRETCHES = 32  # of neighbouring features whose texts are kept; each stretch has the length of the sample

CellTexts = Callable[[Column, FeatureKind], list[bytes]]


def texts_of(form: Form, features: int) -> CellTexts:
    """What writes the cells of one of so many columns for a form; what it gives for a missing key is never sent."""
    if form.content_type != CSV_TYPE:
        return json_rows.cell_texts
    return field_texts if features > 1 else lone_field_texts


class Encoder:
    """Writes rows of one schema, whose form is worked out once."""

    def __init__(self, schema: Schema) -> None:
        self._features = schema.features
        self._names = [orjson.dumps(feature.name) for feature in schema.features]
        self._form = schema.form
        self._texts = texts_of(self._form, len(schema.features))
        self.before = self._form.pieces(schema.names())
        self.closing = self.before.pop()

    def texts(self, column: Column, feature: Feature) -> list[bytes]:
        """The cells of a column as they are written; what stands for a missing key is never sent."""
        return self._texts(column, feature.kind)

    def encode(self, rows: Rows) -> list[bytes]:
        """One request body a row, values in the schema's order."""
        columns = [self.texts(rows.columns[feature.name], feature) for feature in self._features]
        template = b"".join([before.replace(b"%", b"%%") + b"%b" for before in self.before])
        template += self.closing.replace(b"%", b"%%")
        bodies = [template % texts for texts in zip(*columns, strict=True)]
        absent = [rows.columns[feature.name].cells == Cell.MISSING for feature in self._features]
        for position in np.logical_or.reduce(absent).nonzero()[0].tolist():
            row = zip(self._names, columns, absent, strict=True)
            bodies[position] = self._form.join([(name, texts[position]) for name, texts, no in row if not no[position]])
        return bodies


class Drawn:
    """Rows drawn from a sample, whose cells are written once for all draws."""

    def __init__(self, sample: Rows, schema: Schema) -> None:
        self._sample = sample
        self._features = schema.features
        self._encoder = Encoder(schema)
        self._texts: dict[tuple[int, ...], tuple[NDArray[np.bool_], NDArray[np.object_]]] = {}
        self._whole = not any((column.cells == Cell.MISSING).any() for column in sample.columns.values())

    def encode(self, rows: Rows, drawn: Rows, positions: NDArray[np.int64]) -> list[bytes]:
        """One request body a row, as `encode` has it.

        Args:
            rows: n rows, with the columns of `drawn` themselves where nothing was changed.
            drawn: the sample's rows at `positions`.
            positions: shape (n,).
        """
        kept = [rows.columns[feature.name] is drawn.columns[feature.name] for feature in self._features]
        if (
            not any(kept)
            or not self._whole
            or any((rows.columns[name].cells == Cell.MISSING).any() for name in rows.columns)
        ):
            return self._encoder.encode(rows)
        parts, columns = list[bytes](), list[list[bytes]]()
        for is_kept, places in groupby(range(len(kept)), key=kept.__getitem__):
            stretch = tuple(places)
            if is_kept:
                parts.append(b"%b")
                columns.append(self._written(stretch, positions))
                continue
            for place in stretch:
                feature = self._features[place]
                parts.append(self._encoder.before[place].replace(b"%", b"%%") + b"%b")
                columns.append(self._encoder.texts(rows.columns[feature.name], feature))
        template = b"".join(parts) + self._encoder.closing.replace(b"%", b"%%")
        return [template % texts for texts in zip(*columns, strict=True)]

    def _written(self, places: tuple[int, ...], positions: NDArray[np.int64]) -> list[bytes]:
        """Neighbouring features of the sample's rows at `positions`, with what stands before each, joined.

        They are written when a row is first drawn: to write those of the whole sample at once takes a tenth of a
        second, in which nothing is sent.
        """
        if places not in self._texts:
            if len(self._texts) >= MOST_STRETCHES:
                self._texts.clear()
            self._texts[places] = np.zeros(len(self._sample), dtype=bool), np.empty(len(self._sample), dtype=object)
        written, texts = self._texts[places]
        new = positions[~written[positions]]
        if len(new):
            features: Sequence[Feature] = [self._features[place] for place in places]
            columns = [self._encoder.texts(self._sample.columns[one.name].take(new), one) for one in features]
            before = b"".join([self._encoder.before[place].replace(b"%", b"%%") + b"%b" for place in places])
            texts[new] = [before % cells for cells in zip(*columns, strict=True)]
            written[new] = True
        return cast(list[bytes], texts[positions].tolist())


def encode(rows: Rows, schema: Schema) -> list[bytes]:
    """One request body a row, values in the schema's order."""
    return Encoder(schema).encode(rows)
