import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.thousands_separator import ThousandsSeparator
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind

FAULT = ThousandsSeparator(kind="thousands_separator", features=("x",), share=0.2)


def test_the_whole_part_is_grouped_and_the_decimals_are_not():
    column = numbers(1234.5, -1234567.891234, 1234.5, None)
    faulted = FAULT.edit_column(column, cell_context(column, touched=[True, True, False, True]))
    assert cell_texts(faulted, FeatureKind.NUMBER) == [b'"1,234.5"', b'"-1,234,567.891234"', b"1234.5", b"null"]
    assert column.raw is None


def test_a_small_number_gets_the_quotes_alone():
    column = numbers(999.5, 1.5e22)
    clean = cell_texts(column, FeatureKind.NUMBER)
    faulted = cell_texts(FAULT.edit_column(column, cell_context(column)), FeatureKind.NUMBER)
    assert faulted == [b'"%b"' % text for text in clean]


@settings(max_examples=50)
@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=5))
def test_without_its_commas_it_is_the_number_again(values: list[int]):
    column = numbers(*values)
    kind = FeatureKind.INTEGER
    written = cell_texts(FAULT.edit_column(column, cell_context(column, kind=kind)), kind)
    assert [json.loads(text) for text in written] == [f"{value:,}" for value in values]
