"""The axes of a plot: from values to pixels, and which values are written beside them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NEAREST_TICKS = 54
LOGARITHMIC_FROM = 10.0
ROOM = 1.08
MARGIN = 30


@dataclass(frozen=True)
class Across:
    """From left to right; by ratios where the values are positive and differ by ten times or more."""

    values: Mapping[float, str]
    left: int
    right: int
    logarithmic: bool

    @classmethod
    def of(cls, values: Mapping[float, str], left: int, right: int) -> "Across":
        """An axis on which all values, each with its text, have a place."""
        low, high = min(values, default=0.0), max(values, default=0.0)
        return cls(values, left + MARGIN, right - MARGIN, low > 0 and high / low >= LOGARITHMIC_FROM)

    def at(self, value: float) -> float:
        """Pixels from the left."""
        low, high = self._scaled(min(self.values)), self._scaled(max(self.values))
        share = (self._scaled(value) - low) / (high - low) if high > low else 0.5
        return self.left + share * (self.right - self.left)

    def ticks(self) -> list[tuple[float, str]]:
        """Values with their texts, those left out that would stand on another."""
        found: list[tuple[float, str]] = []
        for value, text in sorted(self.values.items()):
            if not found or self.at(value) - self.at(found[-1][0]) >= NEAREST_TICKS:
                found.append((value, text))
        return found

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value


@dataclass(frozen=True)
class Up:
    """From the bottom, which is 0, to the top; `counts`: only whole numbers are written beside it."""

    highest: float
    top: int
    bottom: int
    counts: bool

    @classmethod
    def of(cls, values: Sequence[float], top: int, bottom: int, counts: bool) -> "Up":
        """An axis with room for all values."""
        return cls(max(values, default=0.0) * ROOM or 1.0, top, bottom, counts)

    def at(self, value: float) -> float:
        """Pixels from the top of the picture."""
        return self.bottom - value / self.highest * (self.bottom - self.top)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Round values: 1, 2 or 5 times a power of ten apart, as many as there is room for."""
        least = self.highest / max(1, (self.bottom - self.top) // 30)
        power = 10.0 ** math.floor(math.log10(least))
        step = next(each * power for each in (1, 2, 5, 10) if each * power >= least)
        step = max(step, 1.0) if self.counts else step
        return tuple(round(i * step, 12) for i in range(int(self.highest / step) + 1))
