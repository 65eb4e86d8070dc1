import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.faults.contexts import cell_context, numbers, row_context

from alertdrill.core.faults.row.number_as_string import NumberAsString
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

FAULT = NumberAsString(kind="number_as_string", features=("x",), share=0.2)


def test_touched_numbers_are_quoted_and_others_are_not():
    rows = Rows({"x": numbers(12.5, 12.5, None)})
    bodies = encode(
        FAULT.edit(rows, row_context(rows, {"x": [True, False, True]})),
        Schema(features=(Feature(name="x", kind=FeatureKind.NUMBER),)),
    )
    assert bodies == [b'{"x":"12.5"}', b'{"x":12.5}', b'{"x":null}']


def test_an_integer_is_written_without_decimals():
    column = numbers(3.9)
    kind = FeatureKind.INTEGER
    assert cell_texts(FAULT.edit_column(column, cell_context(column, kind=kind)), kind) == [b'"3"']


@settings(max_examples=50)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_the_string_holds_what_the_encoder_would_have_written(values: list[float]):
    column = numbers(*values)
    clean = cell_texts(column, FeatureKind.NUMBER)
    faulted = cell_texts(FAULT.edit_column(column, cell_context(column, sample=numbers(0.0))), FeatureKind.NUMBER)
    assert [json.loads(text).encode() for text in faulted] == clean
    assert cell_texts(column, FeatureKind.NUMBER) == clean
