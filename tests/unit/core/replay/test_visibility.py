import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from worded import series

from alertdrill.core.recording import STALE
from alertdrill.core.replay.visibility import (
    NEVER,
    STORED_AFTER_MS,
    Scrapes,
    batches,
    bounds,
    near,
    races,
    scrapes_by_target,
)

TARGET = {"job": "model", "instance": "m:1"}


def scrapes(*took_ms: int, every_ms: int = 1000) -> Scrapes:
    """Scrapes from instant 0 on that take so long, the time until they are stored included."""
    at = np.arange(len(took_ms), dtype=np.int64) * every_ms
    return Scrapes(at, np.maximum.accumulate(at + np.array(took_ms, dtype=np.int64)))


def instants(*at: int) -> np.ndarray:
    return np.array(at, dtype=np.int64)


def test_a_sample_is_seen_when_its_scrape_is_over_and_stored() -> None:
    up = series("up", [0, 1000, 2000], **TARGET)
    took = series("scrape_duration_seconds", [0, 1000, 2000], [0.010, 0.4005, 0.010], **TARGET)
    found = scrapes_by_target([up, took])["model", "m:1"]
    assert found.seen_ms.tolist() == [10 + STORED_AFTER_MS, 1401 + STORED_AFTER_MS, 2010 + STORED_AFTER_MS]
    assert found.seen(instants(1000, 1500)).tolist() == [1404, 1500]


def test_the_markers_of_a_target_that_left_are_seen_late() -> None:
    found = scrapes_by_target([series("up", [0, 1000, 2000], [1.0, 1.0, STALE], **TARGET)])["model", "m:1"]
    assert found.seen_ms.tolist() == [3, 1003, 2000 + 1100 + STORED_AFTER_MS]


def test_an_evaluation_during_a_scrape_must_not_see_it() -> None:
    least, below = bounds(instants(1005, 1500), instants(1005, 1500), [scrapes(10, 400)])
    assert (least.tolist(), below.tolist()) == ([10, 1400], [1400, NEVER])


def test_what_counts_is_when_the_evaluation_began_and_which_instant_it_is_about() -> None:
    """One that began late sees what was stored meanwhile, but nothing stamped after its instant."""
    least, below = bounds(instants(1005, 1999), instants(1450, 2050), [scrapes(10, 400, 10)])
    assert (least.tolist(), below.tolist()) == ([1400, 1400], [NEVER, NEVER])


def test_instants_that_need_the_same_samples_are_asked_together() -> None:
    hanging, healthy = scrapes(10, 3500, 3500, 3500), scrapes(*[10] * 6)
    found = batches(instants(500, 1500, 2500, 3500, 5500), instants(500, 1500, 2500, 3500, 5500), [hanging, healthy])
    assert [(one.begin, one.end, one.stored_ms) for one in found] == [(0, 4, 3010), (4, 5, 5500)]


def test_nothing_races_where_every_scrape_is_over_in_time() -> None:
    assert not races(instants(500, 1500), instants(500, 1500), [scrapes(10, 10)])
    assert races(instants(500, 1005), instants(500, 1005), [scrapes(10, 10)])


@given(
    st.lists(st.integers(1, 2500), min_size=1, max_size=8),
    st.lists(st.integers(1, 900), min_size=1, max_size=8),
    st.lists(st.integers(0, 9000), min_size=1, max_size=12, unique=True),
    st.integers(0, 300),
)
def test_in_every_batch_each_instant_sees_what_it_saw_live(
    some: list[int], others: list[int], at: list[int], late: int
) -> None:
    targets = [scrapes(*some), scrapes(*others)]
    points = instants(*sorted(at))
    found = batches(points, points + late, targets)
    assert [one.stored_ms for one in found] == sorted(one.stored_ms for one in found)
    for batch in found:
        for point in points[batch.begin : batch.end]:
            for target in targets:
                stamped = target.at_ms <= point
                live = stamped & (target.seen_ms <= point + late)
                assert (stamped & (target.seen_ms <= batch.stored_ms)).tolist() == live.tolist()
    assert [one.begin for one in found] == [0, *(one.end for one in found[:-1])]
    assert found[-1].end == len(points)


def test_an_instant_right_at_the_end_of_a_scrape_may_have_gone_either_way() -> None:
    target = scrapes(10 + STORED_AFTER_MS)
    points = instants(4, 6, 14, 16)
    assert near(points, points, points, [target]).tolist() == [6, 14]


def test_a_rule_begins_somewhere_in_its_group_s_evaluation_and_a_busy_host_stores_as_late_as_it_evaluates() -> None:
    target = scrapes(1055 + STORED_AFTER_MS, every_ms=5000)
    point = instants(1000)
    assert near(point, instants(1000), instants(1000), [target]).tolist() == []
    assert near(point, instants(1000), instants(1052), [target]).tolist() == [1000]
    assert near(point, instants(1020), instants(1030), [target]).tolist() == []
    assert near(point, instants(1020), instants(1040), [target]).tolist() == [1000]
