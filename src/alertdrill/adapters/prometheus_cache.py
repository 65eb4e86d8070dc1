"""Puts a prometheus and promtool into our cache: both at once or neither, safe when two processes do it together."""

import contextlib
import os
import shutil
from pathlib import Path

from alertdrill.adapters.prometheus_binary import Binaries, Unusable, inspect
from alertdrill.adapters.scratch import Scratch

PROGRAMS = ("prometheus", "promtool")


def workspace(cache: Path) -> Scratch:
    """A directory in which to fetch and unpack, on the same file system as the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    return Scratch(".partial-", cache)


def keep(directory: Path, cache: Path) -> Binaries:
    """Check the two programs in `directory` and move them into the cache by one rename.

    If another process was faster, its copy is used; a copy that does not run is replaced.

    Args:
        directory: holds `prometheus` and `promtool`, on the same file system as the cache; moved or left.
        cache: see `cache_directory`.

    Raises:
        Unusable: one of them does not run here or is too old.
    """
    version = _both(directory).prometheus.version_text
    place = cache / version
    for _ in range(3):
        with contextlib.suppress(OSError):
            os.rename(directory, place)
        try:
            return _both(place)
        except Unusable:
            _set_aside(place, cache)
    raise Unusable(f"could not be moved to {place}")


def _both(directory: Path) -> Binaries:
    return Binaries(*(inspect(directory / program, program, "cache") for program in PROGRAMS))


def _set_aside(place: Path, cache: Path) -> None:
    with Scratch(".broken-", cache) as scratch, contextlib.suppress(FileNotFoundError):
        shutil.move(place, scratch.path / place.name)
