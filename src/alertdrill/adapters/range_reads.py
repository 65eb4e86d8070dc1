"""Reads long stretches of a user's Prometheus: in chunks of up to eight days, one question at a time, nothing twice."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.range_cache import RangeCache
from alertdrill.core.errors import AlertdrillError
from alertdrill.core.history.spans import DAY_MS, Chunk, blocks
from alertdrill.core.observations import Labels, RawSeries
from alertdrill.core.promql import Selector

MOST_AT_ONCE = 500_000
"""Samples in one answer, as far as those before tell; a day is asked for however many it has."""

APART_S = 0.2
"""From the start of one question to that of the next, at least: five a second at most."""

NARROWED = ("refused", "timeout", "garbage", "not_prometheus")
"""Kinds of failures after which half as much is asked for: limits on samples, answers too long or too late."""

RETRIES_S = (1.0, 2.0, 4.0)
"""How long to wait for a server that is not available (429, 5xx)."""


@dataclass
class _Taken:
    """What was read of one selector.

    Attributes:
        wanted: the time that was asked for, whole days but for the last.
        chunks: those that were read.
        labels: of its series.
        per_ms: samples a millisecond of the latest chunk; None: nobody knows yet.
    """

    wanted: Chunk
    chunks: list[Chunk] = field(default_factory=list)
    labels: dict[frozenset[tuple[str, str]], Labels] = field(default_factory=dict)
    per_ms: float | None = None

    def add(self, chunk: Chunk, series: Sequence[RawSeries]) -> int:
        """Note a chunk; how many samples it has."""
        count = sum(len(one.times_ms) for one in series)
        self.chunks.append(chunk)
        self.labels |= {frozenset(one.labels.items()): one.labels for one in series}
        self.per_ms = count / chunk.length_ms
        return count


@dataclass
class RangeReads:
    """One Prometheus, read by chunks.

    Attributes:
        external: labels that it adds to what it sends by remote read; None: not known, so nothing is read that way.
        settled_ms: samples stamped before it have all arrived; what ends later is read anew by the next run.
        asked: questions so far.
        kept: chunks that were there already.
        chunks: all of them.
        samples: in them.
        marked: whether all came with staleness markers.
        failed: selectors that it would not answer, and what it said.
    """

    api: PrometheusApi
    cache: RangeCache
    external: Labels | None
    settled_ms: int
    asked: int = 0
    kept: int = 0
    chunks: int = 0
    samples: int = 0
    marked: bool = True
    failed: dict[Selector, str] = field(default_factory=dict)
    _taken: "dict[Selector, _Taken]" = field(default_factory=dict)
    _fresh: dict[tuple[Selector, Chunk], tuple[list[RawSeries], bool]] = field(default_factory=dict)
    _open: bool | None = None
    _next_s: float = 0.0

    async def fetch(self, selector: Selector, from_ms: int, to_ms: int) -> list[Labels]:
        """See to it that all samples of a selector between two instants, both included, are kept.

        Returns:
            The label sets of its series, each once.

        Raises:
            QueryFailed: it cannot be reached or will not answer us; what was read so far stays.
        """
        taken = self._taken[selector] = _Taken(Chunk(from_ms // DAY_MS * DAY_MS, to_ms + 1))
        try:
            for block in blocks(from_ms, to_ms):
                await self._take(selector, block, taken)
        except QueryFailed as error:
            if error.kind not in NARROWED:
                raise
            self.failed[selector] = error.what
            return []
        return list(taken.labels.values())

    async def _take(self, selector: Selector, block: Chunk, taken: "_Taken") -> None:
        """Read a block, whole or in parts: by halves where it is too much at once, or where parts of it are kept."""
        part = block.cut(taken.wanted)
        if part is None:
            return
        is_long = block.length_ms > DAY_MS
        if is_long and (part != block or self._in_parts(selector, block, taken)):
            await self._halves(selector, block, taken)
            return
        kept = self._kept(selector, part)
        try:
            series, marked = kept or await self._halved(selector, part)
        except QueryFailed as error:
            if error.kind not in NARROWED or not is_long:
                raise
            await self._halves(selector, block, taken)
            return
        self.chunks += 1
        self.kept += kept is not None
        self.marked = self.marked and marked
        self.samples += taken.add(part, series)

    async def _halves(self, selector: Selector, block: Chunk, taken: "_Taken") -> None:
        for half in block.halves() or ():
            await self._take(selector, half, taken)

    def _in_parts(self, selector: Selector, block: Chunk, taken: "_Taken") -> bool:
        if self.cache.has(selector.text(), block):
            return False
        expected = None if taken.per_ms is None else taken.per_ms * block.length_ms
        if expected is None or expected > MOST_AT_ONCE:
            return True
        return any(self.cache.has(selector.text(), one) for one in block.parts())

    def load(self, selector: Selector, from_ms: int, to_ms: int) -> list[RawSeries]:
        """The samples of a selector between two instants, both included, as far as `fetch` has read them.

        Raises:
            AlertdrillError: what was kept has gone.
        """
        found: list[RawSeries] = []
        for chunk in self._taken[selector].chunks if selector not in self.failed else ():
            if chunk.begin_ms <= to_ms and chunk.end_ms > from_ms:
                kept = self._kept(selector, chunk)
                if kept is None:
                    fix = "run again: what is missing is read anew"
                    raise AlertdrillError(f"{self.cache.folder}: kept samples have gone meanwhile\n  fix: {fix}")
                found += [_between(one, from_ms, to_ms + 1) for one in kept[0]]
        return [one for one in found if len(one.times_ms)]

    async def _halved(self, selector: Selector, chunk: Chunk) -> tuple[list[RawSeries], bool]:
        """The samples of a chunk; where one of a day or less is refused, of its halves, and so on."""
        kept = self._kept(selector, chunk)
        if kept is not None:
            return kept
        try:
            series, marked = await self._patiently(selector, chunk)
        except QueryFailed as error:
            halves = chunk.halves() if chunk.length_ms <= DAY_MS else None
            if error.kind not in NARROWED or halves is None:
                raise
            parts = [await self._halved(selector, half) for half in halves]
            series, marked = [one for part in parts for one in part[0]], all(part[1] for part in parts)
        await self._keep(selector, chunk, series, marked)
        return series, marked

    def _kept(self, selector: Selector, chunk: Chunk) -> tuple[list[RawSeries], bool] | None:
        return self._fresh.get((selector, chunk)) or self.cache.get(selector.text(), chunk)

    async def _keep(self, selector: Selector, chunk: Chunk, series: list[RawSeries], marked: bool) -> None:
        if chunk.end_ms > self.settled_ms:
            self._fresh[selector, chunk] = series, marked
        else:
            await asyncio.to_thread(self.cache.put, selector.text(), chunk, series, marked)

    async def _patiently(self, selector: Selector, chunk: Chunk) -> tuple[list[RawSeries], bool]:
        for wait_s in RETRIES_S:
            try:
                return await self._ask(selector, chunk)
            except QueryFailed as error:
                if error.kind != "unavailable":
                    raise
            await asyncio.sleep(wait_s)
        return await self._ask(selector, chunk)

    async def _ask(self, selector: Selector, chunk: Chunk) -> tuple[list[RawSeries], bool]:
        if self._open is None:
            self._open = await self._is_open(chunk)
        await self._pause()
        if self._open and self.external is not None:
            found = await self.api.marked(selector, chunk.begin_ms, chunk.end_ms - 1, self.external)
        else:
            found = await self.api.between(selector.text(), (chunk.begin_ms - 1) / 1000, (chunk.end_ms - 1) / 1000)
        inside = (_between(one, chunk.begin_ms, chunk.end_ms) for one in found)
        return [one for one in inside if len(one.times_ms)], self._open

    async def _is_open(self, chunk: Chunk) -> bool:
        """Whether it answers remote reads, asked for one second of one series."""
        if self.external is None:
            return False
        await self._pause()
        try:
            await self.api.marked(Selector("up", (), 0.0, 0.0), chunk.end_ms - 1000, chunk.end_ms - 1, {})
        except QueryFailed as error:
            if error.kind in ("unreachable", "untrusted"):
                raise
            return False
        return True

    async def _pause(self) -> None:
        now = time.monotonic()
        if self._next_s > now:
            await asyncio.sleep(self._next_s - now)
        self._next_s = time.monotonic() + APART_S
        self.asked += 1


def _between(one: RawSeries, from_ms: int, end_ms: int) -> RawSeries:
    begin, end = np.searchsorted(one.times_ms, [from_ms, end_ms])
    return RawSeries(one.labels, one.times_ms[begin:end], one.values[begin:end])
