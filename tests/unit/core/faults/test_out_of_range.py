import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.out_of_range import OutOfRange
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import FeatureKind

SAMPLE = numbers(0, 50, 200, None)


def moved_out(column, side="above", by=0.1, kind=FeatureKind.NUMBER, touched=None, sample=SAMPLE):
    fault = OutOfRange(kind="out_of_range", features=("x",), share=0.2, side=side, by=by)
    return fault.edit_column(column, cell_context(column, touched, kind, sample))


def test_touched_values_lie_beyond_the_range_by_a_part_of_it():
    column = numbers(12.5, 12.5, None)
    above = moved_out(column, "above", "10%", touched=[True, False, True])
    assert cell_texts(above, FeatureKind.NUMBER) == [b"220.0", b"12.5", b"null"]
    assert moved_out(column, "below", "25%").values[0] == -50
    assert column.values[0] == 12.5


def test_integers_land_on_the_next_whole_number_outwards():
    hours = numbers(*range(24))
    assert moved_out(numbers(3), "above", 0.01, FeatureKind.INTEGER, sample=hours).values.tolist() == [24]
    assert moved_out(numbers(3), "below", 0.01, FeatureKind.INTEGER, sample=hours).values.tolist() == [-1]


def test_a_value_of_zero_is_written_without_a_sign():
    assert cell_texts(moved_out(numbers(5), "below", sample=numbers(1, 11)), FeatureKind.NUMBER) == [b"0.0"]


def test_a_constant_feature_has_an_outside_too():
    assert moved_out(numbers(7), "above", sample=numbers(7, 7)).values[0] == pytest.approx(7.7)
    assert moved_out(numbers(0), "below", sample=numbers(0)).values[0] == pytest.approx(-0.1)


@settings(max_examples=50)
@given(
    sample=st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=4),
    by=st.floats(1e-300, 1),
    side=st.sampled_from(["above", "below"]),
    kind=st.sampled_from([FeatureKind.INTEGER, FeatureKind.NUMBER]),
)
def test_what_a_request_holds_is_strictly_outside(sample, by, side, kind):
    column = moved_out(numbers(sample[0]), side, by, kind, sample=numbers(*sample))
    written = float(cell_texts(column, kind)[0])
    assert written > max(sample) if side == "above" else written < min(sample)


def test_absent_keys_and_raw_bytes_stay():
    column = numbers(1.5, 2.5).with_cells(np.array([True, False]), Cell.MISSING)
    column = column.with_raw(np.array([False, True]), b"NaN")
    assert cell_texts(moved_out(column), FeatureKind.NUMBER) == [b"", b"NaN"]


@pytest.mark.parametrize("by", [0, -0.1, 2])
def test_a_part_that_is_not_above_0_or_more_than_the_whole_is_refused(by):
    with pytest.raises(ValidationError):
        moved_out(SAMPLE, by=by)
