"""How far each injection reaches: the requests it will touch, of those of its phase and of all that the target gets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.faults.base import ArrivalFault, BodyFault, ExchangeFault, Place, ProcessFault, RowFault
from alertdrill.core.plan import Injection, Plan, Segment
from alertdrill.core.touch import Touch

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reach:
    """What one injection will touch, its phase taken in full.

    Attributes:
        injection: the fault with its share, in its phase.
        requests: those of the phase that are sent; for an arrival fault also those that it suppresses.
        picked: of a fault on rows, samples or bodies, how many its draws pick, whatever these hold; else 0.
        touched: how many of them it touches.
        background: requests that others send to the target meanwhile, on average.
        first_s, last_s: when the first and the last touched one are due, seconds from the start of the phase; None if
            it touches none.
        strongest: the highest factor of share or dose that its profile has at any request of the phase, from 0 to 1.
    """

    injection: Injection
    requests: int
    picked: int
    touched: int
    background: float
    first_s: float | None
    last_s: float | None
    strongest: float

    @property
    def share_of_ours(self) -> float:
        """Touched requests among those of the drill, from 0 to 1."""
        return self.touched / self.requests if self.requests else 0.0

    @property
    def share_seen(self) -> float:
        """Touched requests among all that the target gets, from 0 to 1."""
        everything = self.requests + self.background
        return self.touched / everything if everything else 0.0


def reaches(plan: Plan, touch: Touch) -> tuple[Reach, ...]:
    """What every injection of a plan will touch, in the order of the file."""
    return tuple(_reach(plan.segments[one.segment], one, touch, plan.background_per_s) for one in plan.injections)


def held_up(plan: Plan) -> tuple[str, ...]:
    """Ids of injections at a dependency that requests broken by others of their phase may never reach."""
    return tuple(
        one.id
        for one in plan.injections
        if one.place is Place.DEPENDENCY
        and any(
            other.place in (Place.EDGE, Place.MODEL, Place.INSIDE) or isinstance(other.fault, RowFault | BodyFault)
            for other in plan.segment_injections(one.segment)
        )
    )


def _reach(segment: Segment, injection: Injection, touch: Touch, background_per_s: float) -> Reach:
    schedule, fault = touch.schedule(segment.k), injection.fault
    mask = touch.mask(injection, 0, len(schedule))
    at = schedule.at[mask]
    return Reach(
        injection=injection,
        requests=len(schedule) if isinstance(fault, ArrivalFault) else int(schedule.sent.sum()),
        picked=0 if isinstance(fault, ArrivalFault | ExchangeFault | ProcessFault) else touch.picked(injection),
        touched=len(at),
        background=background_per_s * segment.duration_s,
        first_s=float(at[0]) if len(at) else None,
        last_s=float(at[-1]) if len(at) else None,
        strongest=float(strength_at(injection, schedule.at).max(initial=0.0)),
    )


def strength_at(injection: Injection, at_s: Floats) -> Floats:
    """Factor of an injection's share or dose at seconds `at_s` of its phase, from 0 to 1; both shape (n,)."""
    profile = injection.fault.profile
    return np.ones(len(at_s)) if profile is None else profile.strength(at_s)
