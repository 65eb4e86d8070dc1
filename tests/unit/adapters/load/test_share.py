"""Tests of who sends what."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.adapters.load.payload_hash import HASH_EVERY
from alertdrill.adapters.load.share import ALL, CHUNK, Share


@given(st.integers(0, 1000), st.integers(1, 7))
def test_every_request_belongs_to_one_worker(count: int, of: int) -> None:
    parts = [Share(worker, of).indexes(count).tolist() for worker in range(of)]
    assert sorted(index for part in parts for index in part) == list(range(count))


@given(st.integers(0, 1000), st.integers(1, 7), st.data())
def test_positions_and_numbers_agree(count: int, of: int, data: st.DataObject) -> None:
    share = Share(data.draw(st.integers(0, of - 1)), of)
    assert share.at(np.arange(len(share.indexes(count)))).tolist() == share.indexes(count).tolist()


def test_chunks_are_dealt_out_in_turn() -> None:
    assert Share(1, 3).indexes(4 * CHUNK + 1).tolist() == [*range(CHUNK, 2 * CHUNK), 4 * CHUNK]


def test_one_process_sends_all() -> None:
    assert ALL.indexes(100).tolist() == list(range(100))


def test_the_hash_is_read_between_chunks() -> None:
    assert HASH_EVERY % CHUNK == 0
