import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertdrill.core.observations import RawSeries
from alertdrill.core.promql import selectors
from alertdrill.core.recording import (
    STALE,
    RecordedGroup,
    Recording,
    Source,
    from_json,
    is_stale,
    merge,
    to_json,
    with_inferred_markers,
)

LABELS = st.dictionaries(st.sampled_from(["__name__", "job", "instance", "le"]), st.text(max_size=5), min_size=1)
VALUES = st.floats() | st.just(float(STALE)) | st.integers(0, 2**60).map(float)


@st.composite
def raw_series(draw: st.DrawFn) -> RawSeries:
    times = draw(st.lists(st.integers(0, 2**42), unique=True, max_size=8))
    values = draw(st.lists(VALUES, min_size=len(times), max_size=len(times)))
    return RawSeries(draw(LABELS), np.array(sorted(times), dtype=np.int64), np.array(values, dtype=np.float64))


@settings(max_examples=40)
@given(st.lists(raw_series(), max_size=4))
def test_a_recording_survives_its_text_form(series: list[RawSeries]) -> None:
    recording = Recording(1, 2**42, merge(series))
    text = to_json(recording)
    again = from_json(text)
    assert to_json(again) == text
    assert (again.from_ms, again.to_ms) == (1, 2**42)
    for one, other in zip(recording.series, again.series, strict=True):
        assert one.labels == other.labels
        assert one.times_ms.tolist() == other.times_ms.tolist()
        np.testing.assert_array_equal(one.values, other.values)
        assert is_stale(one.values).tolist() == is_stale(other.values).tolist()


def series(name: str, *times_ms: int, **labels: str) -> RawSeries:
    return RawSeries({"__name__": name, **labels}, np.array(times_ms, dtype=np.int64), np.ones(len(times_ms)))


def test_stretches_that_overlap_merge_into_one_series() -> None:
    (one,) = merge([series("m", 3000, 4000), series("m", 1000, 2000, 3000)])
    assert one.times_ms.tolist() == [1000, 2000, 3000, 4000]


def test_a_marker_stands_where_a_scrape_did_not_bring_the_series() -> None:
    target = {"job": "monitor", "instance": "m:1"}
    up = series("up", *range(0, 6000, 1000), **target)
    _, marked = with_inferred_markers((up, series("m", 0, 1000, 4000, **target)), 6000)
    assert marked.times_ms.tolist() == [0, 1000, 2000, 4000, 5000]
    assert is_stale(marked.values).tolist() == [False, False, True, False, True]


def test_what_rules_write_gets_no_markers_although_it_bears_the_target_s_labels() -> None:
    target = {"job": "monitor", "instance": "m:1"}
    up, alert = series("up", *range(0, 6000, 1000), **target), series("ALERTS", 1400, 2400, 3400, **target)
    _, marked = with_inferred_markers((up, alert), 6000)
    assert marked.times_ms.tolist() == [1400, 2400, 3400]


def test_a_target_that_left_takes_its_series_along() -> None:
    target = {"job": "monitor", "instance": "m:1"}
    up, m = series("up", 0, 1000, 2000, **target), series("m", 0, 1000, 2000, **target)
    for one in with_inferred_markers((up, m), 5001):
        assert one.times_ms.tolist() == [0, 1000, 2000, 3000]
        assert is_stale(one.values).tolist() == [False, False, False, True]
    assert [one.times_ms.tolist() for one in with_inferred_markers((up, m), 5000)] == [[0, 1000, 2000]] * 2


def test_what_was_changed_after_it_was_written_is_refused() -> None:
    text = to_json(Recording(0, 9000, (series("m", 1000, 2000),)))
    with pytest.raises(ValueError, match="hash differs"):
        from_json(text.replace(b"[1000,1000]", b"[1000,1001]"))


def test_series_of_one_target_share_their_times() -> None:
    document = json.loads(to_json(Recording(0, 9000, (series("m", 1000, 2000), series("n", 1000, 2000)))))
    assert document["times"] == [[1000, 1000]]
    assert [one["t"] for one in document["series"]] == [0, 0]


def test_where_samples_come_from_survives() -> None:
    group = RecordedGroup("/etc/rules.yml", "g", 1000, 605)
    source = Source("2.42.0", 60.0, {"cluster": "a"}, (group,), ("up", "m"), 5, "remote_read", "ab", "cd", 7)
    assert from_json(to_json(Recording(0, 9, (), source))).source == source


