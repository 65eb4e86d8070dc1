import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.outliers import Outliers
from alertdrill.protocols.schema import FeatureKind

N = 1000
FLAT = numbers(*[50.0] * N)


def thrown(column, size, kind=FeatureKind.NUMBER, **context):
    fault = Outliers(kind="outliers", features=("x",), share=0.2, size=size)
    return fault.edit_column(column, cell_context(column, kind=kind, **context)).values


def test_values_are_thrown_off_by_the_size_up_or_down_evenly():
    values = thrown(FLAT, 30)
    assert set(values.tolist()) == {20, 80}
    assert (values == 80).mean() == pytest.approx(0.5, abs=4 * 0.5 / N**0.5)


def test_the_default_is_ten_standard_deviations_of_the_sample():
    fault = Outliers(kind="outliers", features=("x",), share=0.2)
    values = fault.edit_column(FLAT, cell_context(FLAT, sample=numbers(0, 10, 20))).values
    assert set(values.tolist()) == {-50, 150}


def test_untouched_values_and_nulls_stay():
    column = numbers(1.5, 2.5, None)
    values = thrown(column, 30, touched=[True, False, True])
    assert abs(values[0] - 1.5) == 30
    assert values[1] == 2.5
    assert np.isnan(values[2])
    assert column.values[0] == 1.5


def test_a_dose_scales_the_size_and_0_is_the_value_itself():
    assert set(thrown(FLAT, 30, dose=0.5).tolist()) == {35, 65}
    assert thrown(numbers(0.1, 0.2), 30, dose=0).tolist() == [0.1, 0.2]


def test_integers_are_rounded_and_really_change():
    assert set(thrown(FLAT, 2.6, FeatureKind.INTEGER).tolist()) == {47, 53}
    assert set(thrown(FLAT, 0.3, FeatureKind.INTEGER).tolist()) == {49, 51}


@pytest.mark.parametrize("size", [0, -1, "-10sd", "far"])
def test_a_size_that_is_not_above_0_is_refused(size):
    with pytest.raises(ValidationError):
        thrown(FLAT, size)
