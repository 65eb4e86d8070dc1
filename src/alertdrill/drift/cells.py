"""Cells: the few classes that a feature's values fall into, taken from a reference sample, with their shares in it."""

import math
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.sentinels import sentinels

QUANTILES = 10
TOP_CATEGORIES = 10
LONGEST_NAME = 40

NULL, MISSING, TYPE_ERROR = "null", "missing", "type_error"
BELOW, ABOVE, UNSEEN, OTHER, SENTINEL = "below", "above", "unseen", "other", "sentinel"
ABSENT_CELLS = (NULL, MISSING, TYPE_ERROR)
RESERVED_NAMES = frozenset({*ABSENT_CELLS, BELOW, ABOVE, UNSEEN, OTHER, SENTINEL})


class Absent(Enum):
    """What a row holds where a key is absent: a missing key is not a null."""

    KEY = "key"


@dataclass(frozen=True)
class Cells(ABC):
    """The cells of one feature: first those that hold values, then null, missing and type error.

    Attributes:
        names: a name for each cell, unique; short, from a bounded set.
        reference_counts: shape (cells,); rows of the reference in each cell.
    """

    names: tuple[str, ...]
    reference_counts: NDArray[np.int64]

    @cached_property
    def null(self) -> int:
        """Index of the cell for nulls."""
        return len(self.names) - 3

    @cached_property
    def missing(self) -> int:
        """Index of the cell for missing keys."""
        return len(self.names) - 2

    @cached_property
    def type_error(self) -> int:
        """Index of the cell for values of a wrong type."""
        return len(self.names) - 1

    @property
    def value_cells(self) -> int:
        """How many cells hold values; they come first."""
        return self.null

    @cached_property
    def reference_rows(self) -> int:
        """Rows of the reference, m."""
        return int(self.reference_counts.sum())

    @cached_property
    def reference_shares(self) -> NDArray[np.float64]:
        """Shape (cells,), all above 0, sum 1: p0 = (count + 0.5) / (m + 0.5 * cells) (Krichevsky and Trofimov 1981)."""
        total = self.reference_rows + 0.5 * len(self.names)
        return np.asarray((self.reference_counts + 0.5) / total, dtype=np.float64)

    @abstractmethod
    def place_value(self, value: object) -> int:
        """The cell of one decoded value: None is null, `Absent.KEY` is a missing key."""

    @abstractmethod
    def count(self, values: Sequence[object]) -> NDArray[np.int64]:
        """Shape (cells,): how many of the decoded values fall into each cell. Same answer as `place_value` on each."""

    def place(self, values: Sequence[object]) -> NDArray[np.int64]:
        """Shape (n,): the cell of each decoded value."""
        return np.fromiter(map(self.place_value, values), np.int64, len(values))

    def _place_absent(self, value: object) -> int:
        if value is None:
            return self.null
        return self.missing if value is Absent.KEY else self.type_error


