"""Bodies of requests: rows drawn from the sample, faulted, encoded, faulted; request k.i is the same bytes always."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.draws import uniforms_at
from alertdrill.core.faults.base import (
    Body,
    BodyFault,
    CellContext,
    RowContext,
    RowFault,
    SampleContext,
    SampleFault,
    SlicedFault,
    Spread,
    Timeline,
)
from alertdrill.core.plan import Injection, Plan
from alertdrill.core.schedule import newest_by
from alertdrill.core.selection import ByItself, ByOther, Tail, by_rank, matching, ranks
from alertdrill.core.touch import Touch, any_of, by_rows
from alertdrill.protocols.encoding import Drawn
from alertdrill.protocols.forms import Form
from alertdrill.protocols.rows import Cell, Rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

AT_ONCE = 64  # requests made at once: a body may have 16 MB


@dataclass(frozen=True)
class Block:
    """Requests of one segment.

    Attributes:
        bodies: one a request.
        content_types: position in `bodies` to what its header says, where that is not the protocol's own.
        touched: injection id to a mask, shape (len(bodies),): which requests a fault touched on its way to the wire.
        sent: shape (len(bodies),); False for requests that an arrival fault suppresses.
    """

    bodies: Sequence[bytes]
    content_types: Mapping[int, str]
    touched: Mapping[str, Mask]
    sent: Mask


@dataclass(frozen=True)
class Made:
    """Requests in the making.

    Attributes:
        rows: shape (n,) of them, sample and row faults applied.
        bodies: one a request, body faults applied.
        content_types: position in `bodies` to what its header says, where that is not the protocol's own.
        touched: by payload injection, shape (n,): the requests that it touches.
    """

    rows: Rows
    bodies: list[bytes]
    content_types: dict[int, str]
    touched: dict[str, Mask]

    def differs(self, other: "Made") -> Mask:
        """Shape (n,): requests that are not the same on the wire."""
        bodies = [one != another for one, another in zip(self.bodies, other.bodies, strict=True)]
        types = self.content_types
        headers = [types.get(i) != other.content_types.get(i) for i in range(len(bodies))]
        return np.asarray(np.logical_or(bodies, headers), dtype=bool)


def spreads(sample: Rows) -> dict[str, Spread]:
    """The spread of every numeric feature, over the cells that hold a value; all 0 where none does."""
    result = {}
    for name, column in sample.columns.items():
        if column.values.dtype.kind == "f":
            values = column.values[column.cells == Cell.VALUE]
            if not len(values):
                result[name] = Spread(0.0, 0.0, 0.0, 0.0)
                continue
            sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
            result[name] = Spread(float(values.mean()), sd, float(values.min()), float(values.max()))
    return result


def _ranked_by(fault: SlicedFault, feature: str | None) -> tuple[str, Tail] | None:
    """The feature whose rank decides over a request, and which end of it; None where chance alone does."""
    if isinstance(fault.select, ByOther):
        return fault.select.feature, fault.select.tail
    if isinstance(fault.select, ByItself) and feature is not None:
        return feature, fault.select.tail
    return None


def _edit(
    fault: BodyFault, positions: Indices, draws: Floats, bodies: list[bytes], types: dict[int, str], form: Form
) -> None:
    """Edit the bodies at some positions in place, and what their headers say."""
    for position, draw in zip(positions.tolist(), draws.tolist(), strict=True):
        body = Body(bodies[position], types.get(position, form.content_type), form)
        edited = fault.edit(body, draw)
        bodies[position] = edited.data
        if edited.content_type != body.content_type:
            types[position] = edited.content_type


class Payloads:
    """Builds blocks of request bodies from a plan and the rows of its sample.

    Rows are drawn independently and with replacement: cycling a small pool would mask drift or fake it. Those of a log
    come in its order; what a fault adds between them is drawn from it. How far a fault goes is measured on the target's
    own sample all the same, as the alerts know no other.
    """

    def __init__(self, plan: Plan, sample: Rows, touch: Touch | None = None) -> None:
        self._plan = plan
        self._seed = plan.seed
        self._sample = sample
        self._touch = touch or Touch(plan)
        self._features = {feature.name: feature for feature in plan.target.schema_.features}
        self._texts = Drawn(sample, plan.target.schema_)
        self._form = plan.target.schema_.form
        self._by_segment: dict[int, tuple[Injection, ...]] = {}
        self._pools: dict[str, Indices] = {}

    @cached_property
    def _spreads(self) -> dict[str, Spread]:
        own = self._plan.target.spreads
        return spreads(self._sample) if own is None else dict(own)

    def _injections(self, k: int) -> tuple[Injection, ...]:
        if k not in self._by_segment:
            self._by_segment[k] = self._plan.segment_injections(k)
        return self._by_segment[k]

    def rows(self, k: int, start: int, stop: int) -> Rows:
        """The rows of requests `k.start` to `k.stop - 1`, sample and row faults applied."""
        origin = self._touch.schedule(k).origin[start:stop]
        drawn = self._sample.take(self._drawn(k, origin, self._injections(k), {}))
        return self.faulted(k, origin, drawn, self._injections(k), {})

    def block(self, k: int, start: int, stop: int) -> Block:
        """Requests `k.start` to `k.stop - 1`, ready to be sent."""
        return self.of(k, np.arange(start, stop))

    def of(self, k: int, indices: Indices) -> Block:
        """Requests `k.i` of indices of shape (n,), ready to be sent."""
        schedule = self._touch.schedule(k)
        sent = schedule.sent[indices]
        made = self.make(k, schedule.origin[indices], self._injections(k))
        touched = {name: mask[indices] for name, mask in schedule.touched.items()}
        touched |= {name: mask & sent for name, mask in made.touched.items()}
        return Block(made.bodies, made.content_types, touched, sent)

    def make(self, k: int, indices: Indices, injections: Sequence[Injection]) -> Made:
        """Requests of segment `k` with some of its injections, in the order of the wire: sample, row, body."""
        touched: dict[str, Mask] = {}
        positions = self._drawn(k, indices, injections, touched)
        drawn = self._sample.take(positions)
        rows = self.faulted(k, indices, drawn, injections, touched)
        bodies, content_types = self._texts.encode(rows, drawn, positions), dict[int, str]()
        for injection in injections:
            fault = injection.fault
            if isinstance(fault, BodyFault):
                touched[injection.id] = self.chosen(injection, indices, drawn)
                positions = touched[injection.id].nonzero()[0]
                draws = self.draw(injection, indices[positions], "body")
                _edit(fault, positions, draws, bodies, content_types, self._form)
        return Made(rows, bodies, content_types, touched)

    def picks(self, injection: Injection, indices: Indices, before: Sequence[Injection]) -> Mask:
        """Shape (n,): requests that an injection picks by its share, slice and selection, the ones `before` applied."""
        drawn = self._sample.take(self._drawn(injection.segment, indices, before, {}))
        if isinstance(injection.fault, RowFault):
            return any_of(list(self._cells(injection, injection.fault, indices, drawn).values()))
        return self.chosen(injection, indices, drawn)

    # rows

    def _positions(self, k: int, indices: Indices) -> Indices:
        """Positions in the sample of the rows of requests, sample faults left out; shape (n,)."""
        count, recorded = len(self._sample), self._plan.segments[k].arrivals.recorded
        drawn = np.asarray(uniforms_at(self._seed, "row", k, indices) * count, dtype=np.int64)
        if recorded is None or recorded.first_row is None:
            return drawn
        planned = self._touch.schedule(k).planned[indices]
        return np.where(planned >= 0, (recorded.first_row + planned) % count, drawn)

    def _drawn(self, k: int, indices: Indices, injections: Sequence[Injection], touched: dict[str, Mask]) -> Indices:
        """Positions in the sample of requests, the sample faults among the injections applied; shape (n,).

        What these touch goes to `touched`.
        """
        positions = self._positions(k, indices)
        for injection in injections:
            fault = injection.fault
            if isinstance(fault, SampleFault):
                touched[injection.id] = self.chosen(injection, indices, self._sample.take(positions))
                context = SampleContext(
                    touched=touched[injection.id],
                    sample=self._sample,
                    timeline=self._timeline(k, indices),
                    draws=partial(self.draw, injection, indices),
                    clean=partial(self._positions, k),
                    pool=partial(self._pool, injection.id),
                )
                positions = fault.choose(positions, context)
        return positions

    def _pool(self, injection_id: str, search: Callable[[Rows], Indices]) -> Indices:
        if injection_id not in self._pools:
            self._pools[injection_id] = search(self._sample)
        return self._pools[injection_id]

    def faulted(
        self,
        k: int,
        indices: Indices,
        drawn: Rows,
        injections: Sequence[Injection],
        touched: dict[str, Mask],
        rows: Rows | None = None,
    ) -> Rows:
        """Rows, those drawn if there are no other, with the row faults among the injections.

        Slices and selections look at what was drawn. What the faults touch goes to `touched`.
        """
        rows = drawn if rows is None else rows
        for injection in injections:
            fault = injection.fault
            if isinstance(fault, RowFault):
                masks = self._cells(injection, fault, indices, drawn)
                touched[injection.id] = self._any(injection, masks, indices)
                doses = self._touch.doses(injection, indices)
                timeline = self._timeline(k, indices)
                cells = {
                    name: self._cell_context(injection, name, mask, doses, timeline) for name, mask in masks.items()
                }
                rows = fault.edit(rows, RowContext(cells))
        return rows

    def _any(self, injection: Injection, masks: Mapping[str, Mask], indices: Indices) -> Mask:
        """Shape (n,): requests of which a cell is touched; those that stay as they are do not count."""
        if injection.chosen is not None:
            return self._touch.chosen_at(injection, indices)
        return any_of(list(masks.values()))

    def _cell_context(
        self, injection: Injection, name: str, touched: Mask, doses: Floats, timeline: Timeline
    ) -> CellContext:
        k = injection.segment
        numeric = self._features[name].numeric
        return CellContext(
            feature=self._features[name],
            touched=touched,
            dose=doses,
            spread=self._spreads[name] if numeric else None,
            sample=self._sample.columns[name],
            timeline=timeline,
            draws=lambda draw: self.draw(injection, timeline.index, f"{draw}/{name}"),
            clean=lambda indices: self._sample.columns[name].take(self._positions(k, indices)),
        )

    def draw(self, injection: Injection, indices: Indices, name: str) -> Floats:
        """Draws on [0, 1) of an injection, shape (n,), the same for the same request."""
        return uniforms_at(self._seed, f"{name}:{injection.id}", injection.segment, indices)

    def _timeline(self, k: int, indices: Indices) -> Timeline:
        schedule = self._touch.schedule(k)
        return Timeline(indices, schedule.at[indices], newest_by(schedule))

    # which of them

    def _cells(self, injection: Injection, fault: RowFault, indices: Indices, drawn: Rows) -> dict[str, Mask]:
        """By feature, shape (n,): the cells that a row fault touches."""
        if fault.of == "requests":
            if injection.chosen is not None:
                mask = self._touch.chosen_at(injection, indices)
            else:
                mask = self._picked(injection, indices, drawn, fault.features[0])
            return dict.fromkeys(fault.features, mask)
        return {name: self._picked(injection, indices, drawn, name) for name in fault.features}

    def chosen(self, injection: Injection, indices: Indices, drawn: Rows) -> Mask:
        """Shape (n,): the requests that a fault of whole requests touches."""
        if injection.chosen is not None or not by_rows(injection.fault):
            return self._touch.chosen_at(injection, indices)
        return self._picked(injection, indices, drawn, None)

    def _picked(self, injection: Injection, indices: Indices, drawn: Rows, feature: str | None) -> Mask:
        """Shape (n,): draws below share x profile, within the slice, by rank where the injection says so."""
        fault = injection.fault
        share: Floats = self._touch.shares(injection, indices)
        inside: Mask | None = None
        if isinstance(fault, SlicedFault):
            ranked = _ranked_by(fault, feature)
            if ranked is not None:
                column, sample, tail = drawn.columns[ranked[0]], self._sample.columns[ranked[0]], ranked[1]
                share = by_rank(share, ranks(column, sample, tail))
            inside = matching(fault.where, drawn) if fault.where is not None else None
        name = f"choose:{injection.id}"
        if isinstance(fault, RowFault) and fault.of == "cells":
            name = f"{name}/{feature}"
        picked = uniforms_at(self._seed, name, injection.segment, indices) < share
        return picked if inside is None else picked & inside
