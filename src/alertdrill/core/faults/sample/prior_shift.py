"""Let one true label come more often than it should."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import Field

from alertdrill.core.errors import BadValue
from alertdrill.core.faults.base import Indices, SampleContext, SampleFault
from alertdrill.protocols.rows import Rows
from alertdrill.protocols.schema import Schema


class PriorShift(SampleFault):
    """Let one true label come more often than it should.

    What it does:
        Draws the touched requests from the rows of the sample whose true label is `label`: P(x|y) is kept, P(y) is
        shifted. A share s takes P(label) from p to s + (1 - s) p. Labels are never sent. Needs a target whose schema
        names a label column; without one, or where no row has that label, every request keeps its row.
    Why it matters:
        A wave of fraud, an epidemic, a campaign that brings another mix of customers. Each row looks like one that
        was always there, yet the scores are no longer calibrated, and a threshold set for the old mix is wrong.
    Should trigger:
        An alert on the share of positive predictions. Drift alerts on the features that differ most between labels
        (bundled: FeatureDrift), slowly where the labels look alike.
    Example:
        - {kind: prior_shift, label: "1", share: 30%}
    References:
        Saerens, Latinne, Decaestecker 2002, Adjusting the Outputs of a Classifier to New a Priori Probabilities
        (Neural Computation 14:1); Lipton, Wang, Smola 2018, Detecting and Correcting for Label Shift with Black Box
        Predictors (ICML).
    """

    kind: Literal["prior_shift"]
    label: str = Field(
        min_length=1, description='true label that comes more often, as the sample writes it, such as "1"'
    )

    def unfit(self, schema: Schema) -> Iterator[BadValue]:
        """A target without labels."""
        if schema.label is None:
            expected = "a target whose schema names the label column of its sample"
            yield BadValue(expected, "add label: COLUMN to the schema", "no label column", ("label",))

    def choose(self, positions: Indices, context: SampleContext) -> Indices:
        """Draw the touched requests from the rows with the label."""
        pool = context.pool(self._labelled)
        return np.where(context.touched, context.drawn_from(pool), positions) if len(pool) else positions

    def _labelled(self, sample: Rows) -> Indices:
        labels = [] if sample.labels is None else sample.labels.tolist()
        return np.array([position for position, label in enumerate(labels) if label == self.label], dtype=np.int64)
