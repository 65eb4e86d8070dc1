import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, texts

from alertdrill.core.faults.row.category_shift import CategoryShift
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import FeatureKind

FAULT = CategoryShift(kind="category_shift", features=("x",), share=0.2, to="DE")


def test_touched_categories_become_the_one_and_the_input_stays():
    column = texts("FR", "NL", "DE", None)
    faulted = FAULT.edit_column(column, cell_context(column, touched=[True, False, True, True]))
    assert cell_texts(faulted, FeatureKind.CATEGORY) == [b'"DE"', b'"NL"', b'"DE"', b"null"]
    assert column.values.tolist() == ["FR", "NL", "DE", ""]


def test_a_missing_key_stays_missing():
    column = texts("FR").with_cells(np.array([True]), Cell.MISSING)
    assert cell_texts(FAULT.edit_column(column, cell_context(column)), FeatureKind.CATEGORY) == [b""]


def test_the_category_must_be_said():
    with pytest.raises(ValidationError, match="to"):
        CategoryShift.model_validate({"kind": "category_shift", "features": ["x"], "share": 1})