def test_the_first_form_is_read_too() -> None:
    text = (
        b'{"schema": "alertdrill/samples/v1", "from_ms": 0, "to_ms": 9000, '
        b'"series": [{"labels": {"__name__": "m"}, "t": [1000, 1000], "v": [1, "stale"]}]}'
    )
    (one,) = from_json(text).series
    assert one.times_ms.tolist() == [1000, 2000]
    assert is_stale(one.values).tolist() == [False, True]
    assert from_json(text).source == Source()


def test_a_zero_keeps_its_sign() -> None:
    one = RawSeries({"__name__": "m"}, np.array([1]), np.array([-0.0]))
    assert math.copysign(1, from_json(to_json(Recording(0, 9, (one,)))).series[0].values[0]) == -1


def test_markers_are_not_samples() -> None:
    one = RawSeries({"__name__": "m"}, np.array([1, 2, 3]), np.array([1.0, STALE, math.nan]))
    recording = Recording(0, 9, (one,))
    assert recording.named("m")[0].times_ms.tolist() == [1, 3]
    assert recording.select(selectors("m")[0])[0].times_ms.tolist() == [1, 3]


def test_a_series_is_selected_by_name_and_labels() -> None:
    recording = Recording(0, 9, (series("m", 1, job="a"), series("m", 2, job="b"), series("n", 3, job="b")))
    assert [one.times_ms.tolist() for one in recording.named("m", job="b")] == [[2]]
    assert recording.named("m", job="b", name="c", self="d") == ()
    assert [one.times_ms.tolist() for one in recording.select(selectors('m{job!="b"}')[0])] == [[1]]


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"not json",
        b'{"schema": "other"}',
        b'{"schema": "alertdrill/samples/v1", "from_ms": 0, "to_ms": 1, "series": [{"labels": {}, "t": [1]}]}',
        b'{"schema": "alertdrill/samples/v1", "from_ms": 0, "to_ms": 1, "series": [{"labels": 0, "t": [], "v": []}]}',
        json.dumps(
            {
                "schema": "alertdrill/samples/v1",
                "from_ms": 0,
                "to_ms": 1,
                "series": [{"labels": {}, "t": [1], "v": ["x"]}],
            }
        ).encode(),
    ],
)
def test_what_is_no_recording_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)


@pytest.mark.parametrize(
    "series",
    [{"labels": {}, "t": [1000, 1000], "v": [1]}, {"labels": {}, "t": [90_000], "v": [1]}],
    ids=["times without values", "a sample after the end"],
)
def test_samples_that_cannot_be_are_refused(series: dict[str, object]) -> None:
    document = {"schema": "alertdrill/samples/v1", "from_ms": 0, "to_ms": 2000, "series": [series]}
    with pytest.raises(ValueError, match=r"series|sample"):
        from_json(json.dumps(document).encode())


def test_a_recording_that_ends_before_it_begins_is_refused() -> None:
    document = {"schema": "alertdrill/samples/v1", "from_ms": 3, "to_ms": 2, "series": []}
    with pytest.raises(ValueError, match="before it begins"):
        from_json(json.dumps(document).encode())


def test_replicas_survive_the_text_form_and_one_alone_leaves_no_trace_of_them() -> None:
    alone = Recording(1, 5000, (series("m", 1000),))
    assert json.loads(to_json(alone)).keys() == {"schema", "from_ms", "to_ms", "source", "times", "series", "sha256"}
    both = Recording(1, 5000, alone.series, replicas={"b": Recording(3, 4000, (series("m", 1500),))})
    again = from_json(to_json(both))
    assert to_json(again) == to_json(both)
    assert (again.replicas["b"].from_ms, again.replicas["b"].series[0].times_ms.tolist()) == (3, [1500])


def test_a_sample_of_a_replica_that_cannot_be_is_refused() -> None:
    both = Recording(1, 9999, (), replicas={"b": Recording(1, 4000, (series("m", 4000 + 5001),))})
    with pytest.raises(ValueError, match="after the end"):
        from_json(to_json(both))


def test_markers_of_replicas_in_one_store_follow_their_own_scrapes() -> None:
    label, target = "prometheus_replica", {"job": "j", "instance": "i"}
    found = with_inferred_markers(
        (
            series("up", 0, 1000, 2000, **target, **{label: "a"}),
            series("up", 500, 1500, 2500, **target, **{label: "b"}),
            series("m", 0, **target, **{label: "a"}),
            series("m", 500, **target, **{label: "b"}),
        ),
        3000,
        label,
    )
    assert [one.times_ms.tolist() for one in found[2:]] == [[0, 1000], [500, 1500]]
