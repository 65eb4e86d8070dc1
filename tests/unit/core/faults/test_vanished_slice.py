import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.core.faults.contexts import numbers, sample_context, texts

from alertdrill.core.faults.sample.vanished_slice import VanishedSlice
from alertdrill.protocols.rows import Rows

SAMPLE = Rows({"country": texts("DE", "FR", "DE", None, "CH"), "amount": numbers(10, 200, 300, 40, None)})


def fault(**rows: object) -> VanishedSlice:
    return VanishedSlice.model_validate({"kind": "vanished_slice", "rows": rows, "share": 1})


@settings(max_examples=40)
@given(positions=st.lists(st.integers(0, 4), min_size=1, max_size=30), seed=st.integers(0, 99))
def test_the_slice_is_gone_and_every_other_row_stays(positions: list[int], seed: int):
    given_ = np.array(positions)
    chosen = fault(country="DE").choose(given_, sample_context(SAMPLE, len(positions), seed=seed))
    assert not np.isin(chosen, [0, 2]).any()
    kept = np.isin(given_, [1, 3, 4])
    assert chosen[kept].tolist() == given_[kept].tolist()
    assert given_.tolist() == positions


def test_untouched_requests_keep_their_row_of_the_slice():
    chosen = fault(country="DE").choose(np.array([0, 2, 0]), sample_context(SAMPLE, 3, [False, True, False]))
    assert chosen[[0, 2]].tolist() == [0, 0]
    assert chosen[1] in (1, 3, 4)


def test_all_conditions_must_hold():
    chosen = fault(country="DE", amount="> 100").choose(np.arange(5), sample_context(SAMPLE, 5))
    assert chosen[[0, 1, 3, 4]].tolist() == [0, 1, 3, 4]
    assert chosen[2] != 2


def test_those_who_come_instead_are_every_other_row_alike():
    chosen = fault(country="DE").choose(np.zeros(6000, dtype=np.int64), sample_context(SAMPLE, 6000))
    assert np.all(np.abs(np.bincount(chosen, minlength=5)[[1, 3, 4]] - 2000) < 200)


def test_where_no_other_row_is_left_every_request_keeps_its_row():
    sample = Rows({"country": texts("DE", "DE")})
    assert fault(country="DE").choose(np.array([1, 0]), sample_context(sample, 2)).tolist() == [1, 0]


def test_a_slice_needs_a_condition():
    with pytest.raises(ValidationError, match="at least one feature"):
        fault()
