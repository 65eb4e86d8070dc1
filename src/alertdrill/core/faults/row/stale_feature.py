"""Send what a feature was some time ago."""

from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import CellContext, CellFault
from alertdrill.core.faults.shared.borrowing import with_borrowed
from alertdrill.core.units import PositiveDurationS
from alertdrill.protocols.rows import Column


class StaleFeature(CellFault):
    """Send what a feature was some time ago.

    What it does:
        Gives `features` in the touched requests what the newest request that was due `by` earlier was drawn with, a
        null included. Before there is such a one, they get what the first request of the phase had, and the first
        request keeps its own. A missing key stays missing. With a profile of the dose the age grows to `by`.
    Why it matters:
        A feature store that lags, a replica that stopped following, a cache that outlives its data. Every value is
        real and well formed, and belongs to somebody else or to yesterday.
    Should trigger:
        An alert on the freshness of features, or on the model's quality once labels come. Nothing bundled: the values
        keep their distribution, so FeatureDrift and FeatureNullRateHigh rightly stay quiet, and the drill shows a
        blind spot.
    Example:
        - {kind: stale_feature, features: [amount_24h, transactions_1h], by: 10s, share: 100%}
    References:
        Bailis, Venkataraman, Franklin, Hellerstein, Stoica 2012, Probabilistically Bounded Staleness for Practical
        Partial Quorums (PVLDB 5:8).
    """

    has_dose: ClassVar[bool] = True
    own_load_only: ClassVar[str | None] = "it sends what earlier requests were drawn with, and the users draw nothing"

    kind: Literal["stale_feature"]
    by: PositiveDurationS = Field(description="how old the values are, such as 10s")

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Put the earlier cells in the place of the touched ones."""
        earlier = context.timeline.index_at(context.timeline.at - self.by * context.dose)
        return with_borrowed(column, context.touched & (context.dose > 0), context.clean(earlier))
