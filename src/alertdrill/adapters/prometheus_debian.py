"""Obtains Prometheus on Debian and its relatives: downloads the packages with apt and unpacks them, without root.

apt keeps its lists and its downloads in a private directory, so neither the system's package state nor its caches are
touched, and nothing is installed: the two programs need no more than the C library.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from alertdrill.adapters.prometheus_binary import Binaries, Unusable
from alertdrill.adapters.prometheus_cache import PROGRAMS, keep, workspace

UPDATE_TIMEOUT_S = 180.0
DOWNLOAD_TIMEOUT_S = 600.0
UNPACK_TIMEOUT_S = 120.0
SHOWN_LINES = 5


def available() -> bool:
    """Whether this system has apt-get and dpkg."""
    return all(shutil.which(program) for program in ("apt-get", "dpkg"))


def obtain_from_debian(cache: Path, progress: Callable[[str], None]) -> Binaries:
    """Download the packages `prometheus` and, where it is one of its own, `promtool`, and keep their programs.

    Args:
        cache: where to keep them.
        progress: called with a line for each step.

    Raises:
        Unusable: apt has no such package, could not download it, or its version is too old.
    """
    with workspace(cache) as work:
        apt = _private_apt(work.path)
        progress("apt-get update (private lists, no root)")
        updated = _run([*apt, "update"], work.path, UPDATE_TIMEOUT_S)
        unpacked = work.path / "unpacked"
        for program in PROGRAMS:
            if not (unpacked / "usr/bin" / program).exists():
                progress(f"apt-get download {program}")
                _download(apt, program, work.path, unpacked, updated)
        return keep(_programs(unpacked, work.path / "programs"), cache)


def _private_apt(work: Path) -> list[str]:
    for directory in ("state/lists/partial", "cache/archives/partial"):
        (work / directory).mkdir(parents=True)
    options = {
        "Dir::State": work / "state",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": work / "cache",
        "Acquire::Languages": "none",
        "Acquire::Retries": 2,
        "Acquire::http::Timeout": 30,
        "Acquire::https::Timeout": 30,
        "APT::Sandbox::User": "root",
    }
    return ["apt-get", "-q", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]


def _download(apt: Sequence[str], package: str, work: Path, unpacked: Path, updated: str | None) -> None:
    directory = work / f"download-{package}"
    directory.mkdir()
    failure = _run([*apt, "download", package], directory, DOWNLOAD_TIMEOUT_S)
    if failure is not None:
        raise Unusable(f"apt could not download the package {package}:\n{updated or failure}")
    for archive in directory.glob("*.deb"):
        failure = _run(["dpkg", "-x", str(archive), str(unpacked)], work, UNPACK_TIMEOUT_S)
        if failure is not None:
            raise Unusable(f"dpkg could not unpack {archive.name}:\n{failure}")


def _programs(unpacked: Path, directory: Path) -> Path:
    directory.mkdir()
    for program in PROGRAMS:
        source = unpacked / "usr/bin" / program
        if not source.is_file():
            raise Unusable(f"the package has no {program}")
        source.rename(directory / program)
    return directory


def _run(command: Sequence[str], directory: Path, timeout_s: float) -> str | None:
    """Run to the end; None if it succeeded, else the last lines it wrote."""
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]}: no end after {timeout_s:.0f} s"
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    if done.returncode == 0:
        return None
    said = [
        line for line in done.stdout.splitlines() if line.startswith(("E:", "W:", "dpkg"))
    ] or done.stdout.splitlines()
    return "\n".join(said[-SHOWN_LINES:])
