"""How a long past is cut: into chunks that are asked for one by one, and into spans that an engine replays at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

CHUNK_MS = 86_400_000
LEAST_CHUNK_MS = CHUNK_MS // 128
"""A chunk that is refused is halved down to this: 11 minutes."""

MOST_SAMPLES = 5_000_000
"""In one span: engine and Python stay below 500 MB."""

HEAD_MS = 40 * 86_400_000
"""How much time the engine of a replay can hold: half a block of 2,000 h less a day."""

MOST_REACH_MS = 30 * 86_400_000


@dataclass(frozen=True, order=True)
class Chunk:
    """Instants from `begin_ms` up to, and without, `end_ms`."""

    begin_ms: int
    end_ms: int

    def halves(self) -> "tuple[Chunk, Chunk] | None":
        """Its two halves; None where it is too short."""
        if self.end_ms - self.begin_ms < 2 * LEAST_CHUNK_MS:
            return None
        middle = (self.begin_ms + self.end_ms) // 2
        return Chunk(self.begin_ms, middle), Chunk(middle, self.end_ms)


def chunks(from_ms: int, to_ms: int) -> Iterator[Chunk]:
    """The days (UTC) from the one of `from_ms` on; the last ends with `to_ms`, which is included.

    They begin at midnight, so that another question about the same days finds the same chunks.
    """
    for begin in range(from_ms // CHUNK_MS * CHUNK_MS, to_ms + 1, CHUNK_MS):
        yield Chunk(begin, min(begin + CHUNK_MS, to_ms + 1))


@dataclass(frozen=True)
class Span:
    """What is replayed at once.

    Attributes:
        warm_ms: from when on rules are evaluated, so that windows and states are full when it begins.
        begin_ms: first instant that counts.
        end_ms: the first that no longer does.
        exact: whether every evaluation sees what it saw live; else all that was stamped up to its instant.
    """

    warm_ms: int
    begin_ms: int
    end_ms: int
    exact: bool


def spans(history_ms: int, from_ms: int, to_ms: int, reach_ms: int, samples: int) -> tuple[Span, ...]:
    """The time before a range, in as many parts as memory wants, and the range.

    Args:
        history_ms: where the time before begins; not before `from_ms` where there is none.
        from_ms: the first instant of the range.
        to_ms: its last.
        reach_ms: how long before an instant a sample can matter.
        samples: how many there are before the range.
    """
    length = from_ms - history_ms
    parts = max(ceil(samples / MOST_SAMPLES), ceil(length / (HEAD_MS - reach_ms)))
    edges = [history_ms + length * i // parts for i in range(parts + 1)] if length > 0 and parts else [from_ms]
    before = [Span(a - reach_ms, a, b, exact=False) for a, b in pairwise(edges)]
    return (*before, Span(from_ms - reach_ms, from_ms, to_ms + 1, exact=True))
