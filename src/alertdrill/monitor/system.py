"""Resources of the machine among the monitor's metrics: sampled off the event loop, rendered with the rest."""

import asyncio
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

    async def freshen(self) -> None:
        """Look at everything, off the event loop, if the last look began a second ago."""
        now = time.monotonic()
        if now - self._sampled_at >= SAMPLE_S:
            self._sampled_at = now
            await asyncio.to_thread(self._sample)

    def _sample(self) -> None:
        for part in self._parts:
            part.sample()

    def take(self, batch: Batch) -> None:
        """Nothing: exchanges say nothing of it."""

    def render(self) -> Iterator[str]:
        """The lines of these metrics, as of the last sample."""
        for part in self._parts:
            yield from part.render()
