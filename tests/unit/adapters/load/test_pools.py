"""Tests of the stocks of requests built ahead."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from alertdrill.adapters.load.pools import MAX_AHEAD, MOST_AT_ONCE, MOST_BYTES, Stocks
from alertdrill.adapters.load.request import Combinations
from alertdrill.adapters.load.share import CHUNK, Share
from alertdrill.core.payloads import Block

COMBINATIONS = Combinations()


class Builder:
    """Builds bodies that name themselves; `cost_s` passes on its clock for each block."""

    def __init__(self, cost_s: float = 0.001) -> None:
        self.cost_s = cost_s
        self.now = 0.0
        self.blocks: list[tuple[int, int, int]] = []

    def clock(self) -> float:
        return self.now

    def of(self, k: int, numbers: NDArray[np.int64]) -> Block:
        self.now += self.cost_s
        self.blocks.append((k, int(numbers[0]), int(numbers[-1]) + 1))
        touched = {"even": numbers % 2 == 0, "third": numbers % 3 == 0}
        return Block([b"%d.%d" % (k, i) for i in numbers], {}, touched, np.ones(len(numbers), dtype=bool))


def _times(count: int, rate_per_s: float = 100.0) -> list[float]:
    return [(n + 1) / rate_per_s for n in range(count)]


def _stocks(builder: Builder, *counts: int, rate_per_s: float = 100.0) -> Stocks:
    times = [_times(count, rate_per_s) for count in counts]
    return Stocks(builder, _encode, times, COMBINATIONS, builder.clock)


def _encode(k: int, indices: range, bodies: Sequence[bytes], types: Mapping[int, str]) -> list[bytes]:
    return [b"head " + body for body in bodies]


def test_requests_come_in_order_each_once() -> None:
    stock = _stocks(Builder(), 100).begin(0)
    taken = [stock.take() for _ in range(100)]
    assert [request.index for request in taken] == list(range(100))
    assert taken[7].data == b"head 0.7"
    assert taken[7].body == b"0.7"


def test_a_request_knows_every_injection_that_touched_it() -> None:
    stock = _stocks(Builder(), 100).begin(0)
    numbers = np.array([stock.take().touched for _ in range(7)])
    touched = {injection: own.tolist() for injection, own in COMBINATIONS.by_injection(numbers)}
    assert touched == {"even": [0, 2, 4, 6], "third": [0, 3, 6]}
    assert numbers[1] == numbers[5] == 0


def test_the_last_chunk_ends_with_the_segment() -> None:
    builder = Builder()
    stock = _stocks(builder, CHUNK + 3).begin(0)
    for _ in range(CHUNK + 3):
        stock.take()
    assert builder.blocks == [(0, 0, 1), (0, 1, CHUNK + 1), (0, CHUNK + 1, CHUNK + 3)]
    assert not stock.wants()


def test_a_share_is_built_of_its_own_chunks() -> None:
    builder, share = Builder(), Share(1, 3)
    count = len(share.indexes(5 * CHUNK + 3))
    stocks = Stocks(builder, _encode, [_times(count)], COMBINATIONS, builder.clock, share)
    stock = stocks.begin(0)
    assert [stock.take().index for _ in range(count)] == [*range(CHUNK, 2 * CHUNK), *range(4 * CHUNK, 5 * CHUNK)]
    assert builder.blocks == [(0, CHUNK, CHUNK + 1), (0, CHUNK + 1, 4 * CHUNK + 1), (0, 4 * CHUNK + 1, 5 * CHUNK)]


def test_of_long_requests_few_are_ready() -> None:
    builder, size = Builder(), MOST_BYTES // 20
    stocks = Stocks(
        builder, lambda k, i, bodies, types: [bytes(size)] * len(bodies), [_times(1000)], COMBINATIONS, builder.clock
    )
    stocks.prepare()
    assert [stop - start for _, start, stop in builder.blocks] == [1] + [2] * 10
    stock = stocks.begin(0)
    assert [stock.take().index for _ in range(30)] == list(range(30))


def test_no_more_is_built_ahead_than_the_limit() -> None:
    builder = Builder()
    _stocks(builder, 100_000, rate_per_s=50_000.0).prepare()
    assert MAX_AHEAD <= builder.blocks[-1][2] < MAX_AHEAD + MOST_AT_ONCE


@pytest.mark.parametrize(("rate_per_s", "at_once"), [(100.0, CHUNK), (2000.0, 200), (50_000.0, MOST_AT_ONCE)])
def test_as_many_are_built_at_once_as_are_due_in_a_tenth_of_a_second(rate_per_s: float, at_once: int) -> None:
    builder = Builder()
    stock = _stocks(builder, 100_000, rate_per_s=rate_per_s).begin(0)
    stock.grow()
    stock.grow()
    assert builder.blocks == [(0, 0, 1), (0, 1, 1 + at_once)]


def test_a_chunk_is_built_only_where_it_fits_between_two_arrivals() -> None:
    builder = Builder(cost_s=0.001)
    stocks = _stocks(builder, 1000)
    stock = stocks.begin(0)
    stocks.refill(1.0)
    stocks.refill(1.0)
    before = len(builder.blocks)
    assert not stock.urgent()
    stocks.refill(0.0005)
    assert len(builder.blocks) == before
    stocks.refill(0.002)
    assert len(builder.blocks) == before + 1


def test_an_almost_empty_stock_is_refilled_without_a_gap() -> None:
    builder = Builder()
    stocks = _stocks(builder, 1000)
    stock = stocks.begin(0)
    stocks.refill(1.0)
    while not stock.urgent():
        stock.take()
    before = len(builder.blocks)
    stocks.refill(0.0)
    assert len(builder.blocks) == before + 1


def test_the_segment_after_the_running_one_is_built_ahead_too() -> None:
    builder = Builder()
    stocks = _stocks(builder, 40, 1000, 1000)
    stocks.begin(0)
    for _ in range(20):
        stocks.refill(1.0)
    assert {k for k, _, _ in builder.blocks} == {0, 1}


def test_an_announced_segment_is_built_even_if_one_is_skipped() -> None:
    builder = Builder()
    stocks = _stocks(builder, 40, 40, 40)
    stocks.begin(0)
    stocks.expect(2)
    for _ in range(20):
        stocks.refill(1.0)
    assert {k for k, _, _ in builder.blocks} == {0, 1, 2}
    assert stocks.begin(2).take().body == b"2.0"


@pytest.mark.parametrize("count", [0, 1])
def test_segments_of_hardly_any_request_are_fine(count: int) -> None:
    stocks = _stocks(Builder(), count)
    stocks.prepare()
    stocks.refill(1.0)
    assert not stocks.begin(0).wants()
