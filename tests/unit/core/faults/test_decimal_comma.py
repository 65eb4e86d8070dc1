from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.decimal_comma import DecimalComma
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind

FAULT = DecimalComma(kind="decimal_comma", features=("x",), share=0.2)


def test_touched_numbers_are_texts_with_a_comma():
    column = numbers(12.5, -1234.25, 3.0, None, 12.5)
    faulted = FAULT.edit_column(column, cell_context(column, touched=[True, True, True, True, False]))
    assert cell_texts(faulted, FeatureKind.NUMBER) == [b'"12,5"', b'"-1234,25"', b'"3,0"', b"null", b"12.5"]
    assert column.raw is None


def test_a_number_without_a_point_gets_the_quotes_alone():
    column = numbers(3.0)
    kind = FeatureKind.INTEGER
    assert cell_texts(FAULT.edit_column(column, cell_context(column, kind=kind)), kind) == [b'"3"']
    column = numbers(1e-7)
    assert cell_texts(FAULT.edit_column(column, cell_context(column)), FeatureKind.NUMBER) == [b'"1e-7"']
