from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.gaussian_noise import GaussianNoise
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import FeatureKind

N = 20_000
FLAT = numbers(*[50.0] * N)


def noisy(column, sd, kind=FeatureKind.NUMBER, **context):
    fault = GaussianNoise(kind="gaussian_noise", features=("x",), share=0.2, sd=sd)
    return fault.edit_column(column, cell_context(column, kind=kind, **context)).values


def test_the_noise_is_normal_with_mean_0_and_the_given_standard_deviation():
    noise = (noisy(FLAT, 4) - 50) / 4
    assert noise.mean() == pytest.approx(0, abs=4 / N**0.5)
    assert noise.std() == pytest.approx(1, abs=4 / (2 * N) ** 0.5)
    for z, below in ((-1.96, 0.025), (-0.6745, 0.25), (0.6745, 0.75), (1.96, 0.975)):
        assert (noise < z).mean() == pytest.approx(below, abs=4 * (below * (1 - below) / N) ** 0.5)


def test_sd_counts_standard_deviations_of_the_sample():
    sample = numbers(0, 10, 20)
    assert noisy(FLAT, "2sd", sample=sample).tolist() == noisy(FLAT, 20).tolist()


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
    assert half.tolist() == (full / 2).tolist()
    assert noisy(numbers(0.1, 0.2), 4, dose=0).tolist() == [0.1, 0.2]


def test_integers_stay_whole_and_move_by_at_least_1():
    values = noisy(FLAT, 0.2, FeatureKind.INTEGER)
    assert set(values.tolist()) == {49, 51}


def test_a_value_has_the_same_noise_whatever_the_batch():
    context = cell_context(FLAT)
    draws = {name: context.draws(name) for name in ("radius", "angle")}
    fault = GaussianNoise(kind="gaussian_noise", features=("x",), share=0.2, sd=4)
    whole = fault.edit_column(FLAT, context).values
    for start, stop in ((0, 1), (1, 4), (5, 12), (100, 133)):
        part = FLAT.take(np.arange(start, stop))
        of_part = replace(cell_context(part), draws=lambda name, at=slice(start, stop): draws[name][at])
        assert fault.edit_column(part, of_part).values.tolist() == whole[start:stop].tolist()


def test_absent_keys_and_raw_bytes_stay():
    column = numbers(1.5, 2.5).with_cells(np.array([True, False]), Cell.MISSING)
    column = column.with_raw(np.array([False, True]), b"NaN")
    fault = GaussianNoise(kind="gaussian_noise", features=("x",), share=0.2, sd=4)
    assert fault.edit_column(column, cell_context(column, sample=FLAT)).cells.tolist() == [Cell.MISSING, Cell.RAW]


@pytest.mark.parametrize("sd", [0, -1, "-1sd", "wide"])
def test_a_size_that_is_not_above_0_is_refused(sd):
    with pytest.raises(ValidationError):
        noisy(FLAT, sd)
