"""Resources of the machine among the monitor's metrics: sampled off the event loop, rendered with the rest."""

import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from alertdrill.monitor.notes import Batch, Taker

SAMPLE_S = 1.0


class Sampled(Protocol):
    """Something that is looked at now and then."""

    def sample(self) -> None:
        """Look at it; may take milliseconds."""

    def render(self) -> Iterator[str]:
        """The lines of its metrics, as of the last sample."""


class System(Taker):
    """All that is sampled.

    Args:
        parts: of it.
    """

    def __init__(self, parts: Sequence[Sampled]) -> None:
        self._parts = tuple(parts)
        self._sampled_at = -SAMPLE_S

    @property
    def due(self) -> bool:
        """Whether the last sample is a second old."""
        return time.monotonic() - self._sampled_at >= SAMPLE_S

    def sample(self) -> None:
        """Look at everything; for a thread of its own."""
        self._sampled_at = time.monotonic()
        for part in self._parts:
            part.sample()

    def take(self, batch: Batch) -> None:
        """Nothing: exchanges say nothing of it."""

    def render(self) -> Iterator[str]:
        """The lines of these metrics, as of the last sample."""
        for part in self._parts:
            yield from part.render()
