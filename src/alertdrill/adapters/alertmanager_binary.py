"""Finds an Alertmanager with its amtool: on PATH, else in our cache, with a way to run it here."""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from alertdrill.adapters.alertmanager_way import DIRECTLY, Way, find_way
from alertdrill.adapters.prometheus_binary import Binary, Rejected, Source, Unusable, inspect

MINIMUM_VERSION = (0, 22, 0)
MINIMUM_VERSION_TEXT = "0.22"
NAMES = ("alertmanager", "prometheus-alertmanager")
PROOT = "proot"


@dataclass(frozen=True)
class Alertmanager:
    """An Alertmanager that runs here.

    Attributes:
        program: Alertmanager itself.
        amtool: what checks its configuration.
        way: how both are started.
    """

    program: Binary
    amtool: Binary
    way: Way


@dataclass(frozen=True)
class AlertmanagerSearch:
    """What was found: `found`, or None; and what was passed over on the way."""

    found: Alertmanager | None
    rejected: tuple[Rejected, ...]


def alertmanager_cache() -> Path:
    """Where the versions that we obtained are kept, one directory each, and a proot where one is needed."""
    return platformdirs.user_cache_path("alertdrill") / "alertmanager"


def find_alertmanager(environ: Mapping[str, str] = os.environ, cache: Path | None = None) -> AlertmanagerSearch:
    """Look on PATH and in our cache, in this order; nothing is installed."""
    rejected: list[Rejected] = []
    cache = cache or alertmanager_cache()
    for program, source in (*_on_path(environ.get("PATH", os.defpath)), *_cached(cache)):
        try:
            return AlertmanagerSearch(usable(program, source, cache), tuple(rejected))
        except Unusable as unusable:
            rejected.append(Rejected(program, str(unusable)))
    return AlertmanagerSearch(None, tuple(rejected))


def usable(program: Path, source: Source, cache: Path) -> Alertmanager:
    """A program with its amtool and the way to run both.

    Raises:
        Unusable: one of them does not run, is too old, or there is no way to run it here.
    """
    found = inspect(program, "alertmanager", source, MINIMUM_VERSION)
    amtool = program.with_name("amtool")
    if not amtool.exists():
        raise Unusable("has no amtool beside it")
    share = program.with_name("share")
    way = find_way(share, cache / PROOT) if source == "cache" else DIRECTLY
    if way is None:
        raise Unusable("finds its templates neither in a user namespace (this system forbids it) nor by proot")
    return Alertmanager(found, inspect(amtool, "amtool", source, MINIMUM_VERSION), way)


def _on_path(search_path: str) -> Iterator[tuple[Path, Source]]:
    for name in NAMES:
        if found := shutil.which(name, path=search_path):
            yield Path(found).absolute(), "path"


def _cached(cache: Path) -> Iterator[tuple[Path, Source]]:
    """Newest version first. Directories that are still being filled start with a dot."""
    kept = [entry for entry in cache.glob("*/alertmanager") if entry.parent.name[:1].isdigit()]
    for program in sorted(kept, key=_version_of_directory, reverse=True):
        yield program, "cache"


def _version_of_directory(program: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in program.parent.name.split(".") if number.isdigit())
