"""Which requests the injections of a plan change, worked out once where draws alone do not tell them."""

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.faults.base import ArrivalFault, ExchangeFault, SampleFault, Unit
from alertdrill.core.payloads import AT_ONCE, Payloads
from alertdrill.core.plan import Injection, Plan
from alertdrill.core.touch import Touch, by_rows, pack
from alertdrill.protocols.rows import Rows

Mask = NDArray[np.bool_]

_STAGES = {Unit.SAMPLE: 0, Unit.ROW: 1, Unit.BODY: 2}
"""Units of the faults that change payloads, in the order in which they act."""


def with_choices(plan: Plan, sample: Rows) -> Plan:
    """The plan with the requests that injections change, where draws alone do not tell them."""
    choices = _Choices(plan, sample)
    injections = tuple(
        one if isinstance(one.fault, ArrivalFault) else one.model_copy(update={"chosen": choices.of(one)})
        for one in plan.injections
    )
    return plan.model_copy(update={"injections": injections})


class _Choices:
    """What the injections of a plan without choices would do to its requests."""

    def __init__(self, plan: Plan, sample: Rows) -> None:
        self._plan = plan
        self._touch = Touch(plan)
        self._payloads = Payloads(plan, sample, self._touch)

    def of(self, injection: Injection) -> str | None:
        """What the plan carries for an injection: the requests that it changes; None where draws alone tell them.

        A null that becomes null, a row that is replaced by itself: what is the same on the wire was not touched.
        """
        picked = self._picked(injection)
        changed = self._changed(injection, picked)
        if not by_rows(injection.fault) and np.array_equal(changed, picked):
            return None
        return pack(changed)

    def _picked(self, injection: Injection) -> Mask:
        """The requests of the segment that an injection picks, by its share, slice and selection; shape (count,)."""
        k, fault = injection.segment, injection.fault
        indices = np.arange(self._plan.segments[k].count)
        if not by_rows(fault):
            return self._touch.chosen_at(injection, indices)
        if isinstance(fault, ExchangeFault):
            indices = self._touch.schedule(k).origin
        before = self._before(injection) if isinstance(fault, SampleFault) else self._plan.segment_injections(k)
        return self._payloads.picks(injection, indices, before)

    def _before(self, injection: Injection) -> tuple[Injection, ...]:
        """The injections of a segment that act on its requests before this one does."""
        injections = self._plan.segment_injections(injection.segment)
        ordered = sorted(injections, key=lambda one: _STAGES.get(one.unit, len(_STAGES)))
        return tuple(ordered[: ordered.index(injection)])

    def _changed(self, injection: Injection, picked: Mask) -> Mask:
        """Of the requests that an injection picks, those that it changes on the wire; both shape (count,)."""
        if injection.unit not in _STAGES or not injection.fault.changes:
            return picked
        changed, indices = np.zeros_like(picked), picked.nonzero()[0]
        k, before = injection.segment, self._before(injection)
        for start in range(0, len(indices), AT_ONCE):
            some = indices[start : start + AT_ONCE]
            with_it, without = self._payloads.make(k, some, [*before, injection]), self._payloads.make(k, some, before)
            changed[some] = with_it.differs(without)
        return changed
