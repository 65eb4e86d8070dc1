"""Contexts for faults under test: what an injection would tell them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.draws import uniforms
from alertdrill.core.faults.base import CellContext, RowContext, SampleContext, Spread, Timeline
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind


def numbers(*values: float | None) -> Column:
    """A numeric column; None is a null."""
    cells = np.array([Cell.NULL if value is None else Cell.VALUE for value in values], dtype=np.uint8)
    return Column(np.array([np.nan if value is None else value for value in values], dtype=np.float64), cells)


def texts(*values: str | None) -> Column:
    """A column of categories; None is a null."""
    cells = np.array([Cell.NULL if value is None else Cell.VALUE for value in values], dtype=np.uint8)
    return Column(np.array([*("" if value is None else value for value in values), None], dtype=object)[:-1], cells)


def timeline(n: int, per_s: float = 1.0, start: int = 0) -> Timeline:
    """Requests `start` to `start + n - 1`, request i due at i / per_s."""
    index = np.arange(start, start + n)
    return Timeline(
        index=index,
        at=index / per_s,
        index_at=lambda at: np.maximum(np.floor(np.asarray(at) * per_s + 1e-9).astype(np.int64), 0),
    )


def cell_context(
    column: Column,
    touched: Sequence[bool] | None = None,
    kind: FeatureKind | None = None,
    sample: Column | None = None,
    dose: float | Sequence[float] = 1.0,
    seed: int = 7,
    when: Timeline | None = None,
) -> CellContext:
    """The context of one column, every cell touched by default; the sample is the column itself by default."""
    n = len(column.cells)
    sample = column if sample is None else sample
    numeric = column.values.dtype.kind == "f"
    kind = kind or (FeatureKind.NUMBER if numeric else FeatureKind.CATEGORY)
    present = sample.values[sample.cells == Cell.VALUE] if numeric and kind is not FeatureKind.TIMESTAMP else None
    spread = None
    if present is not None and len(present):
        sd = float(present.std(ddof=1)) if len(present) > 1 else 0.0
        spread = Spread(float(present.mean()), sd, float(present.min()), float(present.max()))
    return CellContext(
        feature=Feature(name="x", kind=kind),
        touched=np.ones(n, dtype=bool) if touched is None else np.array(touched),
        dose=np.broadcast_to(np.asarray(dose, dtype=np.float64), n),
        spread=spread,
        sample=sample,
        timeline=when or timeline(n),
        draws=lambda name: uniforms(seed, name, 0, 0, n),
        clean=lambda indices: column.take(np.asarray(indices)),
    )


def row_context(rows: Rows, touched: Mapping[str, Sequence[bool]] | None = None) -> RowContext:
    """The context of some columns of rows; all of them, and every cell, by default."""
    names = touched or dict.fromkeys(rows.columns)
    return RowContext({name: cell_context(rows.columns[name], touched and touched[name]) for name in names})


def sample_context(
    sample: Rows, n: int, touched: Sequence[bool] | None = None, seed: int = 7, per_s: float = 1.0
) -> SampleContext:
    """The context of n requests drawn from a sample: request i got row i modulo its size."""

    def clean(indices: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(indices) % len(sample)

    return SampleContext(
        touched=np.ones(n, dtype=bool) if touched is None else np.array(touched),
        sample=sample,
        timeline=timeline(n, per_s),
        draws=lambda name: uniforms(seed, name, 0, 0, n),
        clean=clean,
        pool=lambda search: search(sample),
    )
