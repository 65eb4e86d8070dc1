import base64
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.core.recorded import Recorded, followed, pack, unpack
from alertdrill.core.timeline import ArrivalKind, Arrivals, arrival_times, further_times


@given(st.lists(st.integers(-(2**62), 2**62), max_size=50))
def test_packed_numbers_come_back(numbers: list[int]) -> None:
    assert unpack(pack(np.array(numbers, dtype=np.int64)), len(numbers)).tolist() == numbers


def test_a_text_of_another_length_is_refused() -> None:
    text = pack(np.arange(10))
    for count, got in ((9, "more"), (11, "fewer")):
        with pytest.raises(ValueError, match=f"got {got} bytes, expected {count * 8}"):
            unpack(text, count)
    for wrong in ("no base64", base64.b64encode(b"no zlib").decode()):
        with pytest.raises(ValueError):  # noqa: PT011
            unpack(wrong, 10)


def test_a_text_that_would_grow_without_bound_is_not_unpacked() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(1 << 26), 9)).decode()
    tracemalloc.start()
    with pytest.raises(ValueError, match="got more bytes, expected 80"):
        unpack(bomb, 10)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_minute_at_two_hundred_a_second_takes_a_few_bytes_a_request() -> None:
    at_us = np.cumsum(np.random.default_rng(1).exponential(5000, 12_000)).astype(np.int64)
    recorded = Recorded.of(at_us, 0)
    assert len(recorded.gaps_us) / len(at_us) < 3
    assert recorded.times() == pytest.approx(at_us / 1e6, abs=0)


def test_arrivals_are_those_that_were_recorded() -> None:
    recorded = Recorded.of(np.array([0, 1_000_000, 1_000_000, 59_999_999]), None)
    arrivals = Arrivals(kind=ArrivalKind.RECORDED, rate_per_s=4 / 60, recorded=recorded)
    assert arrival_times(arrivals, 1, 0, 60.0).tolist() == [0.0, 1.0, 1.0, 59.999999]
    assert arrival_times(arrivals, 2, 9, 30.0).tolist() == [0.0, 1.0, 1.0]
    assert arrivals.mean_per_s(30.0) == pytest.approx(0.1)
    assert Arrivals.model_validate_json(arrivals.model_dump_json()) == arrivals


def test_what_follows_recorded_arrivals_is_as_dense_as_they_are() -> None:
    assert followed(np.array([1.0, 3.0]), np.array([0.0, 0.25, 0.5, 1.0, 1.5, 1.75, 2.0]), 5.0).tolist() == [
        0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0,
    ]  # fmt: skip
    at_us = np.concatenate([np.arange(0, 10_000_000, 2_000), np.arange(10_000_000, 20_000_000, 20_000)])
    arrivals = Arrivals(kind=ArrivalKind.RECORDED, rate_per_s=275, recorded=Recorded.of(at_us, None))
    more = further_times(arrivals, 2.0, 5, 0, 20.0, "further")
    early, late = (more < 10).sum(), (more >= 10).sum()
    assert early == pytest.approx(10_000, abs=500)
    assert late == pytest.approx(1_000, abs=160)


def test_a_silent_stretch_has_nothing_further_either() -> None:
    arrivals = Arrivals(kind=ArrivalKind.RECORDED, rate_per_s=0, recorded=Recorded.of(np.array([], dtype=np.int64), 0))
    assert len(arrival_times(arrivals, 1, 0, 10.0)) == len(further_times(arrivals, 3.0, 1, 0, 10.0, "x")) == 0
