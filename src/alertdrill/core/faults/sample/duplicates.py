"""Let every row come several times in a row."""

from typing import Literal

import numpy as np
from pydantic import Field, StrictInt

from alertdrill.core.faults.base import Indices, SampleContext, SampleFault


class Duplicates(SampleFault):
    """Let every row come several times in a row.

    What it does:
        Request i comes with the row of request i - (i mod `times`), identifiers included: at a share of 100% every
        row comes `times` in a row. Where i mod `times` is 0 a touched request keeps its own row, as it is the first
        of its run.
    Why it matters:
        Delivery at least once, a join that multiplies rows, a client that posts twice. Counts and sums are too high,
        and monitors that take rows for independent see `times` as much evidence as there is.
    Should trigger:
        An alert on repeated identifiers or on the rate of distinct rows. Bundled: the reference monitor sets
        `model_drift_warning{reason="repeated_rows"}` after a few hundred rows. Meanwhile FeatureDrift takes each for a
        row of its own and fires on some feature, within seconds from `times` 5 on, as chance alone then looks like
        drift; at 2 it stays silent.
    Example:
        - {kind: duplicates, times: 5, share: 100%}
    References:
        Helland 2012, Idempotence Is Not a Medical Condition (ACM Queue 10:4).
    """

    kind: Literal["duplicates"]
    times: StrictInt = Field(default=5, ge=2, le=1000, description="how often every row comes, such as 5; at most 1000")

    def choose(self, positions: Indices, context: SampleContext) -> Indices:
        """The first row of each run for the touched requests that follow it."""
        place = context.timeline.index % self.times
        first = context.clean(context.timeline.index - place)
        return np.where(context.touched & (place > 0), first, positions)
