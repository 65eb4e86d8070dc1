"""Prometheus's remote read: raw samples of a selector with the staleness markers that its other answers leave out."""

from collections.abc import Iterator, Mapping
from typing import cast

import cramjam
import numpy as np
from numpy.typing import NDArray

from alertdrill.adapters.protobuf import field, read_varint, varint
from alertdrill.core.observations import Labels, RawSeries
from alertdrill.core.promql import Selector

HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Read-Version": "0.1.0",
}
_OPS = {"=": 0, "!=": 1, "=~": 2, "!~": 3}
_LENGTH_PREFIXED = 2
_FIXED = {1: 8, 5: 4}
_VALUE_TAG = 0x09


def request(selector: Selector, from_ms: int, to_ms: int) -> bytes:
    """The body of a request for the samples of a selector between two instants, both included."""
    name = [("__name__", "=", selector.name)] if selector.name else []
    matchers = [*name, *((one.label, one.op, one.value) for one in selector.matchers)]
    written = b"".join(
        field(0x1A, b"\x08" + varint(_OPS[op]) + field(0x12, label.encode()) + field(0x1A, value.encode()))
        for label, op, value in matchers
    )
    query = b"\x08" + varint(from_ms) + b"\x10" + varint(to_ms) + written
    return bytes(cramjam.snappy.compress_raw(field(0x0A, query)))


def answer(body: bytes) -> list[RawSeries]:
    """The series of an answer, staleness markers among their samples.

    Raises:
        ValueError: it is none, or holds native histograms.
    """
    try:
        data = bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise ValueError(f"not compressed by snappy: {error}") from error
    try:
        results = [data[begin:end] for number, begin, end in _fields(data, 0, len(data)) if number == 1]
        return [
            _series(result, begin, end)
            for result in results
            for number, begin, end in _fields(result, 0, len(result))
            if number == 1
        ]
    except IndexError as error:
        raise ValueError("the answer of remote read is cut short") from error


def own_labels(labels: Labels, external: Labels, known: Mapping[frozenset[tuple[str, str]], Labels]) -> Labels:
    """Labels of an answer without those that the engine adds to what it sends.

    Args:
        labels: as they came.
        external: what the engine adds where a series has no such label.
        known: label sets of series as the engine stores them, by what the engine makes of them.
    """
    stored = known.get(frozenset(labels.items()))
    if stored is not None:
        return stored
    return {name: value for name, value in labels.items() if external.get(name) != value}


def _fields(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of every field that has a length; the others are passed over."""
    while position < end:
        tag, position = read_varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == _LENGTH_PREFIXED:
            length, position = read_varint(data, position)
            if position + length > end:
                raise IndexError("a field ends after what holds it")
            yield number, position, position + length
            position += length
        elif kind in _FIXED:
            position += _FIXED[kind]
        elif kind == 0:
            _, position = read_varint(data, position)
        else:
            raise ValueError(f"no protobuf: a field of kind {kind}")


def _series(data: bytes, begin: int, end: int) -> RawSeries:
    labels: dict[str, str] = {}
    samples: list[tuple[int, int]] = []
    for number, at, until in _fields(data, begin, end):
        if number == 1:
            texts = {key: data[a:b].decode() for key, a, b in _fields(data, at, until)}
            labels[texts.get(1, "")] = texts.get(2, "")
        elif number == 2:
            samples.append((at, until))
        elif number == 4:
            raise ValueError(f"{labels.get('__name__')} is a native histogram; select its classic series instead")
    return RawSeries(labels, *_samples(data, samples))


def _samples(data: bytes, places: list[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times and values of samples; the value 0 is left out of a sample, and a time has six bytes."""
    count = len(places)
    raw = np.frombuffer(data, dtype=np.uint8)
    begins = np.array([begin for begin, _ in places], dtype=np.int64)
    ends = np.array([end for _, end in places], dtype=np.int64)
    bits = np.zeros(count, dtype=np.uint64)
    if not count:
        return bits.astype(np.int64), bits.view(np.float64)
    valued = raw[begins] == _VALUE_TAG
    for byte in range(8):
        bits[valued] |= raw[begins[valued] + 1 + byte].astype(np.uint64) << np.uint64(8 * byte)
    time_at = begins + np.where(valued, 10, 1)
    times = np.zeros(count, dtype=np.uint64)
    for byte in range(int((ends - time_at).max())):
        inside = time_at + byte < ends
        times[inside] |= (raw[time_at[inside] + byte] & 0x7F).astype(np.uint64) << np.uint64(7 * byte)
    return times.astype(np.int64), cast(NDArray[np.float64], bits.view(np.float64))
