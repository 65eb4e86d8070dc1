"""Samples on their way to and from Prometheus: remote write and remote read."""

import math
import struct

import cramjam
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.adapters import remote_read
from alertdrill.adapters.protobuf import field, read_varint, varint
from alertdrill.adapters.replay_engine import remote_write
from alertdrill.core.observations import RawSeries
from alertdrill.core.promql import selectors
from alertdrill.core.recording import STALE, is_stale

NOW_MS = 1_790_000_000_123


def sample(time_ms: int, value: float) -> bytes:
    """As Prometheus writes it: the value 0 is left out."""
    written = b"\x09" + struct.pack("<d", value) if value or math.isnan(value) else b""
    return written + b"\x10" + varint(time_ms)


def label(name: str, value: str) -> bytes:
    return field(0x0A, field(0x0A, name.encode()) + field(0x12, value.encode()))


def answer(*series: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(field(0x0A, b"".join(field(0x0A, one) for one in series))))


@given(st.integers(0, 2**63 - 1))
def test_a_varint_is_read_as_it_was_written(number: int) -> None:
    assert read_varint(b"x" + varint(number), 1) == (number, 1 + len(varint(number)))


def test_an_answer_gives_labels_times_values_and_markers() -> None:
    samples = [(NOW_MS, 1.5), (NOW_MS + 1000, 0.0), (NOW_MS + 2000, float(STALE)), (NOW_MS + 3000, math.nan)]
    body = label("__name__", "x") + label("job", "a") + b"".join(field(0x12, sample(*one)) for one in samples)
    (one,) = remote_read.answer(answer(body))
    assert one.labels == {"__name__": "x", "job": "a"}
    assert one.times_ms.tolist() == [at for at, _ in samples]
    assert is_stale(one.values).tolist() == [False, False, True, False]
    assert one.values[:2].tolist() == [1.5, 0.0]
    assert math.isnan(one.values[3])


def test_what_is_written_can_be_read() -> None:
    """A TimeSeries is the same message both ways."""
    series = RawSeries({"__name__": "x"}, np.array([NOW_MS, NOW_MS + 1]), np.array([2.5, STALE]))
    (body,) = remote_write.requests([series])
    written = bytes(cramjam.snappy.decompress_raw(body))
    (one,) = remote_read.answer(bytes(cramjam.snappy.compress_raw(field(0x0A, written))))
    assert one.times_ms.tolist() == series.times_ms.tolist()
    assert one.values.view(np.uint64).tolist() == series.values.view(np.uint64).tolist()


def test_many_samples_go_in_several_requests_in_their_order() -> None:
    count = remote_write.MOST_SAMPLES * 2 + 1
    series = RawSeries({"__name__": "x"}, np.arange(count) + NOW_MS, np.ones(count))
    bodies = [bytes(cramjam.snappy.decompress_raw(one)) for one in remote_write.requests([series])]
    assert len(bodies) == 3
    assert max(map(len, bodies)) < remote_write.MOST_SAMPLES * 18 + 100


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_snappy_without_compression_is_snappy(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert bytes(cramjam.snappy.decompress_raw(remote_write.snappy_literal(data))) == data


def test_a_time_that_has_not_six_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="1971"):
        list(remote_write.requests([RawSeries({"__name__": "x"}, np.array([1000]), np.ones(1))]))


@pytest.mark.parametrize("body", [b"", b"no snappy", bytes(cramjam.snappy.compress_raw(b"\x0a\x7fshort"))])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        remote_read.answer(body)


def test_a_native_histogram_is_refused() -> None:
    with pytest.raises(ValueError, match="native histogram"):
        remote_read.answer(answer(label("__name__", "x") + field(0x22, b"\x10\x01")))


def test_a_request_names_selector_and_span() -> None:
    (selector,) = selectors('x{code=~"5.."}')
    data = bytes(cramjam.snappy.decompress_raw(remote_read.request(selector, 1, 2)))
    name = field(0x1A, b"\x08\x00" + field(0x12, b"__name__") + field(0x1A, b"x"))
    code = field(0x1A, b"\x08\x02" + field(0x12, b"code") + field(0x1A, b"5.."))
    assert data == field(0x0A, b"\x08\x01\x10\x02" + name + code)


def test_labels_that_the_engine_adds_are_taken_away_and_a_series_own_stay() -> None:
    external = {"cluster": "a"}
    own = {"__name__": "x", "cluster": "a"}
    known = {frozenset({**external, **own}.items()): own}
    assert remote_read.own_labels({"__name__": "x", "cluster": "a"}, external, known) == own
    assert remote_read.own_labels({"__name__": "y", "cluster": "a"}, external, known) == {"__name__": "y"}
    assert remote_read.own_labels({"__name__": "y", "cluster": "b"}, external, {}) == {"__name__": "y", "cluster": "b"}
