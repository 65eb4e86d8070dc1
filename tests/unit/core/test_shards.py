import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.core.errors import BadValue
from alertdrill.core.shards import Shard, shares

LENGTHS = st.lists(st.floats(1, 900), max_size=30)


@given(LENGTHS, st.integers(1, 12))
def test_every_drill_is_in_exactly_one_share_and_in_order(lengths: list[float], count: int) -> None:
    found = shares(lengths, count)
    assert len(found) == count
    assert sorted(position for one in found for position in one) == list(range(len(lengths)))
    assert all(list(one) == sorted(one) for one in found)


@given(LENGTHS, st.integers(1, 12))
def test_no_share_takes_longer_than_a_fair_one_and_one_drill_more(lengths: list[float], count: int) -> None:
    loads = [sum(lengths[position] for position in one) for one in shares(lengths, count)]
    assert max(loads) <= sum(lengths) / count + max(lengths, default=0.0) + 1e-6


@given(LENGTHS, st.integers(1, 12))
def test_the_same_list_is_always_divided_alike(lengths: list[float], count: int) -> None:
    assert shares(lengths, count) == shares(list(lengths), count)


def test_long_drills_are_kept_apart() -> None:
    assert shares([100, 10, 100, 10], 2) == ((0, 1), (2, 3))
    assert shares([60, 50, 40, 30], 2) == ((0, 3), (1, 2))


def test_drills_of_no_length_are_spread_too() -> None:
    assert [len(one) for one in shares([0.0] * 6, 3)] == [2, 2, 2]


def test_a_share_is_written_as_one_of_several() -> None:
    assert Shard.parse("2/5") == Shard(2, 5)
    assert str(Shard(2, 5)) == "2/5"


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b", "1.0/2", "1 / 2", "²/3"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="K/N"):
        Shard.parse(text)
