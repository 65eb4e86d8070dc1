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
        seed = self._plan.seed
        rows = self._sample.take((uniforms(seed, "row", k, start, stop) * len(self._sample)).astype(np.int64))
        for injection in self._plan.segment_injections(k):
            if isinstance(injection.fault, RowFault):
                rows = injection.fault.edit(rows, self._context(injection, k, start, stop))
        return rows

    def block(self, k: int, start: int, stop: int) -> Block:
        """Requests `k.start` to `k.stop - 1`, ready to be sent."""
        bodies = json_rows.encode(self.rows(k, start, stop), self._plan.target.schema_)
        touched = {}
        for injection in self._plan.segment_injections(k):
            if not isinstance(injection.fault, RowFault | BodyFault):
                continue
            mask = chosen(self._plan.seed, injection.id, k, start, stop, injection.share)
            touched[injection.id] = mask
            if isinstance(injection.fault, BodyFault):
                draws = uniforms(self._plan.seed, f"body:{injection.id}", k, start, stop)
                for position in mask.nonzero()[0].tolist():
                    bodies[position] = injection.fault.edit(bodies[position], float(draws[position]))
        return Block(start, bodies, touched)

    def _context(self, injection: Injection, k: int, start: int, stop: int) -> RowContext:
        seed = self._plan.seed
        return RowContext(
            touched=chosen(seed, injection.id, k, start, stop, injection.share),
            spreads=self._spreads,
            draws=lambda name: uniforms(seed, f"{name}:{injection.id}", k, start, stop),
        )
