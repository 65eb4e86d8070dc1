"""Whole numbers for integer features: a request cuts decimals off, so an edit has to end on a whole number itself."""

import numpy as np

from alertdrill.core.faults.base import Floats
from alertdrill.protocols.schema import FeatureKind


def half_away(values: Floats) -> Floats:
    """The nearest whole numbers, halves away from zero, never -0.0; shape (n,)."""
    whole = np.trunc(values)
    return np.asarray(whole + np.sign(values) * (np.abs(values - whole) >= 0.5) + 0.0, dtype=np.float64)


def fitted(before: Floats, after: Floats, kind: FeatureKind) -> Floats:
    """Edited values as a feature of this kind holds them, shape (n,).

    Numbers are `after`. Integers are rounded, halves away from zero; where that is what a request held before, the next
    whole number in the direction of the change, so that an edit is never lost. Where `after` is `before` nothing moves.
    """
    if kind is not FeatureKind.INTEGER:
        return after
    whole = half_away(after)
    moved = np.where(whole == np.trunc(before), whole + np.sign(after - before), whole)
    return np.asarray(np.where(after == before, before, moved), dtype=np.float64)
