"""Write numbers as JSON strings."""

from typing import ClassVar, Literal

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault
from alertdrill.core.faults.shared.rewriting import with_json
from alertdrill.protocols.forms import Trait
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class NumberAsString(CellFault):
    """Write numbers as JSON strings.

    What it does:
        Puts the number in quotes in the touched requests, digit by digit as it would have been written: 12.5 becomes
        "12.5". Nulls stay null.
    Why it matters:
        A client that reads its values from a form or a CSV file and never converts them. Most model servers convert
        them themselves and answer 200, so that nothing on the operational side shows it; strict ones answer 422. The
        same strings break the job that trains on the log a month later.
    Should trigger:
        A drift alert that tells values of a wrong type apart (bundled: FeatureDrift, by its cell type_error). No alert
        on 5xx, and no null-rate alert: a string is no null.
    Example:
        - {kind: number_as_string, features: [amount], share: 20%}
    References:
        RFC 8259, The JavaScript Object Notation (JSON) Data Interchange Format, sections 6 and 7; Breck, Polyzotis,
        Roy, Whang, Zinkevich 2019, Data Validation for Machine Learning (SysML).
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS
    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.TYPES})

    kind: Literal["number_as_string"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Quote the touched numbers."""
        return with_json(column, context.touched, context.feature.kind, lambda text: b'"%b"' % text)
