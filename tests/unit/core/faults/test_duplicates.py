from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.core.faults.contexts import numbers, sample_context, timeline

from alertdrill.core.faults.sample.duplicates import Duplicates
from alertdrill.protocols.rows import Rows

SAMPLE = Rows({"amount": numbers(*range(100))})


def fault(times: int = 3) -> Duplicates:
    return Duplicates(kind="duplicates", times=times, share=1)


def test_every_row_comes_so_many_times_in_a_row():
    positions = np.arange(8)
    assert fault(3).choose(positions, sample_context(SAMPLE, 8)).tolist() == [0, 0, 0, 3, 3, 3, 6, 6]
    assert positions.tolist() == list(range(8))


def test_untouched_requests_keep_their_row():
    touched = [True, False, True, True, True, False]
    assert fault(3).choose(np.arange(6), sample_context(SAMPLE, 6, touched)).tolist() == [0, 1, 0, 3, 3, 5]


def test_the_first_of_a_run_keeps_what_an_earlier_fault_gave_it():
    assert fault(2).choose(np.array([50, 51, 52, 53]), sample_context(SAMPLE, 4)).tolist() == [50, 0, 52, 2]


@settings(max_examples=40)
@given(start=st.integers(0, 20), times=st.integers(2, 7))
def test_a_request_gets_the_same_row_whatever_the_batch(start: int, times: int):
    whole = fault(times).choose(np.arange(30), sample_context(SAMPLE, 30))
    part = replace(sample_context(SAMPLE, 30 - start), timeline=timeline(30 - start, start=start))
    assert fault(times).choose(np.arange(start, 30), part).tolist() == whole[start:].tolist()


@pytest.mark.parametrize("times", [1, 0, 1001, 2.5, True, "3"])
def test_a_row_comes_twice_at_least_and_a_whole_number_of_times(times: object):
    with pytest.raises(ValidationError):
        Duplicates.model_validate({"kind": "duplicates", "times": times, "share": 1})
