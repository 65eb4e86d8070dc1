"""The hash of what was sent in a segment: the same whatever the number of workers that sent it."""

import hashlib
from collections.abc import Iterable, Mapping

from alertdrill.adapters.load.share import CHUNK

HASH_EVERY = 1000
_NOTHING = hashlib.sha256().digest()


class ChunkDigests:
    """SHA-256 of each chunk of 40 requests: over the bodies that were sent, each behind its length.

    The length has 8 bytes, little-endian. A request that was suppressed or never sent adds nothing.

    Attributes:
        reached: number of the last request sent, plus one.
    """

    def __init__(self) -> None:
        self.reached = 0
        self._closed: dict[int, bytes] = {}
        self._number = 0
        self._open = hashlib.sha256()

    def add(self, sent: Iterable[tuple[int, bytes]]) -> None:
        """Add requests, number and body, ascending by number."""
        parts: list[bytes] = []
        for index, body in sent:
            if index // CHUNK != self._number:
                self._open.update(b"".join(parts))
                self._next(index // CHUNK)
                parts = []
            parts += (len(body).to_bytes(8, "little"), body)
            self.reached = index + 1
        self._open.update(b"".join(parts))

    def digests(self) -> dict[int, bytes]:
        """Digest by number of the chunk, of those that were begun."""
        return {**self._closed, self._number: self._open.digest()} if self.reached else {}

    def _next(self, number: int) -> None:
        if self.reached:
            self._closed[self._number] = self._open.digest()
        self._number, self._open = number, hashlib.sha256()


def marks(digests: Mapping[int, bytes], reached: int) -> list[str]:
    """SHA-256 over the digests of the chunks in order, read at every 1,000 requests and after the last.

    Args:
        digests: by number of the chunk, those of all workers; a chunk of which nothing was sent counts as empty.
        reached: number of the last request sent, plus one.
    """
    running = hashlib.sha256()
    result: list[str] = []
    for begin in range(0, reached, CHUNK):
        running.update(digests.get(begin // CHUNK, _NOTHING))
        end = begin + CHUNK
        if end % HASH_EVERY == 0 and end <= reached:
            result.append(running.hexdigest())
    return [*result, running.hexdigest()] if reached % HASH_EVERY else result
