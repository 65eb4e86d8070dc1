"""Samples as Prometheus's remote write takes them, staleness markers included: protobuf, then snappy."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from alertdrill.adapters.protobuf import field, varint
from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import LabelKey

HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
MOST_SAMPLES = 100_000
"""In one request: 1.8 MB."""

_SAMPLE = np.dtype([("head", "u1", 3), ("value", "<u8"), ("tag", "u1"), ("time", "u1", 6)])
_SAMPLE_HEAD = (0x12, 16, 0x09)
_TIME_TAG = 0x10
_TIME_BYTES = 6
EARLIEST_MS, LATEST_MS = 2**35, 2**42
"""Between them (1971 and 2109) a timestamp has six bytes, and so every sample 18."""

_CHUNK = 65_536
_LITERAL = 61 << 2
_SHORT_LITERALS = 60


def requests(series: Sequence[RawSeries]) -> Iterator[bytes]:
    """The bodies of requests that write some samples, each to be sent after the one before it.

    Raises:
        ValueError: a timestamp lies before 1971 or after 2109.
    """
    pieces: list[RawSeries] = []
    count = 0
    for one in series:
        for begin in range(0, len(one.times_ms), MOST_SAMPLES):
            inside = slice(begin, begin + MOST_SAMPLES)
            pieces.append(RawSeries(one.labels, one.times_ms[inside], one.values[inside]))
            count += len(pieces[-1].times_ms)
            if count >= MOST_SAMPLES:
                yield _request(pieces)
                pieces, count = [], 0
    if pieces:
        yield _request(pieces)


def _request(pieces: Sequence[RawSeries]) -> bytes:
    """All samples are encoded at once: in stages a request holds one sample of each of many series."""
    samples = _samples(np.concatenate([one.times_ms for one in pieces]), np.concatenate([one.values for one in pieces]))
    parts, begin = [], 0
    for one in pieces:
        end = begin + len(one.times_ms) * _SAMPLE.itemsize
        head = _labels(tuple(sorted(one.labels.items())))
        parts += [b"\x0a", varint(len(head) + end - begin), head, samples[begin:end]]
        begin = end
    return snappy_literal(b"".join(parts))


def _samples(times_ms: np.ndarray, values: np.ndarray) -> bytes:
    if len(times_ms) and (times_ms.min() < EARLIEST_MS or times_ms.max() >= LATEST_MS):
        raise ValueError("a timestamp lies before 1971 or after 2109")
    samples = np.empty(len(times_ms), _SAMPLE)
    samples["head"], samples["value"], samples["tag"] = _SAMPLE_HEAD, values.view(np.uint64), _TIME_TAG
    for byte in range(_TIME_BYTES):
        more = 0x80 if byte < _TIME_BYTES - 1 else 0
        samples["time"][:, byte] = (times_ms >> (7 * byte)) & 0x7F | more
    return samples.tobytes()


@lru_cache(maxsize=20_000)
def _labels(labels: LabelKey) -> bytes:
    """The labels of a TimeSeries, which must be sorted."""
    return b"".join(field(0x0A, field(0x0A, name.encode()) + field(0x12, value.encode())) for name, value in labels)


def snappy_literal(data: bytes) -> bytes:
    """Valid snappy that compresses nothing, as fast as memory is copied: chunks of 64 KiB, each behind its length."""
    parts = [varint(len(data))]
    for begin in range(0, len(data), _CHUNK):
        chunk = data[begin : begin + _CHUNK]
        last = len(chunk) - 1
        short = last < _SHORT_LITERALS
        parts += [bytes([last << 2]) if short else bytes([_LITERAL]) + last.to_bytes(2, "little"), chunk]
    return b"".join(parts)
