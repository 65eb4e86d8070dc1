"""Rewrite touched values, each distinct one once."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from alertdrill.core.faults.base import Mask
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


def with_texts(column: Column, where: Mask, rewrite: Callable[[str], str]) -> Column:
    """A copy of a column of categories in which `rewrite` has gone over the values of the mask `where`, shape (n,)."""
    where = column.having_value(where)
    texts = column.values[where].tolist()
    rewritten = {text: rewrite(text) for text in set(texts)}
    values = column.values.copy()
    values[where] = np.array([rewritten[text] for text in texts], dtype=object)
    return replace(column, values=values)


def with_json(column: Column, where: Mask, kind: FeatureKind, rewrite: Callable[[bytes], bytes]) -> Column:
    """A copy in which `rewrite` has gone over the JSON texts of the values of the mask `where`, shape (n,).

    Numbers that JSON cannot write, which are sent as null, stay as they are.
    """
    where = column.having_value(where)
    if column.values.dtype.kind == "f":
        where = where & np.isfinite(column.values)
    if not where.any():
        return column
    texts = cell_texts(column.take(where.nonzero()[0]), kind)
    rewritten = {text: rewrite(text) for text in set(texts)}
    return column.with_raw(where, [rewritten[text] for text in texts])
