import numpy as np

from alertdrill.core.history.gaps import joined, length_ms, outages, outside, scrape_gaps, within
from alertdrill.core.history.spans import BLOCK_MS, DAY_MS, HEAD_MS, LEAST_CHUNK_MS, MOST_SAMPLES, Chunk, blocks, spans
from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import STALE

DAY = DAY_MS


def up(*times: int, markers: tuple[int, ...] = ()) -> RawSeries:
    values = [STALE if at in markers else 1.0 for at in times]
    labels = {"__name__": "up", "job": "model", "instance": "m:0"}
    return RawSeries(labels, np.array(times, dtype=np.int64), np.array(values))


def test_a_gap_is_more_than_one_and_a_half_intervals_without_a_scrape() -> None:
    assert scrape_gaps([up(0, 10, 20, 35, 51, 61)]) == {("model", "m:0"): ((35, 51),)}


def test_a_target_that_was_taken_away_leaves_no_gap() -> None:
    assert scrape_gaps([up(0, 10, 20, 30, 90, 100, markers=(30,))]) == {("model", "m:0"): ()}


def test_an_engine_was_out_where_it_had_no_sample_at_all() -> None:
    present = np.array([0, 300, 600, 1500, 1800])
    assert outages(present, 300, 0, 1800, 300) == ((600, 1500),)
    assert outages(np.array([], dtype=np.int64), 300, 0, 1800, 300) == ()


def test_intervals_are_joined_cut_and_left_out() -> None:
    assert joined([(5, 8), (0, 2), (2, 3), (6, 7)]) == ((0, 3), (5, 8))
    assert within([(0, 3), (5, 8)], 2, 6) == ((2, 3), (5, 6))
    assert length_ms(((2, 3), (5, 6))) == 2
    assert outside(np.array([0, 2, 3, 5, 8]), ((0, 3), (5, 8))).tolist() == [3, 8]


def test_blocks_begin_at_the_same_instants_whatever_is_asked_for() -> None:
    assert list(blocks(BLOCK_MS + 5, 2 * BLOCK_MS)) == [
        Chunk(BLOCK_MS, 2 * BLOCK_MS),
        Chunk(2 * BLOCK_MS, 3 * BLOCK_MS),
    ]
    assert next(blocks(2 * BLOCK_MS - 1, 5 * BLOCK_MS)) == Chunk(BLOCK_MS, 2 * BLOCK_MS)


def test_parts_of_a_block_go_down_to_days() -> None:
    parts = list(Chunk(0, BLOCK_MS).parts())
    assert sorted({one.length_ms // DAY for one in parts}) == [1, 2, 4]
    assert len(parts) == 14
    assert Chunk(0, 5).cut(Chunk(3, 9)) == Chunk(3, 5)
    assert Chunk(0, 3).cut(Chunk(3, 9)) is None


def test_halves_make_the_whole_and_end_at_eleven_minutes() -> None:
    one = Chunk(0, DAY)
    depth = 0
    while (halves := one.halves()) is not None:
        assert (halves[0].begin_ms, halves[0].end_ms, halves[1].end_ms) == (
            one.begin_ms,
            halves[1].begin_ms,
            one.end_ms,
        )
        one, depth = halves[0], depth + 1
    assert (depth, one.end_ms) == (7, LEAST_CHUNK_MS)


def test_spans_follow_each_other_and_only_the_range_is_exact() -> None:
    found = spans(0, 30 * DAY, 30 * DAY + 100, DAY, 2 * MOST_SAMPLES + 1)
    assert [one.exact for one in found] == [False, False, False, True]
    assert found[0].begin_ms == 0
    assert [one.end_ms for one in found[:-1]] == [one.begin_ms for one in found[1:]]
    assert found[-1].end_ms == 30 * DAY + 101
    assert all(one.begin_ms - one.warm_ms == DAY for one in found)


def test_no_span_is_longer_than_an_engine_can_hold() -> None:
    assert all(one.end_ms - one.warm_ms <= HEAD_MS for one in spans(0, 365 * DAY, 366 * DAY, 20 * DAY, 1)[:-1])


def test_without_history_there_is_the_range_alone() -> None:
    assert len(spans(70, 50, 100, 10, 0)) == 1
