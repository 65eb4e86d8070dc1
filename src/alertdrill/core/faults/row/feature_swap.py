"""Let two features trade their values."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.faults.base import Features, RowContext, RowFault
from alertdrill.core.faults.shared.borrowing import with_borrowed
from alertdrill.protocols.rows import Rows
from alertdrill.protocols.schema import Feature, Schema

_OF_PATTERNS = frozenset("*?[")


class FeatureSwap(RowFault):
    """Let two features trade their values.

    What it does:
        Writes the value of each of the two `features` under the other's name in the touched requests; a null travels
        along. Both must be numbers (integers included: decimals are cut off where an integer belongs), both
        categories, or both timestamps. With `of: cells` a row is touched where the cell of the first is. Where both
        hold the same value, nothing changes.
    Why it matters:
        Columns in another order than the model was trained on: a new query, a rebuilt vector without names, two
        arguments of one type. Types and null rates are right, and the answer is 200.
    Should trigger:
        A drift alert on both features, sooner the less their values overlap (bundled: FeatureDrift, on watched
        features). Nothing where both look alike, such as two flags with like frequencies.
    Example:
        - {kind: feature_swap, features: [amount, distance_km], share: 50%}
    References:
        Schelter, Rukat, Biessmann 2021, JENGA: A Framework to Study the Impact of Data Errors on the Predictions of
        Machine Learning Models (EDBT).
    """

    kind: Literal["feature_swap"]
    features: Features = Field(description="names of the two features, such as [amount, distance_km]")

    @field_validator("features")
    @classmethod
    def _two_names(cls, features: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(features)) != 2 or len(features) != 2 or any(_OF_PATTERNS & set(name) for name in features):
            raise BadValue("the names of two features", "write two names, such as [amount, distance_km]")
        return features

    def unfit(self, schema: Schema) -> Iterator[BadValue]:
        """Two features that cannot trade values."""
        found = [feature for feature in schema.features if feature.name in self.features]
        if len(found) == 2 and not _alike(*found):
            got = " and ".join(f"{feature.name}, of kind {feature.kind}," for feature in found).rstrip(",")
            expected = "two numbers, two categories or two timestamps"
            yield BadValue(expected, "write two features of one kind", got, ("features",))

    def edit(self, rows: Rows, context: RowContext) -> Rows:
        """Trade the two features' cells in the touched rows."""
        first, second = self.features
        touched = context.cells[first].touched
        one, other = rows.columns[first], rows.columns[second]
        rows = rows.with_column(first, with_borrowed(one, touched, other))
        return rows.with_column(second, with_borrowed(other, touched, one))


def _alike(one: Feature, other: Feature) -> bool:
    """Whether two features can trade values: both numbers or integers, both categories, or both timestamps."""
    return one.kind is other.kind or (one.numeric and other.numeric)
