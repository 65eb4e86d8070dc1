from tests.unit.core.faults.contexts import cell_context, numbers, row_context, texts

from alertdrill.core.faults.row.missing_key import MissingKey
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.rows import Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

FAULT = MissingKey(kind="missing_key", features=("amount", "country"), share=0.2)
SCHEMA = Schema(
    features=(Feature(name="amount", kind=FeatureKind.NUMBER), Feature(name="country", kind=FeatureKind.CATEGORY))
)


def test_the_keys_of_touched_cells_are_absent_nulls_included():
    rows = Rows({"amount": numbers(1.5, None, 2.5), "country": texts("DE", "FR", "DE")})
    faulted = FAULT.edit(rows, row_context(rows, {"amount": [True, True, False], "country": [False, True, False]}))
    assert encode(faulted, SCHEMA) == [b'{"country":"DE"}', b"{}", b'{"amount":2.5,"country":"DE"}']


def test_the_column_that_is_given_is_left_alone():
    column = numbers(1.5, 2.5)
    FAULT.edit_column(column, cell_context(column))
    assert column.cells.tolist() == [0, 0]
