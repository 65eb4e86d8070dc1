import pytest
from tests.unit.core.faults.contexts import cell_context, texts

from alertdrill.core.faults.row.whitespace import Whitespace
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind


@pytest.mark.parametrize(("side", "expected"), [("both", " {x} "), ("leading", " {x}"), ("trailing", "{x} ")])
def test_a_blank_is_added_on_each_side_that_is_meant(side: str, expected: str):
    column = texts("{x}")
    fault = Whitespace.model_validate({"kind": "whitespace", "features": ["x"], "share": 1, "side": side})
    assert fault.edit_column(column, cell_context(column)).values.tolist() == [expected]


def test_untouched_texts_and_nulls_stay():
    column = texts("DE", "DE", None)
    fault = Whitespace(kind="whitespace", features=("x",), share=0.2)
    faulted = fault.edit_column(column, cell_context(column, touched=[True, False, True]))
    assert cell_texts(faulted, FeatureKind.CATEGORY) == [b'" DE "', b'"DE"', b"null"]
    assert column.values.tolist() == ["DE", "DE", ""]
