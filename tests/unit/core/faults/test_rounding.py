import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.rounding import Rounding
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind


def rounded(column, to, kind=FeatureKind.NUMBER, touched=None):
    fault = Rounding(kind="rounding", features=("x",), share=0.2, to=to)
    return fault.edit_column(column, cell_context(column, touched, kind))


def test_touched_values_are_rounded_to_the_step_halves_away_from_zero():
    column = numbers(12.5, -12.5, 12.5, 0.2, None)
    result = rounded(column, 1, touched=[True, True, False, True, True])
    assert cell_texts(result, FeatureKind.NUMBER) == [b"13.0", b"-13.0", b"12.5", b"0.0", b"null"]
    assert column.values[0] == 12.5


@pytest.mark.parametrize(
    ("to", "value", "text"),
    [
        (10, 1234.5, b"1230.0"),
        (0.5, 12.3, b"12.5"),
        (0.1, 0.34, b"0.3"),
        (0.1, 0.15, b"0.2"),
        (0.25, 7.1, b"7.0"),
        (1000, 499, b"0.0"),
        (1, -0.4, b"0.0"),
    ],
)
def test_a_step_gives_the_decimal_that_one_would_write(to, value, text):
    assert cell_texts(rounded(numbers(value), to), FeatureKind.NUMBER) == [text]


def test_integers_are_whole_at_the_end():
    result = rounded(numbers(12, 14, 37), 2.5, FeatureKind.INTEGER)
    assert cell_texts(result, FeatureKind.INTEGER) == [b"13", b"15", b"38"]


@settings(max_examples=50)
@given(value=st.floats(-1e6, 1e6), to=st.sampled_from([0.01, 0.1, 0.3, 1.0, 2.5, 60.0]))
def test_no_value_moves_by_more_than_half_a_step_and_rounding_again_moves_nothing(value, to):
    once = rounded(numbers(value), to)
    assert abs(once.values[0] - value) <= to / 2 * (1 + 1e-6)
    assert rounded(once, to).values.tolist() == once.values.tolist()


@pytest.mark.parametrize("to", [0, -1, 1e-12, float("inf"), "10"])
def test_what_is_no_step_is_refused(to):
    with pytest.raises(ValidationError):
        rounded(numbers(1), to)
