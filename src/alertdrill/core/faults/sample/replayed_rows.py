"""Let rows that came earlier come again."""

from typing import Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import Indices, SampleContext, SampleFault
from alertdrill.core.units import PositiveDurationS


class ReplayedRows(SampleFault):
    """Let rows that came earlier come again.

    What it does:
        Touched requests come with the rows drawn for requests `back` earlier, in their order, identifiers included:
        request i with the row of request i - m, m being how many are due in the first `back` of the phase. These m
        have nothing to repeat and keep their rows. A row came before unless that request was touched too: at a share
        of 30%, seven replayed rows in ten did; at 100% every row is merely late.
    Why it matters:
        A consumer that starts again at an old offset, a queue that is read twice, a backfill that meets live traffic.
        Each row is valid and the mix of rows is right; only they are not new.
    Should trigger:
        An alert on identifiers that were seen before, or on the age of rows. Bundled: nothing does, as old rows have
        the same cells as fresh ones.
    Example:
        - {kind: replayed_rows, back: 5s, share: 30%}
    References:
        Kreps, Narkhede, Rao 2011, Kafka: a Distributed Messaging System for Log Processing (NetDB).
    """

    kind: Literal["replayed_rows"]
    back: PositiveDurationS = Field(description="how much earlier the row was due, such as 5s; well below the phase")

    def choose(self, positions: Indices, context: SampleContext) -> Indices:
        """The rows of the requests `back` earlier, where there are such."""
        due = int(context.timeline.index_at(np.array([self.back]))[0]) + 1
        earlier = context.timeline.index - due
        rows = context.clean(np.maximum(earlier, 0))
        return np.where(context.touched & (earlier >= 0), rows, positions)
