import json
import math

import pytest
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.number_overflow import NumberOverflow
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind


def written(column, form="exponent", touched=None):
    fault = NumberOverflow(kind="number_overflow", features=("x",), share=0.2, form=form)
    return cell_texts(fault.edit_column(column, cell_context(column, touched)), FeatureKind.NUMBER)


def test_touched_values_become_a_number_that_no_double_holds_and_nulls_stay():
    column = numbers(1.5, 2.5, None)
    assert written(column, touched=[True, False, True]) == [b"1e400", b"2.5", b"null"]
    assert column.cells[0] == 0
    assert column.raw is None


def test_the_exponent_is_json_and_reads_as_infinity():
    assert json.loads(written(numbers(1.5))[0]) == math.inf


def test_the_digits_are_an_exact_integer_of_400_digits_that_makes_no_float():
    number = json.loads(written(numbers(1.5), "digits")[0])
    assert len(str(number)) == 400
    with pytest.raises(OverflowError):
        float(number)
