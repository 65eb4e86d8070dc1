"""Let the rows of one slice stay away."""

from typing import Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import Indices, SampleContext, SampleFault
from alertdrill.core.selection import Where, matching


class VanishedSlice(SampleFault):
    """Let the rows of one slice stay away.

    What it does:
        Touched requests whose row meets `rows` are drawn anew from the rows of the sample that do not; the others
        keep theirs. At a share of 100% the slice is gone and the rate stays. If every row of the sample meets `rows`,
        nothing is left to draw from and every request keeps its row.
    Why it matters:
        A country whose gateway is down, an app version that cannot log in, a partition that was never loaded. Each
        request that still comes is fine, so checks of single rows see nothing.
    Should trigger:
        A drift alert on the feature that names the slice, and on those that go with it (bundled: FeatureDrift); a
        volume alert by slice.
    Example:
        - {kind: vanished_slice, rows: {country: RS}, share: 100%}
    References:
        Shimodaira 2000, Improving Predictive Inference under Covariate Shift by Weighting the Log-Likelihood Function
        (Journal of Statistical Planning and Inference 90:2).
    """

    kind: Literal["vanished_slice"]
    rows: Where = Field(description='conditions by feature, all must hold, such as {country: RS} or {amount: "> 100"}')

    def choose(self, positions: Indices, context: SampleContext) -> Indices:
        """Redraw the touched requests whose row is in the slice."""
        others = context.pool(lambda sample: (~matching(self.rows, sample)).nonzero()[0])
        if not len(others):
            return positions
        vanished = context.touched & ~np.isin(positions, others)
        return np.where(vanished, context.drawn_from(others), positions)
