"""Obtains Prometheus on Debian and its relatives: its programs need the C library alone, so unpacking is enough."""

from collections.abc import Callable
from pathlib import Path

from alertdrill.adapters.debian_packages import Packages, available
from alertdrill.adapters.prometheus_binary import Binaries, Unusable
from alertdrill.adapters.prometheus_cache import PROGRAMS, keep, workspace


def obtain_from_debian(cache: Path, progress: Callable[[str], None]) -> Binaries:
    """Download the packages `prometheus` and, where it is one of its own, `promtool`, and keep their programs.

    Args:
        cache: where to keep them.
        progress: called with a line for each step.

    Raises:
        Unusable: apt has no such package, could not download it, or its version is too old.
    """
    with workspace(cache) as work:
        packages = Packages(work.path, progress)
        for program in PROGRAMS:
            if not (packages.unpacked / "usr/bin" / program).exists():
                packages.unpack(program)
        return keep(_programs(packages.unpacked, work.path / "programs"), cache)


def _programs(unpacked: Path, directory: Path) -> Path:
    directory.mkdir()
    for program in PROGRAMS:
        source = unpacked / "usr/bin" / program
        if not source.is_file():
            raise Unusable(f"the package has no {program}")
        source.rename(directory / program)
    return directory


__all__ = ["available", "obtain_from_debian"]
