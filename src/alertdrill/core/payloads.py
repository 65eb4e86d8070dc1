"""Bodies of requests: rows drawn from the sample, faulted, encoded, faulted; request k.i is the same bytes always."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.draws import chosen, uniforms
from alertdrill.core.faults.base import BodyFault, RowContext, RowFault, Spread
from alertdrill.core.plan import Injection, Plan
from alertdrill.protocols import json_rows
from alertdrill.protocols.rows import Cell, Rows


@dataclass(frozen=True)
class Block:
    """Consecutive requests of one segment.

    Attributes:
        start: index of the first.
        bodies: one a request.
        touched: injection id to a mask, shape (len(bodies),): which requests its row or body fault touched.
    """

    start: int
    bodies: list[bytes]
    touched: Mapping[str, NDArray[np.bool_]]


def spreads(sample: Rows) -> dict[str, Spread]:
    """Mean and standard deviation (n - 1) of every numeric feature, over the cells that hold a value."""
    result = {}
    for name, column in sample.columns.items():
        if column.values.dtype.kind == "f":
            values = column.values[column.cells == Cell.VALUE]
            result[name] = Spread(float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0)
    return result


class Payloads:
    """Builds blocks of request bodies from a plan and the rows of its sample.

    Rows are drawn independently and with replacement: cycling a small pool would mask drift or fake it.
    """

    def __init__(self, plan: Plan, sample: Rows) -> None:
        self._plan = plan
        self._sample = sample
        self._spreads = spreads(sample)

    def rows(self, k: int, start: int, stop: int) -> Rows:
        """The rows of requests `k.start` to `k.stop - 1`, row faults applied."""
        return self._faulted_rows(k, start, stop, self._masks(k, start, stop))

    def _faulted_rows(self, k: int, start: int, stop: int, masks: Mapping[str, NDArray[np.bool_]]) -> Rows:
        drawn = uniforms(self._plan.seed, "row", k, start, stop)
        rows = self._sample.take((drawn * len(self._sample)).astype(np.int64))
        for injection in self._plan.segment_injections(k):
            if isinstance(injection.fault, RowFault):
                rows = injection.fault.edit(rows, self._context(injection, masks[injection.id], k, start, stop))
        return rows

    def _masks(self, k: int, start: int, stop: int) -> dict[str, NDArray[np.bool_]]:
        """Which requests each row or body fault of the segment touches; a hash a request, so drawn once."""
        return {
            injection.id: chosen(self._plan.seed, injection.id, k, start, stop, injection.share)
            for injection in self._plan.segment_injections(k)
            if isinstance(injection.fault, RowFault | BodyFault)
        }

    def block(self, k: int, start: int, stop: int) -> Block:
        """Requests `k.start` to `k.stop - 1`, ready to be sent."""
        masks = self._masks(k, start, stop)
        bodies = json_rows.encode(self._faulted_rows(k, start, stop, masks), self._plan.target.schema_)
        for injection in self._plan.segment_injections(k):
            if isinstance(injection.fault, BodyFault):
                draws = uniforms(self._plan.seed, f"body:{injection.id}", k, start, stop)
                for position in masks[injection.id].nonzero()[0].tolist():
                    bodies[position] = injection.fault.edit(bodies[position], float(draws[position]))
        return Block(start, bodies, masks)

    def _context(self, injection: Injection, touched: NDArray[np.bool_], k: int, start: int, stop: int) -> RowContext:
        seed = self._plan.seed
        return RowContext(
            touched=touched,
            spreads=self._spreads,
            draws=lambda name: uniforms(seed, f"{name}:{injection.id}", k, start, stop),
        )
