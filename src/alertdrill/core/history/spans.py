"""How a long past is cut: into chunks that are asked for one by one, and into spans that an engine replays at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

DAY_MS = 86_400_000
BLOCK_MS = 8 * DAY_MS
"""What is asked for at once at most."""

LEAST_CHUNK_MS = DAY_MS // 128
"""A day that is refused is halved down to this: 11 minutes."""

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

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.begin_ms

    def halves(self) -> "tuple[Chunk, Chunk] | None":
        """Its two halves; None where it is too short."""
        if self.length_ms < 2 * LEAST_CHUNK_MS:
            return None
        middle = (self.begin_ms + self.end_ms) // 2
        return Chunk(self.begin_ms, middle), Chunk(middle, self.end_ms)

    def cut(self, other: "Chunk") -> "Chunk | None":
        """What it has in common with another; None: nothing."""
        found = Chunk(max(self.begin_ms, other.begin_ms), min(self.end_ms, other.end_ms))
        return found if found.begin_ms < found.end_ms else None

    def parts(self) -> "Iterator[Chunk]":
        """Its halves, their halves and so on, down to days."""
        if self.length_ms > DAY_MS:
            for half in self.halves() or ():
                yield half
                yield from half.parts()


def blocks(from_ms: int, to_ms: int) -> Iterator[Chunk]:
    """The stretches of eight days that hold some instants; where they begin does not depend on what is asked for."""
    for begin in range(from_ms // BLOCK_MS * BLOCK_MS, to_ms + 1, BLOCK_MS):
        yield Chunk(begin, begin + BLOCK_MS)


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
