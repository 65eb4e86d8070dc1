"""Let requests never come."""

from typing import Literal

import numpy as np

from alertdrill.core.faults.base import ArrivalContext, ArrivalFault, Change, Floats


class TrafficLoss(ArrivalFault):
    """Let requests never come.

    What it does:
        The touched requests are not sent. At a share of 100% the traffic stops.
    Why it matters:
        A broken route, an expired certificate on the client's side, a queue that nobody fills. Every ratio and every
        latency stays fine while the business stands still; rules without traffic go silent instead of firing.
    Should trigger:
        A volume alert. Bundled: NoTraffic at a share of 100%; nothing while any traffic is left.
    Example:
        - {kind: traffic_loss, share: 100%}
    References:
        Beyer, Jones, Petoff, Murphy 2016, Site Reliability Engineering, chapter 6: traffic as a golden signal.
    """

    kind: Literal["traffic_loss"]

    def change(self, at: Floats, context: ArrivalContext) -> Change:
        """The touched arrivals are lost, none is added."""
        return Change(lost=context.touched.copy(), at=np.empty(0), repeats=np.empty(0, dtype=np.int64))
