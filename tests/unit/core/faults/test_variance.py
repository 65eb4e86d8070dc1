import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.variance import Variance
from alertdrill.protocols.schema import FeatureKind

HOURS = numbers(0, 3, 8, 9, 11, 12, 13, 18, 23)
DISTANCES = np.abs(HOURS.values - HOURS.values.mean())


def spread_out(column, factor, kind=FeatureKind.NUMBER, **context):
    fault = Variance(kind="variance", features=("x",), share=0.2, factor=factor)
    return fault.edit_column(column, cell_context(column, kind=kind, **context)).values


def test_distances_from_the_mean_of_the_sample_are_multiplied():
    values = spread_out(numbers(14, 8, None), 3, sample=numbers(9, 11), touched=[True, False, True])
    assert values[:2].tolist() == [22, 8]


def test_the_mean_stays_and_the_standard_deviation_is_multiplied():
    column = numbers(*np.random.default_rng(5).lognormal(3, 1, 300))
    values = spread_out(column, 2.5)
    assert values.mean() == pytest.approx(column.values.mean())
    assert values.std() == pytest.approx(2.5 * column.values.std())


def test_a_factor_of_0_sends_the_mean_itself():
    assert spread_out(numbers(0.1, 0.2, 12.34), 0).tolist() == [numbers(0.1, 0.2, 12.34).values.mean()] * 3


def test_a_dose_moves_the_factor_from_1():
    assert spread_out(numbers(14, 14, 14), 3, sample=numbers(10), dose=[0, 0.5, 1]).tolist() == [14, 18, 22]


def test_dose_0_is_the_value_to_the_last_bit():
    column = numbers(0.1, 19.99, 1e-7, 3e9)
    assert spread_out(column, 3, dose=0).tolist() == column.values.tolist()


@settings(max_examples=50)
@given(factor=st.floats(1.01, 20))
def test_every_widened_integer_moves_away_from_the_mean(factor):
    values = spread_out(HOURS, factor, FeatureKind.INTEGER)
    assert (np.abs(values - HOURS.values.mean()) > DISTANCES).all()


@settings(max_examples=50)
@given(factor=st.floats(0, 0.99))
def test_no_narrowed_integer_ends_farther_from_the_mean(factor):
    values = spread_out(HOURS, factor, FeatureKind.INTEGER)
    assert (np.abs(values - HOURS.values.mean()) <= DISTANCES).all()
    assert values.tolist() == np.trunc(values).tolist()


@pytest.mark.parametrize("factor", [1, -2, "wide"])
def test_a_factor_that_does_nothing_or_is_none_is_refused(factor):
    with pytest.raises(ValidationError):
        spread_out(HOURS, factor)
