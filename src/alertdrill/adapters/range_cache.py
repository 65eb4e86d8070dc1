"""Samples that were read of a Prometheus, kept by chunks: what is there is not asked for again."""

import contextlib
import hashlib
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
import platformdirs

from alertdrill.core.history.spans import Chunk
from alertdrill.core.observations import RawSeries

DAMAGED = (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, IndexError, TypeError, AttributeError)


def cache_folder() -> Path:
    """Where samples of the users' Prometheus servers are kept: `ranges` in our cache."""
    return platformdirs.user_cache_path("alertdrill") / "ranges"


class RangeCache:
    """Chunks of one Prometheus.

    Args:
        source: what tells it from others: address, and tenant.
        folder: where chunks are kept, readable by the user alone; by default `cache_folder()`.
    """

    def __init__(self, source: str, folder: Path | None = None) -> None:
        self._source, self.folder = source, folder or cache_folder()

    def get(self, selector: str, chunk: Chunk) -> tuple[list[RawSeries], bool] | None:
        """The samples of a chunk, and whether staleness markers are among them; None where they are not kept.

        A file that is damaged, or another's, is removed.
        """
        file = self._file(selector, chunk)
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as kept:
                head = orjson.loads(kept["head"].tobytes())
                if head["key"] != self._key(selector, chunk):
                    raise ValueError("of another question")
                ends = np.cumsum(np.array(head["lengths"], dtype=np.int64)).tolist()
                times, values = kept["times"], kept["values"]
                if len(times) != len(values) or len(times) != (ends[-1] if ends else 0):
                    raise ValueError("not whole")
                return _series(head["labels"], ends, times, values), bool(head["marked"])
        except FileNotFoundError:
            return None
        except DAMAGED:
            file.unlink(missing_ok=True)
            return None

    def has(self, selector: str, chunk: Chunk) -> bool:
        """Whether there is a file for a chunk, damaged or not."""
        return self._file(selector, chunk).exists()

    def put(self, selector: str, chunk: Chunk, series: Sequence[RawSeries], marked: bool) -> None:
        """Keep the samples of a chunk, all at once or not at all."""
        head = {
            "key": self._key(selector, chunk),
            "marked": marked,
            "labels": [dict(one.labels) for one in series],
            "lengths": [len(one.times_ms) for one in series],
        }
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._file(selector, chunk)
        partial = file.with_suffix(f".{os.getpid()}.partial")
        try:
            with os.fdopen(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as opened:
                np.savez_compressed(
                    opened,
                    head=np.frombuffer(orjson.dumps(head), dtype=np.uint8),
                    times=np.concatenate([np.empty(0, np.int64), *(one.times_ms for one in series)]),
                    values=np.concatenate([np.empty(0), *(one.values for one in series)]),
                )
            os.replace(partial, file)
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()

    def _key(self, selector: str, chunk: Chunk) -> str:
        return f"{self._source}\n{selector}\n{chunk.begin_ms}\n{chunk.end_ms}"

    def _file(self, selector: str, chunk: Chunk) -> Path:
        return self.folder / f"{hashlib.sha256(self._key(selector, chunk).encode()).hexdigest()[:40]}.npz"


def _series(
    labels: Sequence[dict[str, str]], ends: Sequence[int], times: np.ndarray, values: np.ndarray
) -> list[RawSeries]:
    begins = [0, *ends][:-1]
    return [
        RawSeries(one, times[begin:end], values[begin:end])
        for one, begin, end in zip(labels, begins, ends, strict=True)
    ]
