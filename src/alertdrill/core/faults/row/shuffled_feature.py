"""Give a feature the value of another row."""

from typing import Literal

import numpy as np

from alertdrill.core.faults.base import CellContext, CellFault
from alertdrill.core.faults.shared.borrowing import with_borrowed
from alertdrill.protocols.rows import Column


class ShuffledFeature(CellFault):
    """Give a feature the value of another row.

    What it does:
        Gives each of `features` in the touched requests the cell of a row of the sample that is drawn for it alone, a
        null included. So every feature keeps its own distribution, and what ties it to the others is lost. A missing
        key stays missing. By chance a drawn row can hold the same value.
    Why it matters:
        A join on the wrong key, answers of a batch put back in another order, features of one customer under another's
        name. Each column looks right by itself, and the model is as good as guessing.
    Should trigger:
        An alert on the model's quality, or one that watches features together or predictions. Nothing bundled:
        FeatureDrift looks at one feature at a time and rightly stays quiet, and the drill shows a blind spot.
    Example:
        - {kind: shuffled_feature, features: [amount], share: 100%}
    References:
        Breiman 2001, Random Forests (Machine Learning 45:1), section 10: permuted variables; Fisher, Rudin, Dominici
        2019, All Models are Wrong, but Many are Useful (JMLR 20:177).
    """

    kind: Literal["shuffled_feature"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Put drawn cells in the place of the touched ones."""
        positions = (context.draws("row") * len(context.sample.cells)).astype(np.int64)
        return with_borrowed(column, context.touched, context.sample.take(positions))
