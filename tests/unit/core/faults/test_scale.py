import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.scale import Scale
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import FeatureKind


def scaled(column, factor, kind=FeatureKind.NUMBER, **context):
    fault = Scale(kind="scale", features=("x",), share=0.2, factor=factor)
    return fault.edit_column(column, cell_context(column, kind=kind, **context))


def test_touched_values_are_multiplied_and_the_others_are_not():
    column = numbers(1.5, 2.5, None)
    result = scaled(column, 10, touched=[True, False, True])
    assert cell_texts(result, FeatureKind.NUMBER) == [b"15.0", b"2.5", b"null"]
    assert column.values[0] == 1.5


def test_a_dose_moves_the_factor_from_1():
    assert scaled(numbers(8, 8, 8), 3, dose=[0, 0.5, 1]).values.tolist() == [8, 16, 24]


def test_the_full_dose_is_the_factor_and_dose_0_the_value_to_the_last_bit():
    column = numbers(0.1, 19.99, 1e-7)
    assert scaled(column, 0.1).values.tolist() == (column.values * 0.1).tolist()
    assert scaled(column, 0.1, dose=0).values.tolist() == column.values.tolist()


def test_integers_are_rounded_and_really_change():
    result = scaled(numbers(1, 3, 10, -3, 0), 1.15, FeatureKind.INTEGER)
    assert cell_texts(result, FeatureKind.INTEGER) == [b"2", b"4", b"12", b"-4", b"0"]
    assert scaled(numbers(1, 3), 0.5, FeatureKind.INTEGER).values.tolist() == [0, 2]


def test_absent_keys_and_raw_bytes_stay():
    column = numbers(1.5, 2.5).with_cells(np.array([True, False]), Cell.MISSING)
    column = column.with_raw(np.array([False, True]), b"NaN")
    assert cell_texts(scaled(column, 10, sample=numbers(1, 2)), FeatureKind.NUMBER) == [b"", b"NaN"]


@pytest.mark.parametrize("factor", [1, -2, "2x", float("nan"), 1e10])
def test_a_factor_that_does_nothing_or_is_none_is_refused(factor):
    with pytest.raises(ValidationError):
        scaled(numbers(1), factor)
