"""Leave the keys of features out of requests."""

from typing import ClassVar, Literal

from alertdrill.core.faults.base import CellContext, CellFault
from alertdrill.protocols.forms import Trait
from alertdrill.protocols.rows import Cell, Column


class MissingKey(CellFault):
    """Leave the keys of features out of requests.

    What it does:
        Sends the touched requests without the keys of `features`, whatever they held. The rest of the body is as it
        was, and it is an object still, if need be an empty one.
    Why it matters:
        A client of an older version, a renamed column, a serialiser that drops nulls. A missing key is not a null:
        asked without one feature, MLServer and KServe answered 500, MLflow and BentoML 400, FastAPI 422; a server that
        fills in a default answers 200 and is quietly wrong. The bundled target answers 422, which no bundled alert on
        answers counts.
    Should trigger:
        An alert on missing values of the feature (bundled: FeatureNullRateHigh counts nulls and missing keys;
        FeatureDrift has a cell for missing keys). Identifiers are not watched: a missing card_id moves neither.
    Example:
        - {kind: missing_key, features: [amount], share: 20%}
    References:
        Breck, Polyzotis, Roy, Whang, Zinkevich 2019, Data Validation for Machine Learning (MLSys).
    """

    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.KEYS})

    kind: Literal["missing_key"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Drop the keys of the touched cells."""
        return column.with_cells(context.touched, Cell.MISSING)
