"""Make one typing mistake in each category."""

from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase, digits
from typing import ClassVar, Literal

import numpy as np

from alertdrill.core.faults.base import CATEGORIES, CellContext, CellFault
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

_ALPHABETS = (ascii_lowercase, ascii_uppercase, digits)
_SWAP, _DROP, _DOUBLE, _EDITS = 0, 1, 2, 4  # the fourth edit, to replace, is always possible


class Typos(CellFault):
    """Make one typing mistake in each category.

    What it does:
        Makes one edit at a random character of the touched categories: swaps it with the next one, drops it, doubles
        it, or replaces it by another (a digit by a digit, a capital by a capital, else by a small letter), each as
        often. Where the next character is the same or there is none, and where nothing would be left, the character
        is replaced instead, so every touched text changes. Nulls stay null.
    Why it matters:
        Values that people type: names, cities, codes read off a form. Each mistake is rare by itself and makes a new
        category of its own, which ends in the encoder's bucket for the unknown, or in another category that exists.
    Should trigger:
        A drift alert with one cell for all unseen categories (bundled: FeatureDrift, on watched features). An alert
        that counts each new category by itself sees a long tail of ones.
    Example:
        - {kind: typos, features: [merchant_category], share: 20%}
    References:
        Damerau 1964, A Technique for Computer Detection and Correction of Spelling Errors (CACM 7:3).
    """

    edits: ClassVar[frozenset[FeatureKind]] = CATEGORIES

    kind: Literal["typos"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Edit the touched texts."""
        where = column.having_value(context.touched)
        draws = [context.draws(name)[where].tolist() for name in ("place", "edit", "letter")]
        cells = zip(column.values[where].tolist(), *draws, strict=True)
        values = column.values.copy()
        values[where] = np.array([_mistyped(*cell) for cell in cells], dtype=object)
        return replace(column, values=values)


def _mistyped(text: str, place: float, edit: float, letter: float) -> str:
    """The text with one edit; `place`, `edit` and `letter` are draws on [0, 1)."""
    position = int(place * len(text))
    before, one, after = text[:position], text[position : position + 1], text[position + 1 :]
    chosen = int(edit * _EDITS)
    if chosen == _SWAP and after[:1] not in ("", one):
        return before + after[0] + one + after[1:]
    if chosen == _DROP and len(text) > 1:
        return before + after
    if chosen == _DOUBLE and one:
        return before + one + one + after
    return before + _another(one, letter) + after


def _another(one: str, letter: float) -> str:
    """A character of the same alphabet, but another one."""
    alphabet = next((alphabet for alphabet in _ALPHABETS if one in alphabet), ascii_lowercase)
    others = alphabet.replace(one, "") if one else alphabet
    return others[int(letter * len(others))]
