import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.saturation import Saturation
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind

SAMPLE = numbers(*range(10, 110, 10), None)  # ten values, 10 to 100


def clipped(column, kind=FeatureKind.NUMBER, touched=None, dose=1.0, sample=SAMPLE, **limits):
    fault = Saturation(kind="saturation", features=("x",), share=0.2, **limits)
    return fault.edit_column(column, cell_context(column, touched, kind, sample, dose))


def test_touched_values_beyond_a_quantile_of_the_sample_become_it():
    column = numbers(5, 20, 81, 300, 300, None)
    result = clipped(column, touched=[True, True, True, True, False, True], high="80%", low="20%")
    assert cell_texts(result, FeatureKind.NUMBER) == [b"20.0", b"20.0", b"80.0", b"80.0", b"300.0", b"null"]
    assert column.values[3] == 300


def test_one_limit_alone_leaves_the_other_side():
    assert clipped(numbers(5, 300), high="50%").values.tolist() == [5, 50]
    assert clipped(numbers(5, 300), low="50%").values.tolist() == [50, 300]


def test_the_quantile_0_is_the_lowest_value_of_the_sample():
    assert clipped(numbers(5, 300), high=0).values.tolist() == [5, 10]


def test_the_limit_of_an_integer_is_a_value_of_the_sample():
    result = clipped(numbers(9), FeatureKind.INTEGER, sample=numbers(1, 2, 5, 9), high="60%")
    assert cell_texts(result, FeatureKind.INTEGER) == [b"5"]


def test_where_the_sample_has_no_value_nothing_is_clipped():
    assert clipped(numbers(5, 300), high="50%", sample=numbers(None, None)).values.tolist() == [5, 300]


def test_a_dose_moves_the_limits_from_the_ends_of_the_sample():
    doses = [0, 0.01, 0.5, 1]
    assert clipped(numbers(300, 300, 300, 300), high="60%", dose=doses).values.tolist() == [300, 100, 80, 60]
    assert clipped(numbers(1, 1, 1, 1), low="40%", dose=doses).values.tolist() == [1, 10, 20, 40]


def test_each_value_is_clipped_by_its_own_dose_whatever_the_batch():
    values = numbers(*np.linspace(0, 200, 7))
    doses = [0.3, 1, 0, 0.3, 0.7, 1, 0.1]
    whole = clipped(values, high="40%", low="20%", dose=doses).values
    alone = [clipped(values.take(np.array([i])), high="40%", low="20%", dose=doses[i]).values[0] for i in range(7)]
    assert whole.tolist() == alone


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, "high or low"),
        ({"high": "20%", "low": "80%"}, "below high, 20%"),
        ({"high": "20%", "low": "20%"}, "below high, 20%"),
        ({"high": 1}, "less than 1"),
        ({"low": 0}, "greater than 0"),
    ],
)
def test_limits_that_clip_nothing_or_cross_are_refused(limits, expected):
    with pytest.raises(ValidationError, match=expected):
        clipped(SAMPLE, **limits)
