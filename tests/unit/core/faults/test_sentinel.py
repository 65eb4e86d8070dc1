import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers, texts

from alertdrill.core.faults.row.sentinel import Sentinel
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import FeatureKind


def written(column, kind, touched=None, value=-999):
    fault = Sentinel(kind="sentinel", features=("x",), share=0.2, value=value)
    return cell_texts(fault.edit_column(column, cell_context(column, touched, kind)), kind)


def test_numbers_get_the_sentinel_over_values_and_nulls():
    assert written(numbers(1.5, None, 2.5), FeatureKind.NUMBER, [True, True, False]) == [b"-999.0", b"-999.0", b"2.5"]


def test_integers_get_it_without_decimals():
    assert written(numbers(3, 4), FeatureKind.INTEGER, [True, False]) == [b"-999", b"4"]


@pytest.mark.parametrize(
    ("value", "text"), [(-999, b'"-999"'), (-1.5, b'"-1.5"'), (1e22, b'"10000000000000000000000"')]
)
def test_categories_get_its_text(value, text):
    assert written(texts("DE", None, "FR"), FeatureKind.CATEGORY, [True, True, False], value) == [text, text, b'"FR"']


def test_absent_keys_and_raw_bytes_stay():
    column = numbers(1.5, 2.5).with_cells(np.array([True, False]), Cell.MISSING)
    column = column.with_raw(np.array([False, True]), b"NaN")
    assert written(column, FeatureKind.NUMBER) == [b"", b"NaN"]


def test_the_column_that_is_given_is_left_alone():
    column = numbers(1.5, None)
    written(column, FeatureKind.NUMBER)
    assert column.cells.tolist() == [Cell.VALUE, Cell.NULL]
    assert column.values[0] == 1.5


@pytest.mark.parametrize("value", ["unknown", True, float("nan"), float("inf")])
def test_what_is_no_number_of_json_is_refused(value):
    with pytest.raises(ValidationError):
        Sentinel(kind="sentinel", features=("x",), share=0.2, value=value)
