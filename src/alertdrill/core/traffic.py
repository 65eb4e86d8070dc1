"""The planned requests around a fault, as the monitor will count them: what the fill of a rule is worked out from."""

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.draws import chosen, uniforms
from alertdrill.core.faults.base import BodyFault, ExchangeFault, Place
from alertdrill.core.fill import Mask, Times, Traffic
from alertdrill.core.payloads import Payloads
from alertdrill.core.plan import Plan
from alertdrill.core.timeline import arrival_times
from alertdrill.drift.e_detector import UPDATE_S, EDetector, log_threshold
from alertdrill.drift.reference import place_column, watched_cells
from alertdrill.protocols.rows import Cell, Rows

PHASES = 10
HISTORY = 20_000


class PlannedTraffic:
    """Builds `Traffic` for the segments of a plan, given when each started and how many requests it had."""

    def __init__(self, plan: Plan, sample: Rows) -> None:
        self._plan = plan
        self._payloads = Payloads(plan, sample)
        self._cells = watched_cells(plan.target.schema_, sample)
        self._threshold = log_threshold(len(self._cells))
        self._rows = cache(self._payloads.rows)

    def until(self, k: int, starts_s: Mapping[int, float], counts: Mapping[int, int]) -> Traffic:
        """The requests of segments up to `k`, at most the last 20,000 before it.

        Args:
            k: the segment of the fault; taken in full, as planned.
            starts_s: segment number to its start (s, any origin).
            counts: segment number to how many of its requests were sent, for the segments before `k`.
        """
        sizes = [(j, counts.get(j, 0) if j < k else self._plan.segments[k].count) for j in sorted(starts_s) if j <= k]
        spans = _last(sizes, HISTORY)
        at = np.concatenate([starts_s[j] + self._times(j)[begin:end] for j, begin, end in spans])
        delay_s = np.concatenate([self._delays(j, begin, end) for j, begin, end in spans])
        malformed = np.concatenate([self._malformed(j, begin, end) for j, begin, end in spans])
        done = at + delay_s

        def nulls(feature: str) -> Mask:
            if all(one.name != feature for one in self._plan.target.schema_.features):
                return np.zeros(len(at), dtype=bool)
            parts = [self._rows(*span).columns[feature].cells for span in spans]
            cells = np.concatenate(parts)
            return np.asarray((cells == Cell.NULL) | (cells == Cell.MISSING))

        def evidence(feature: str) -> tuple[tuple[Times, Mask], ...]:
            if feature not in self._cells:
                return ()
            cells = self._cells[feature]
            placed = np.concatenate([place_column(cells, self._rows(*span).columns[feature]) for span in spans])
            return tuple(
                self._evidence(feature, placed[~malformed], done[~malformed], phase / PHASES) for phase in range(PHASES)
            )

        return Traffic(at, malformed, delay_s, nulls, evidence)

    def _times(self, k: int) -> NDArray[np.float64]:
        segment = self._plan.segments[k]
        return arrival_times(segment.arrivals, self._plan.seed, k, segment.duration_s)

    def _malformed(self, k: int, begin: int, end: int) -> Mask:
        mask = np.zeros(end - begin, dtype=bool)
        for injection in self._plan.segment_injections(k):
            if isinstance(injection.fault, BodyFault):
                mask |= chosen(self._plan.seed, injection.id, k, begin, end, injection.share)
        return mask

    def _delays(self, k: int, begin: int, end: int) -> Times:
        """How long requests are held where the monitor can see it: a proxy at the edge is before the monitor."""
        delays = np.zeros(end - begin)
        for injection in self._plan.segment_injections(k):
            fault = injection.fault
            if isinstance(fault, ExchangeFault) and fault.place is not Place.EDGE:
                mask = chosen(self._plan.seed, injection.id, k, begin, end, injection.share)
                draws = uniforms(self._plan.seed, f"effect:{injection.id}", k, begin, end)
                delays += np.where(mask, [fault.effect(float(draw)).delay_s for draw in draws], 0.0)
        return delays

    def _evidence(self, feature: str, placed: NDArray[np.int64], done: Times, phase: float) -> tuple[Times, Mask]:
        """The detector over planned rows, ticks `phase` of an update late: when it was updated, whether it alarmed."""
        cells = self._cells[feature]
        tick = np.floor(done / UPDATE_S - phase).astype(np.int64)
        first, last = int(tick.min()), int(tick.max())
        counts = np.zeros((last - first + 1, len(cells.names)), dtype=np.int64)
        np.add.at(counts, (tick - first, placed), 1)
        detector = EDetector([cells], self._threshold, exact_reference=True)
        above = np.zeros(len(counts), dtype=bool)
        alarmed = False
        for index in range(len(counts)):
            if counts[index].any():
                alarmed = bool(detector.update(counts[index : index + 1])[0] >= self._threshold)
            above[index] = alarmed
        return np.asarray((np.arange(first, last + 1) + 1 + phase) * UPDATE_S, dtype=np.float64), above


def _last(spans: list[tuple[int, int]], at_most: int) -> list[tuple[int, int, int]]:
    """(k, begin, end) of the spans, the oldest cut so that no more than `at_most` requests precede the last span."""
    result, room = [], at_most
    for position, (k, count) in enumerate(reversed(spans)):
        take = count if position == 0 else min(count, room)
        room -= 0 if position == 0 else take
        if take:
            result.append((k, count - take, count))
    return result[::-1]
