import json
from typing import get_args

import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers, texts

from alertdrill.core.faults.row.not_available import NotAvailable, NoValue
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import FeatureKind

FAULT = NotAvailable(kind="not_available", features=("x",), share=0.2)


def test_touched_numbers_become_the_text():
    column = numbers(12.5, 13.5)
    faulted = FAULT.edit_column(column, cell_context(column, touched=[True, False]))
    assert cell_texts(faulted, FeatureKind.NUMBER) == [b'"N/A"', b"13.5"]
    assert cell_texts(column, FeatureKind.NUMBER) == [b"12.5", b"13.5"]


def test_a_null_becomes_the_text_and_a_missing_key_stays_missing():
    column = texts("DE", None, "FR").with_cells(np.array([False, False, True]), Cell.MISSING)
    faulted = FAULT.edit_column(column, cell_context(column))
    assert cell_texts(faulted, FeatureKind.CATEGORY) == [b'"N/A"', b'"N/A"', b""]


def test_raw_bytes_of_an_earlier_fault_stay():
    column = numbers(1.5).with_raw(np.array([True]), b"NaN")
    assert cell_texts(FAULT.edit_column(column, cell_context(column)), FeatureKind.NUMBER) == [b"NaN"]


@pytest.mark.parametrize("text", get_args(NoValue))
def test_every_text_is_written_as_a_string_of_itself(text: str):
    fault = NotAvailable.model_validate({"kind": "not_available", "features": ["x"], "share": 1, "text": text})
    column = numbers(1.5)
    (written,) = cell_texts(fault.edit_column(column, cell_context(column)), FeatureKind.NUMBER)
    assert json.loads(written) == text


def test_any_other_text_is_refused():
    with pytest.raises(ValidationError, match="N/A"):
        NotAvailable.model_validate({"kind": "not_available", "features": ["x"], "share": 1, "text": "twelve"})
