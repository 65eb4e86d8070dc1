"""Requests ready to be sent: built ahead of time in small chunks, in the gaps between arrivals."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.request import Combinations, Request
from alertdrill.adapters.load.share import ALL, CHUNK, Share
from alertdrill.core.payloads import Block

MOST_AT_ONCE = 1000  # requests built at once: more of them cost less each, and make a longer pause
CHUNK_S = 0.1  # as many as are due in this time
AHEAD_S = 1.0
MIN_AHEAD, MAX_AHEAD = 2 * CHUNK, 4096
MOST_BYTES = 64 << 20  # of one segment, and of a chunk an eighth
URGENT_S = 0.05  # with less than this in stock, a chunk is built even if an arrival has to wait for it
COST_DECAY = 0.9


class Builder(Protocol):
    """Builds blocks of request bodies; `core.payloads.Payloads` is one."""

    def of(self, k: int, indices: NDArray[np.int64]) -> Block:
        """Requests `k.i`, ascending."""


class Stock:
    """The next requests of one segment, in order; each is taken once."""

    def __init__(self, k: int, times: Sequence[float], build: Callable[[int, int, int], list[Request]]) -> None:
        """Start empty.

        Args:
            k: number of the segment.
            times: due times of all its requests in seconds from its start, ascending.
            build: makes requests `k.start` to `k.stop - 1`.
        """
        self._k = k
        self._count = len(times)
        rate_per_s = self._count / times[-1] if self._count and times[-1] > 0 else 1.0
        self._target = min(max(MIN_AHEAD, int(rate_per_s * AHEAD_S)), MAX_AHEAD)
        self._urgent = min(int(rate_per_s * URGENT_S) + 1, CHUNK)
        self._most = min(max(CHUNK, int(rate_per_s * CHUNK_S)), MOST_AT_ONCE)
        self._build = build
        self._built = 0
        self._size = 0.0
        self._chunk = 1  # until it is known how long they are
        self._ready: deque[Request] = deque()

    def take(self) -> Request:
        """The next request; built now if none is ready."""
        if not self._ready:
            self.grow()
        return self._ready.popleft()

    def wants(self) -> bool:
        """Whether fewer requests are ready than should be."""
        ready = len(self._ready)
        return self._built < self._count and ready < self._target and ready * self._size < MOST_BYTES

    def urgent(self) -> bool:
        """Whether so few are ready that the next must not wait for a gap."""
        return self._built < self._count and len(self._ready) < self._urgent

    def grow(self) -> None:
        """Build one chunk."""
        stop = min(self._built + self._chunk, self._count)
        built = self._build(self._k, self._built, stop)
        self._ready.extend(built)
        self._built = stop
        self._size = sum([len(request.data) for request in built]) / len(built)
        self._chunk = min(max(1, int(MOST_BYTES / (8 * self._size))), self._most)


class Stocks:
    """The stocks of the running segment and of those that may come next."""

    def __init__(
        self,
        builder: Builder,
        encode: Callable[[int, Sequence[int], Sequence[bytes], Mapping[int, str]], Sequence[bytes]],
        times: Sequence[Sequence[float]],
        combinations: Combinations,
        clock: Callable[[], float] = monotonic_s,
        share: Share = ALL,
    ) -> None:
        """Start with nothing built.

        Args:
            builder: makes the bodies.
            encode: makes the bytes on the wire from k, indices, bodies and their content types by position.
            times: due times by segment, of the requests of the share.
            combinations: numbers what touches a request.
            clock: measures what a chunk costs.
            share: the part of every segment that is sent here.
        """
        self._builder = builder
        self._encode = encode
        self._times = times
        self._combinations = combinations
        self._share = share
        self._clock = clock
        self._cost_s = 0.0
        self._stocks: dict[int, Stock] = {}
        self.expect(0)

    def expect(self, k: int) -> None:
        """Segment `k`, if there is one, comes soon: its first requests are wanted."""
        if k < len(self._times) and k not in self._stocks:
            self._stocks[k] = Stock(k, self._times[k], self._requests)

    def begin(self, k: int) -> Stock:
        """Segment `k` runs: its stock; the segment after it is expected, those before are forgotten."""
        self.expect(k)
        self.expect(k + 1)
        self._stocks = {number: self._stocks[number] for number in sorted(self._stocks) if number >= k}
        return self._stocks[k]

    def refill(self, slack_s: float) -> None:
        """Build a chunk, for the earliest segment that wants one, if it fits into `slack_s` or cannot wait."""
        for stock in self._stocks.values():
            if stock.wants():
                if self._cost_s < slack_s or stock.urgent():
                    self._grow(stock)
                return

    def prepare(self) -> None:
        """Build until nothing is wanted; only while nothing runs."""
        for stock in self._stocks.values():
            while stock.wants():
                self._grow(stock)

    def _grow(self, stock: Stock) -> None:
        began = self._clock()
        stock.grow()
        self._cost_s = max(self._clock() - began, self._cost_s * COST_DECAY)

    def _requests(self, k: int, start: int, stop: int) -> list[Request]:
        """The requests at some positions of the share."""
        numbers = self._share.at(np.arange(start, stop))
        block, indices = self._builder.of(k, numbers), numbers.tolist()
        data = self._encode(k, indices, block.bodies, block.content_types)
        touched = self._combinations.numbers(block.touched, stop - start)
        return list(map(Request, repeat(k), indices, block.bodies, data, touched, (~block.sent).tolist()))
