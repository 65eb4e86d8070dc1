"""Which requests a worker sends: chunks of consecutive numbers, dealt out in turn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHUNK = 40
"""Requests of a chunk: built at once, sent by one worker, hashed together. It divides `payload_hash.HASH_EVERY`."""


@dataclass(frozen=True)
class Share:
    """The part of every segment that one of `of` workers sends: chunk c belongs to worker c mod `of`.

    Attributes:
        worker: number of the worker, 0 to `of` - 1.
        of: how many workers share the load.
    """

    worker: int = 0
    of: int = 1

    def indexes(self, count: int) -> NDArray[np.int64]:
        """Which of the requests 0 to `count` - 1 are in this share, ascending."""
        every = np.arange(count, dtype=np.int64)
        mine: NDArray[np.int64] = every[(every // CHUNK) % self.of == self.worker]
        return mine

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the requests at positions in this share, shape (n,)."""
        chunk, offset = np.divmod(positions, CHUNK)
        numbers: NDArray[np.int64] = (chunk * self.of + self.worker) * CHUNK + offset
        return numbers


ALL = Share()
"""The whole load, sent by one process."""
