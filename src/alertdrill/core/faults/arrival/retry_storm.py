"""Let clients send their requests again and again."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, StrictInt

from alertdrill.core.faults.base import ArrivalContext, ArrivalFault, Change, Floats
from alertdrill.core.units import PositiveDurationS


class RetryStorm(ArrivalFault):
    """Let clients send their requests again and again.

    What it does:
        Each touched request is sent again `retries` times with the same body, each time `after` x (0.5 to 1.5 by
        draw) after the time before, whatever the answer was. Retries due after the end of the phase are not sent.
    Why it matters:
        Clients that retry without backoff multiply the load exactly when the server is slowest, and keep it down
        after the cause is gone: a metastable failure. One row counts several times in every statistic.
    Should trigger:
        An alert on the request rate or on repeated identifiers, and past capacity on latency and errors (bundled:
        PredictionLatencyHigh, ErrorRateHigh). While the model keeps up, FeatureDrift alone may fire, by chance: it
        takes each retry for a row of its own.
    Example:
        - {kind: retry_storm, retries: 3, after: 200ms, share: 30%}
    References:
        Bronson, Aghayev, Charapko, Zhu 2021, Metastable Failures in Distributed Systems (HotOS); Brooker 2015,
        Exponential Backoff and Jitter (AWS Architecture Blog).
    """

    own_load_only: ClassVar[str | None] = "it adds requests, and only the users make some"

    kind: Literal["retry_storm"]
    retries: StrictInt = Field(
        default=3, ge=1, le=100, description="how often each is sent again, such as 3; at most 100"
    )
    after: PositiveDurationS = Field(default=0.2, description="mean time from one attempt to the next, such as 200ms")

    def change(self, at: Floats, context: ArrivalContext) -> Change:
        """The retries that are due within the phase, each with the body of its original."""
        original = context.touched.nonzero()[0]
        gaps = [0.5 + context.draws(f"gap {attempt}", len(at))[original] for attempt in range(self.retries)]
        due = at[original] + self.after * np.cumsum(gaps, axis=0)
        within = due < context.duration_s
        repeats = np.broadcast_to(original, due.shape)[within]
        return Change(lost=np.zeros(len(at), dtype=bool), at=due[within], repeats=repeats.astype(np.int64))
