import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.uniform_noise import UniformNoise
from alertdrill.protocols.schema import FeatureKind

N = 4000
FLAT = numbers(*[50.0] * N)


def noisy(column, width, kind=FeatureKind.NUMBER, **context):
    fault = UniformNoise(kind="uniform_noise", features=("x",), share=0.2, width=width)
    return fault.edit_column(column, cell_context(column, kind=kind, **context)).values


def test_the_noise_is_uniform_between_both_ends_of_the_width():
    noise = (noisy(FLAT, 4) - 50) / 4
    assert np.abs(noise).max() <= 1
    for edge in (-0.9, -0.5, 0.0, 0.5, 0.9):
        below = (1 + edge) / 2
        assert (noise < edge).mean() == pytest.approx(below, abs=4 * (below * (1 - below) / N) ** 0.5)


def test_sd_counts_standard_deviations_of_the_sample():
    assert noisy(FLAT, "2sd", sample=numbers(0, 10, 20)).tolist() == noisy(FLAT, 20).tolist()


def test_untouched_values_and_nulls_stay_and_every_touched_one_changes():
    column = numbers(1.5, 2.5, None, 3.5)
    values = noisy(column, 1, touched=[True, False, True, True])
    assert values[0] != 1.5
    assert values[1] == 2.5
    assert np.isnan(values[2])
    assert values[3] != 3.5
    assert column.values[0] == 1.5


def test_a_dose_scales_the_noise_and_0_is_the_value_itself():
    full, half = (noisy(FLAT, 4, dose=dose) - 50 for dose in (1.0, 0.5))
    assert half == pytest.approx(full / 2)
    assert noisy(numbers(0.1, 0.2), 4, dose=0).tolist() == [0.1, 0.2]


def test_integers_stay_whole_and_move_by_at_least_1():
    assert set(noisy(FLAT, 0.4, FeatureKind.INTEGER).tolist()) == {49, 51}
    assert set(noisy(FLAT, 2.4, FeatureKind.INTEGER).tolist()) == {48, 49, 51, 52}


@pytest.mark.parametrize("width", [0, -1, "-1sd", "wide"])
def test_a_size_that_is_not_above_0_is_refused(width):
    with pytest.raises(ValidationError):
        noisy(FLAT, width)