@dataclass(frozen=True)
class NumericCells(Cells):
    """Below the reference's range, its quantile cells in order, above its range; then null, missing, type error.

    A value belongs to the first cell whose upper edge it does not exceed. Where values repeat so much that quantiles
    coincide, there are fewer than ten quantile cells. Where the reference has sentinels, they are left out of all this
    and have a cell of their own after above.

    Attributes:
        edges: shape (above,), strictly increasing: upper edges of below and the quantile cells.
        mean: of the reference's values, sentinels left out.
        sd: of the same values (population form), 0 if all are equal.
        sentinels: shape (s,), the reference's numbers that stand for "unknown", ascending; mostly none.
    """

    edges: NDArray[np.float64]
    mean: float
    sd: float
    sentinels: NDArray[np.float64]
    _edge_list: list[float] = field(init=False, repr=False, compare=False)
    _sentinel_set: frozenset[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_edge_list", self.edges.tolist())
        object.__setattr__(self, "_sentinel_set", frozenset(self.sentinels.tolist()))

    @cached_property
    def above(self) -> int:
        """Index of the cell for values above the range; below is 0, the quantile cells lie between."""
        return len(self.edges)

    @cached_property
    def sentinel(self) -> int | None:
        """Index of the cell for sentinels; None where the reference has none."""
        return self.above + 1 if len(self.sentinels) else None

    @classmethod
    @np.errstate(over="ignore", invalid="ignore")  # where numbers are so large that their differences are none
    def from_reference(cls, values: NDArray[np.float64], nulls: int = 0, missing: int = 0) -> "NumericCells":
        """Cells of a reference of numbers, shape (n,), finite, beside `nulls` and `missing` rows without one.

        Raises:
            ValueError: there is no value, or one is not finite.
        """
        if not len(values) or not np.isfinite(values).all():
            raise ValueError("the reference needs at least one value, and finite ones only")
        unknown = sentinels(values)
        known = values[~np.isin(values, unknown)]
        low, high = known.min(), known.max()
        inner = np.unique(np.quantile(known, np.arange(1, QUANTILES) / QUANTILES, method="inverted_cdf"))
        edges = np.r_[np.nextafter(low, -np.inf), inner[inner < high], high].astype(np.float64)
        counts = np.bincount(edges.searchsorted(known), minlength=len(edges) + 1)
        names, standing_in = ((SENTINEL,), [len(values) - len(known)]) if len(unknown) else ((), [])
        mean, sd = _mean_and_sd(known)
        return cls(
            names=(BELOW, *(f"q{i:02d}" for i in range(1, len(edges))), ABOVE, *names, *ABSENT_CELLS),
            reference_counts=np.r_[counts, standing_in, nulls, missing, 0].astype(np.int64),
            edges=edges,
            mean=mean,
            sd=sd,
            sentinels=unknown,
        )

    def place_numbers(self, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
        """Shape (n,): the cell of each number; infinities are above or below, NaN is a type error."""
        placed = self.edges.searchsorted(numbers).astype(np.int64)
        placed[np.isnan(numbers)] = self.type_error
        if self.sentinel is not None:
            placed[np.isin(numbers, self.sentinels)] = self.sentinel
        return placed

    def place_value(self, value: object) -> int:
        """The cell of one decoded value; a boolean is not a number."""
        if isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value):
            if self.sentinel is not None and value in self._sentinel_set:
                return self.sentinel
            return bisect_left(self._edge_list, value)
        return self._place_absent(value)

    def split(self, values: Sequence[object]) -> tuple[NDArray[np.float64], Sequence[object]]:
        """The numbers among decoded values, shape (n,), and the others."""
        if set(map(type, values)) <= {int, float}:
            return np.array(values, dtype=np.float64), ()
        numbers = [value for value in values if type(value) in (int, float)]
        return np.array(numbers, dtype=np.float64), [value for value in values if type(value) not in (int, float)]

    def count(self, values: Sequence[object]) -> NDArray[np.int64]:
        """Shape (cells,): how many of the decoded values fall into each cell."""
        numbers, others = self.split(values)
        return self.count_split(numbers, others)

    def count_split(self, numbers: NDArray[np.float64], others: Sequence[object]) -> NDArray[np.int64]:
        """The same from the two parts that `split` gives."""
        counts = np.bincount(self.place_numbers(numbers), minlength=len(self.names))
        for value in others:
            counts[self._place_absent(value)] += 1
        return counts


@dataclass(frozen=True)
class CategoryCells(Cells):
    """The reference's most frequent categories, the other known ones, the unseen; then null, missing, type error.

    Attributes:
        cell_of: known category to its cell.
    """

    cell_of: dict[str, int]

    @classmethod
    def from_reference(cls, values: Sequence[str] | NDArray[Any], nulls: int = 0, missing: int = 0) -> "CategoryCells":
        """Cells of a reference of texts beside `nulls` and `missing` rows without one.

        Raises:
            ValueError: there is no value.
        """
        ranked = sorted(Counter(map(str, values)).items(), key=lambda item: (-item[1], item[0]))
        if not ranked:
            raise ValueError("the reference needs at least one value")
        top, rest = ranked[:TOP_CATEGORIES], ranked[TOP_CATEGORIES:]
        names = [*(_category_name(text) for text, _ in top), *([OTHER] if rest else []), UNSEEN, *ABSENT_CELLS]
        counts = [*(n for _, n in top), *([sum(n for _, n in rest)] if rest else []), 0, nulls, missing, 0]
        cell_of = {text: min(rank, TOP_CATEGORIES) for rank, (text, _) in enumerate(ranked)}
        return cls(names=tuple(names), reference_counts=np.array(counts, dtype=np.int64), cell_of=cell_of)

    @cached_property
    def unseen(self) -> int:
        """Index of the cell for categories that the reference does not hold."""
        return self.null - 1

    def place_value(self, value: object) -> int:
        """The cell of one decoded value; only texts are categories."""
        return self.cell_of.get(value, self.unseen) if isinstance(value, str) else self._place_absent(value)

    def count(self, values: Sequence[object]) -> NDArray[np.int64]:
        """Shape (cells,): how many of the decoded values fall into each cell."""
        try:
            times = Counter(values)
        except TypeError:  # lists and objects have no hash
            return np.bincount(self.place(values), minlength=len(self.names))
        counts = np.zeros(len(self.names), dtype=np.int64)
        for value, number in times.items():
            counts[self.place_value(value)] += number
        return counts


def _mean_and_sd(values: NDArray[np.float64]) -> tuple[float, float]:
    """Of finite numbers, shape (n,), as shares of a power of two: the square of 1e300 is no number.

    That changes no digit of the results.
    """
    _, exponent = np.frexp(np.abs(values).max())
    shares = np.ldexp(values, -exponent)
    return float(np.ldexp(shares.mean(), exponent)), float(np.ldexp(shares.std(), exponent))


def _category_name(text: str) -> str:
    """A label value for a category: itself, quoted where it reads like a reserved name, shortened by hash if long."""
    if text in RESERVED_NAMES:
        return f'"{text}"'
    if len(text) <= LONGEST_NAME:
        return text
    return f"{text[: LONGEST_NAME - 9]}~{blake2b(text.encode(), digest_size=4).hexdigest()}"
