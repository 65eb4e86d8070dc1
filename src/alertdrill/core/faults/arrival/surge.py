"""Let more requests come."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import ArrivalContext, ArrivalFault, Change, Floats
from alertdrill.core.units import Share


class Surge(ArrivalFault):
    """Let more requests come.

    What it does:
        Multiplies the arrivals of the load by `factor`. The planned requests stay; further ones, with bodies of their
        own, come at (factor - 1) x share x profile times the load's rate, which may vary itself, and are spread in
        time as the load's are; beside recorded arrivals at random. They are drawn at the highest rate and thinned.
    Why it matters:
        A campaign, a cache that was flushed, a crawler, the hour after an outage. Queues grow without bound once
        arrivals exceed capacity, long before any single request is slow by itself.
    Should trigger:
        An alert on the request rate, on saturation, and past capacity on latency and errors (bundled:
        PredictionLatencyHigh, ErrorRateHigh; nothing while the model keeps up).
    Example:
        - {kind: surge, factor: 3, share: 100%}
    References:
        Lewis, Shedler 1979, Simulation of Nonhomogeneous Poisson Processes by Thinning (Naval Research Logistics
        Quarterly 26:3).
    """

    has_dose: ClassVar[bool] = True
    own_load_only: ClassVar[str | None] = "it adds requests, and only the users make some"

    kind: Literal["surge"]
    factor: float = Field(
        gt=1, le=100, description="how many times the planned arrivals come in all, such as 3; above 1, at most 100"
    )
    share: Share = Field(
        default=1.0, description="share of the further arrivals that come, 100% or 0.5; a written 0 is a control"
    )

    def change(self, at: Floats, context: ArrivalContext) -> Change:
        """Further arrivals, thinned to the strength and the dose of their time."""
        more = context.more("further", self.factor - 1)
        strength = context.share(more) * context.dose(more)
        kept = more[context.draws("thinning", len(more)) < strength]
        return Change(lost=np.zeros(len(at), dtype=bool), at=kept, repeats=np.full(len(kept), -1, dtype=np.int64))
