"""Planned arrivals and contexts for arrival faults under test."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.draws import uniforms
from alertdrill.core.faults.base import ArrivalContext
from alertdrill.core.timeline import ArrivalKind, Arrivals, arrival_times, further_times

Floats = NDArray[np.float64]
Profile = Callable[[Floats], Floats]


def planned(duration_s: float = 60.0, rate_per_s: float = 100.0, kind: str = "poisson", seed: int = 7) -> Floats:
    """Arrival times of a phase."""
    return arrival_times(Arrivals(kind=ArrivalKind(kind), rate_per_s=rate_per_s), seed, 0, duration_s)


def arrival_context(
    at: Floats,
    duration_s: float = 60.0,
    rate_per_s: float = 100.0,
    share: Profile = np.ones_like,
    dose: Profile = np.ones_like,
    kind: str = "poisson",
    seed: int = 7,
) -> ArrivalContext:
    """The context of arrivals planned at `at`; `share` and `dose` by seconds from the start of the phase."""

    def more(name: str, factor: float) -> Floats:
        recipe = Arrivals(kind=ArrivalKind(kind), rate_per_s=rate_per_s)
        return further_times(recipe, factor, seed, 0, duration_s, name)

    return ArrivalContext(
        touched=uniforms(seed, "choose", 0, 0, len(at)) < share(at),
        duration_s=duration_s,
        more=more,
        draws=lambda name, count: uniforms(seed, name, 0, 0, count),
        share=share,
        dose=dose,
    )
