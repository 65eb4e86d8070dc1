"""Which requests every injection touches, and how strongly: one answer for load, proxies, plan and checker.

A request is touched if its draw (BLAKE2b of seed, injection, k and i; see `draws`) is below share x profile. Where that
depends on what the rows hold (`where`, `select`), the plan carries the answer, as the sample is not everywhere.
"""

from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.draws import uniform, uniforms_at
from alertdrill.core.exchanges import ends_before
from alertdrill.core.faults.base import ArrivalFault, ExchangeFault, Fault, RowFault, SlicedFault
from alertdrill.core.packed import packed, unpacked
from alertdrill.core.plan import Injection, Plan
from alertdrill.core.profiles import Scaled
from alertdrill.core.schedule import Schedule, make_schedule, strength
from alertdrill.core.selection import AtRandom

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


def pack(mask: Mask) -> str:
    """A mask, shape (n,), as text: bits, compressed."""
    return packed(np.packbits(mask).tobytes())


def unpack(text: str, count: int) -> Mask:
    """The mask of shape (count,) that `pack` wrote.

    Raises:
        ValueError: it is no such text.
    """
    data = unpacked(text, (count + 7) // 8, count=count, unit="bits")
    return np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=count).astype(bool)


def by_rows(fault: Fault) -> bool:
    """Whether what a fault touches depends on what the rows hold."""
    return isinstance(fault, SlicedFault) and (
        fault.where is not None or (fault.select is not None and not isinstance(fault.select, AtRandom))
    )


def draw_names(injection: Injection) -> tuple[str, ...]:
    """Names of the draws that decide over a request: one, or one for each feature where cells are chosen."""
    fault = injection.fault
    if isinstance(fault, RowFault) and fault.of == "cells":
        return tuple(f"choose:{injection.id}/{name}" for name in fault.features)
    return (f"choose:{injection.id}",)


def any_of(masks: Sequence[Mask]) -> Mask:
    """Where one of the masks is set; all have shape (n,)."""
    return masks[0] if len(masks) == 1 else np.asarray(np.logical_or.reduce(masks), dtype=bool)


class Touch:
    """What every injection of a plan touches. Requests k.i are given by index i in the injection's segment."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.schedule = cache(self._schedule)
        self._unpacked = cache(self._unpack)

    def _schedule(self, k: int) -> Schedule:
        segment = self._plan.segments[k]
        injections = self._plan.segment_injections(k)
        return make_schedule(segment.arrivals, self._plan.seed, k, segment.duration_s, injections)

    def _unpack(self, injection_id: str) -> Mask:
        injection = self._injections[injection_id]
        assert injection.chosen is not None
        return unpack(injection.chosen, self._plan.segments[injection.segment].count)

    @cached_property
    def _injections(self) -> dict[str, Injection]:
        return {injection.id: injection for injection in self._plan.injections}

    def mask(self, injection: Injection, start: int, stop: int) -> Mask:
        """Shape (stop - start,): the requests `start` to `stop - 1` that an injection touches."""
        schedule = self.schedule(injection.segment)
        if isinstance(injection.fault, ArrivalFault):
            return schedule.touched[injection.id][start:stop]
        if isinstance(injection.fault, ExchangeFault):
            reached = schedule.sent[start:stop] & self._reached(injection, start, stop)
            return self.chosen_at(injection, np.arange(start, stop)) & reached
        return self.chosen_at(injection, schedule.origin[start:stop]) & schedule.sent[start:stop]

    def _reached(self, injection: Injection, start: int, stop: int) -> Mask:
        """Shape (stop - start,): the requests that no other injection answers or cuts before this one can act."""
        reached = np.ones(stop - start, dtype=bool)
        for one in self._plan.segment_injections(injection.segment):
            if one.id != injection.id and ends_before(one.fault, injection.fault):
                reached &= ~self.mask(one, start, stop)
        return reached

    def picked(self, injection: Injection) -> int:
        """How many requests the draws of a row, sample or body injection pick, whatever these hold."""
        return int(self._drawn_at(injection, np.arange(self._plan.segments[injection.segment].count)).sum())

    def chosen_at(self, injection: Injection, indices: Indices) -> Mask:
        """Shape (n,): whether an injection chose these requests, sent or not; of retries ask for the first attempt."""
        if injection.chosen is not None:
            return self._unpacked(injection.id)[indices]
        return self._drawn_at(injection, indices)

    def _drawn_at(self, injection: Injection, indices: Indices) -> Mask:
        share = self.shares(injection, indices)
        names, seed, k = draw_names(injection), self._plan.seed, injection.segment
        return any_of([uniforms_at(seed, name, k, indices) < share for name in names])

    def one(self, injection: Injection, i: int) -> bool:
        """Whether an exchange injection touches request `i`, if it gets there; agrees with `mask` on those that do."""
        if i >= self._plan.segments[injection.segment].count:
            return False
        if injection.chosen is not None:
            return bool(self._unpacked(injection.id)[i])
        share = injection.share
        if injection.fault.profile is not None:
            share = float(self.shares(injection, np.array([i]))[0])
        return any(uniform(self._plan.seed, name, injection.segment, i) < share for name in draw_names(injection))

    def shares(self, injection: Injection, indices: Indices) -> Floats:
        """Shape (n,): share x profile when these requests are due; 0 where there is no dose, which touches nothing."""
        share = injection.share * self._strength(injection, indices, Scaled.SHARE)
        return np.where(self.doses(injection, indices) > 0, share, 0.0)

    def doses(self, injection: Injection, indices: Indices) -> Floats:
        """Shape (n,): how far a fault goes when these requests are due, from 0 to 1."""
        return self._strength(injection, indices, Scaled.DOSE)

    def dose_one(self, injection: Injection, i: int) -> float:
        """How far a fault goes when request `i` is due, from 0 to 1."""
        return 1.0 if injection.fault.profile is None else float(self.doses(injection, np.array([i]))[0])

    def _strength(self, injection: Injection, indices: Indices, scaled: Scaled) -> Floats:
        if injection.fault.profile is None:
            return np.ones(len(indices))
        return strength(injection.fault, self.schedule(injection.segment).at[indices], scaled)
