from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.core.faults.arrivals import arrival_context, planned

from alertdrill.core.faults.arrival.retry_storm import RetryStorm


def fault(**fields: object) -> RetryStorm:
    return RetryStorm.model_validate({"kind": "retry_storm", "share": 0.3, **fields})


@settings(max_examples=40)
@given(retries=st.integers(1, 5), seed=st.integers(0, 99))
def test_each_touched_request_comes_again_so_often_and_the_others_never(retries: int, seed: int):
    at = planned(1.0, 30.0, seed=seed)
    context = arrival_context(at, 60.0, share=lambda at: np.full(len(at), 0.3), seed=seed)
    change = fault(retries=retries, after="200ms").change(at, context)
    assert np.bincount(change.repeats, minlength=len(at)).tolist() == (retries * context.touched).tolist()
    assert not change.lost.any()
    for original in context.touched.nonzero()[0]:
        attempts = np.sort(change.at[change.repeats == original])
        gaps = np.diff([at[original], *attempts])
        assert np.all((gaps >= 0.1 - 1e-9) & (gaps < 0.3 + 1e-9))


def test_the_mean_gap_is_the_one_asked_for_and_clients_do_not_march_in_step():
    at = planned(10.0)
    change = fault(retries=1, after="1s").change(at, arrival_context(at))
    gaps = change.at - at[change.repeats]
    assert abs(gaps.mean() - 1.0) < 5 * np.sqrt(1 / 12 / len(gaps))
    assert len(np.unique(gaps.round(6))) > 0.9 * len(gaps)


def test_the_attempts_of_a_request_are_drawn_apart():
    at = planned(10.0)
    change = fault(retries=2, after="1s").change(at, arrival_context(at))
    first, second = change.at.reshape(2, -1)
    assert abs(np.corrcoef(first - at, second - first)[0, 1]) < 0.2


def test_what_is_due_after_the_end_is_not_sent():
    at = np.array([0.0, 9.5])
    change = fault(retries=4, after="1s").change(at, arrival_context(at, 10.0))
    assert change.at.max() < 10.0
    assert np.bincount(change.repeats, minlength=2)[0] == 4
    assert np.bincount(change.repeats, minlength=2)[1] <= 1
    assert change.repeats.shape == change.at.shape


def test_touching_more_moves_no_retry():
    at = planned(2.0, 20.0)
    few = replace(arrival_context(at), touched=np.arange(len(at)) % 3 == 0)
    some, every = (fault().change(at, context).at.tolist() for context in (few, arrival_context(at)))
    assert set(some) < set(every)


def test_without_a_touched_request_nothing_is_sent_again():
    at = planned(2.0)
    change = fault().change(at, arrival_context(at, share=np.zeros_like))
    assert (len(change.at), len(change.repeats)) == (0, 0)
    assert change.repeats.dtype == np.int64


@pytest.mark.parametrize("fields", [{"retries": 0}, {"retries": 101}, {"retries": 1.5}, {"after": "0s"}, {"after": 2}])
def test_a_storm_has_retries_and_a_time_between_them(fields: dict[str, object]):
    with pytest.raises(ValidationError):
        fault(**fields)
