"""The planned requests around a fault, as the monitor will count them: what the fill of a rule is worked out from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.draws import uniforms, uniforms_at
from alertdrill.core.faults.base import BodyFault, Cut, ExchangeFault, Place
from alertdrill.core.fill import Mask, Times, Traffic
from alertdrill.core.payloads import AT_ONCE, Payloads
from alertdrill.core.plan import LOAD_TIMEOUT_S, Injection, Plan
from alertdrill.core.touch import Touch
from alertdrill.drift.cells import Absent, Cells
from alertdrill.drift.e_detector import UPDATE_S, EDetector, log_threshold
from alertdrill.drift.reference import place_column, watched_cells
from alertdrill.protocols.forms import Trait
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES, is_json
from alertdrill.protocols.malformed import NoRows
from alertdrill.protocols.rows import Cell, Rows

PHASES = 10
HISTORY = 20_000
BAD_GATEWAY = 502  # what the monitor counts where the server behind it resets, or breaks off
GAVE_UP = 499  # what it counts where our load waits no longer for an answer

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Seen:
    """Requests of one span that reach the monitor, in the order of their arrival; n of them.

    Attributes:
        at: shape (n,); when each is due, seconds from its segment's start.
        delay_s: shape (n,); how long each is held where the monitor can see it.
        codes: shape (n,); of the answers that a fault decides, else 0.
        malformed: shape (n,); bodies that hold no row.
        rows: of all of them, body faults left out.
        bodies: position to the decoded body, where a body fault left one that differs.
    """

    at: Times
    delay_s: Times
    codes: Codes
    malformed: Mask
    rows: Rows
    bodies: Mapping[int, Mapping[str, Any]]


class PlannedTraffic:
    """Builds `Traffic` for the segments of a plan, given when each started and how many requests it had.

    Args:
        plan: the plan.
        sample: the rows that its requests are made of.
        touch: which requests its injections touch.
        reference: what the monitor compares with and others send, where that is not the sample.
    """

    def __init__(self, plan: Plan, sample: Rows, touch: Touch, reference: Rows | None = None) -> None:
        self.touch = touch
        self._plan = plan
        self._reference = sample if reference is None else reference
        self._exact = reference is None
        self._background_per_s = plan.background_per_s
        self._payloads = Payloads(plan, sample, touch)
        schema = plan.target.schema_
        self._cells = watched_cells(schema, self._reference)
        self._threshold = log_threshold(len(self._cells) + schema.protocol.watched)  # as the monitor has it
        self._seen = cache(self._look)

    def until(self, k: int, starts_s: Mapping[int, float], counts: Mapping[int, int]) -> Traffic:
        """The requests of segments up to `k`, at most the last 20,000 before it.

        Args:
            k: the segment of the fault; taken in full, as planned.
            starts_s: segment number to its start (s, any origin).
            counts: segment number to how many of its arrivals came due, for the segments before `k`.
        """
        sizes = [(j, counts.get(j, 0) if j < k else self._plan.segments[k].count) for j in sorted(starts_s) if j <= k]
        spans = _last(sizes, HISTORY)
        seen = [self._seen(*span) for span in spans]
        at = np.concatenate([starts_s[span[0]] + one.at for span, one in zip(spans, seen, strict=True)])
        delay_s = np.concatenate([one.delay_s for one in seen])
        malformed = np.concatenate([one.malformed for one in seen])
        done = at + delay_s

        def nulls(feature: str) -> Mask:
            if all(one.name != feature for one in self._plan.target.schema_.features):
                return np.zeros(len(at), dtype=bool)
            return np.concatenate([_absent(one, feature) for one in seen])

        def evidence(feature: str) -> tuple[tuple[Times, Mask], ...]:
            if feature not in self._cells:
                return ()
            cells = self._cells[feature]
            placed = np.concatenate([_placed(one, feature, cells) for one in seen])
            return tuple(
                self._evidence(feature, placed[~malformed], done[~malformed], phase / PHASES) for phase in range(PHASES)
            )

        return Traffic(at, malformed, delay_s, np.concatenate([one.codes for one in seen]), nulls, evidence)

    # what reaches the monitor

    def _look(self, k: int, begin: int, end: int) -> _Seen:
        schedule = self.touch.schedule(k)
        delay_s, codes, reaches = self._exchanges(k, begin, end)
        reaches &= schedule.sent[begin:end]
        rows = self._payloads.rows(k, begin, end)
        malformed, bodies = self._bodies(k, begin, end, rows)
        position = np.cumsum(reaches) - 1
        kept = reaches.nonzero()[0]
        ours = _Seen(
            schedule.at[begin:end][kept],
            delay_s[kept],
            codes[kept],
            malformed[kept],
            rows.take(kept),
            {int(position[i]): body for i, body in bodies.items() if reaches[i]},
        )
        return self._with_background(ours, k)

    def _exchanges(self, k: int, begin: int, end: int) -> tuple[Times, Codes, Mask]:
        """Delay, code (0: not decided by a fault) and whether the request reaches the monitor at all; shape (n,) each.

        What a proxy at the edge does is before the monitor.
        """
        delay_s, codes = np.zeros(end - begin), np.zeros(end - begin, dtype=np.int64)
        behind_s, waits_s = np.zeros(end - begin), self._plan.target.dependency_waits_s
        reaches = np.ones(end - begin, dtype=bool)
        for injection in self._plan.segment_injections(k):
            fault = injection.fault
            if not isinstance(fault, ExchangeFault):
                continue
            touched = self.touch.mask(injection, begin, end)
            draws = uniforms(self._plan.seed, f"effect:{injection.id}", k, begin, end)
            doses = self.touch.doses(injection, np.arange(begin, end))
            for i in touched.nonzero()[0].tolist():
                effect = fault.effect(float(draws[i]), float(doses[i]))
                if injection.place is Place.EDGE:
                    reaches[i] &= effect.answer is None and effect.cut is None
                    continue
                takes_s = effect.delay_s + effect.upload_s + effect.download_s
                if injection.place is Place.DEPENDENCY:
                    behind_s[i] += np.inf if effect.cut is Cut.SILENCE and waits_s is not None else takes_s
                    continue
                delay_s[i] += takes_s
                if codes[i]:
                    continue
                if effect.answer is not None:
                    codes[i] = effect.answer.status
                elif effect.cut is Cut.RESET or effect.kept is not None:
                    codes[i] = BAD_GATEWAY
                elif effect.cut is Cut.SILENCE:
                    codes[i], delay_s[i] = GAVE_UP, delay_s[i] + LOAD_TIMEOUT_S
        delay_s += behind_s if waits_s is None else np.minimum(behind_s, waits_s)
        given_up = delay_s > LOAD_TIMEOUT_S
        delay_s[given_up], codes[given_up] = LOAD_TIMEOUT_S, GAVE_UP
        return delay_s, codes, reaches

    def _bodies(self, k: int, begin: int, end: int, rows: Rows) -> tuple[Mask, dict[int, Mapping[str, Any]]]:
        """Which bodies hold no row, shape (n,), and those that a body fault altered, as the monitor reads them."""
        malformed, schema = np.zeros(end - begin, dtype=bool), self._plan.target.schema_
        touched, is_text = self._by_body_faults(k, begin, end), Trait.JSON in schema.form.lacks
        for column in rows.columns.values():
            if column.raw is None:
                continue
            if is_text:
                touched |= column.cells == Cell.RAW  # what they are read as, only the protocol knows
                continue
            unreadable = {text for text in set(column.raw[column.cells == Cell.RAW]) if not is_json(text)}
            malformed |= np.array([text in unreadable for text in column.raw]) & (column.cells == Cell.RAW)
        decoded: dict[int, Mapping[str, Any]] = {}
        if touched.any():
            for i, body in self._altered(k, begin, touched):
                try:
                    decoded[i] = schema.protocol.read(body, schema.features)[0]
                    malformed[i] = len(body) > LARGEST_BODY_BYTES
                except NoRows:
                    malformed[i] = True
        return malformed, decoded

    def _altered(self, k: int, begin: int, touched: Mask) -> Iterator[tuple[int, bytes]]:
        """The touched requests of a span and their bodies; few at a time, as a body may have megabytes."""
        for start in range(0, len(touched), AT_ONCE):
            here = touched[start : start + AT_ONCE]
            if here.any():
                bodies = self._payloads.block(k, begin + start, begin + start + len(here)).bodies
                yield from ((start + i, bodies[i]) for i in here.nonzero()[0].tolist())

    def _by_body_faults(self, k: int, begin: int, end: int) -> Mask:
        masks = [self.touch.mask(one, begin, end) for one in self._body_injections(k)]
        return np.asarray(np.logical_or.reduce([np.zeros(end - begin, dtype=bool), *masks]))

    def _body_injections(self, k: int) -> list[Injection]:
        return [one for one in self._plan.segment_injections(k) if isinstance(one.fault, BodyFault)]

    def _with_background(self, ours: _Seen, k: int) -> _Seen:
        """The traffic of others merged in: untouched, evenly spaced, rows drawn from the reference."""
        count = int(self._background_per_s * ours.at[-1]) if len(ours.at) else 0
        if not count:
            return ours
        at = (np.arange(count) + 0.5) / self._background_per_s
        drawn = uniforms_at(self._plan.seed, "background", k, np.arange(count))
        theirs = self._reference.take((drawn * len(self._reference)).astype(np.int64))
        order = np.argsort(np.concatenate([ours.at, at]), kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))

        def merged(mine: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([mine, np.zeros(count, dtype=mine.dtype)])[order]

        return _Seen(
            np.concatenate([ours.at, at])[order],
            merged(ours.delay_s),
            merged(ours.codes),
            merged(ours.malformed),
            ours.rows.followed_by(theirs).take(order),
            {int(place[i]): body for i, body in ours.bodies.items()},
        )

    def _evidence(self, feature: str, placed: NDArray[np.int64], done: Times, phase: float) -> tuple[Times, Mask]:
        """The detector over planned rows, ticks `phase` of an update late: when it was updated, whether it alarmed."""
        cells = self._cells[feature]
        tick = np.floor(done / UPDATE_S - phase).astype(np.int64)
        first, last = int(tick.min()), int(tick.max())
        counts = np.zeros((last - first + 1, len(cells.names)), dtype=np.int64)
        np.add.at(counts, (tick - first, placed), 1)
        detector = EDetector([cells], self._threshold, exact_reference=self._exact)
        above = np.zeros(len(counts), dtype=bool)
        alarmed = False
        for index in range(len(counts)):
            if counts[index].any():
                alarmed = bool(detector.update(counts[index : index + 1])[0] >= self._threshold)
            above[index] = alarmed
        return np.asarray((np.arange(first, last + 1) + 1 + phase) * UPDATE_S, dtype=np.float64), above


def _absent(seen: _Seen, feature: str) -> Mask:
    """Shape (n,): requests in which a feature is null or its key missing."""
    column = seen.rows.columns[feature]
    absent = (column.cells == Cell.NULL) | (column.cells == Cell.MISSING)
    if column.raw is not None:
        absent |= (column.cells == Cell.RAW) & np.array([text == b"null" for text in column.raw])
    for i, body in seen.bodies.items():
        absent[i] = body.get(feature) is None
    return np.asarray(absent)


def _placed(seen: _Seen, feature: str, cells: Cells) -> NDArray[np.int64]:
    """Shape (n,): the cell that the monitor counts for each request."""
    placed = place_column(cells, seen.rows.columns[feature])
    for i, body in seen.bodies.items():
        placed[i] = cells.place_value(body.get(feature, Absent.KEY))
    return placed


def _last(spans: list[tuple[int, int]], at_most: int) -> list[tuple[int, int, int]]:
    """(k, begin, end) of the spans, the oldest cut so that no more than `at_most` requests precede the last span."""
    result, room = [], at_most
    for position, (k, count) in enumerate(reversed(spans)):
        take = count if position == 0 else min(count, room)
        room -= 0 if position == 0 else take
        if take:
            result.append((k, count - take, count))
    return result[::-1]
