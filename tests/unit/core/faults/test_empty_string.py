import numpy as np
import pytest
from tests.unit.core.faults.contexts import cell_context, numbers, texts

from alertdrill.core.faults.row.empty_string import EmptyString
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import FeatureKind

FAULT = EmptyString(kind="empty_string", features=("x",), share=0.2)


@pytest.mark.parametrize("kind", FeatureKind)
def test_touched_cells_of_every_kind_hold_an_empty_text_nulls_included(kind):
    column = texts("DE", None, "FR") if kind is FeatureKind.CATEGORY else numbers(5, None, 7)
    written = cell_texts(FAULT.edit_column(column, cell_context(column, [True, True, False], kind)), kind)
    assert written[:2] == [b'""', b'""']
    assert written[2] == cell_texts(column, kind)[2]


def test_an_absent_key_stays_absent():
    column = numbers(1.5).with_cells(np.array([True]), Cell.MISSING)
    assert cell_texts(FAULT.edit_column(column, cell_context(column)), FeatureKind.NUMBER) == [b""]


def test_the_column_that_is_given_is_left_alone():
    column = texts("DE")
    FAULT.edit_column(column, cell_context(column))
    assert column.cells.tolist() == [0]
    assert column.values.tolist() == ["DE"]
