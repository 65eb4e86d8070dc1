from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.core.faults.contexts import numbers, sample_context

from alertdrill.core.faults.base import Timeline
from alertdrill.core.faults.sample.replayed_rows import ReplayedRows
from alertdrill.protocols.rows import Rows

SAMPLE = Rows({"amount": numbers(*range(100))})


def when(start: int, stop: int) -> Timeline:
    """Requests due at 0.25 s, 0.75 s, 1.25 s and so on."""
    index = np.arange(start, stop)
    return Timeline(index, (index + 0.5) / 2, lambda at: np.maximum(np.floor(at * 2 + 0.5).astype(np.int64) - 1, 0))


def choose(back: str, start: int, stop: int, touched: list[bool] | None = None) -> list[int]:
    fault = ReplayedRows.model_validate({"kind": "replayed_rows", "back": back, "share": 1})
    context = replace(sample_context(SAMPLE, stop - start, touched), timeline=when(start, stop))
    return fault.choose(np.arange(start, stop), context).tolist()


def test_rows_come_again_in_their_order_once_there_are_old_ones():
    assert choose("2s", 0, 9) == [0, 1, 2, 3, 0, 1, 2, 3, 4]


def test_untouched_requests_keep_their_row():
    assert choose("1s", 0, 6, [True, True, False, True, False, True]) == [0, 1, 2, 1, 4, 3]


def test_a_time_shorter_than_the_first_gap_still_gives_an_older_row():
    assert choose("100ms", 0, 4) == [0, 0, 1, 2]


def test_nothing_is_old_enough_in_a_phase_that_is_too_short():
    assert choose("60s", 0, 9) == list(range(9))


@settings(max_examples=40)
@given(start=st.integers(0, 20))
def test_a_request_gets_the_same_row_whatever_the_batch(start: int):
    assert choose("3s", start, 30) == choose("3s", 0, 30)[start:]


def test_the_time_is_above_zero_and_has_a_unit():
    for back in ("0s", 5):
        with pytest.raises(ValidationError):
            ReplayedRows.model_validate({"kind": "replayed_rows", "back": back, "share": 1})
