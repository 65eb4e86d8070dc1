"""Downloads packages of Debian and its relatives with apt and unpacks them: no root, nothing installed.

apt keeps its lists and its downloads in a private directory, so neither the system's package state nor its caches are
touched.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from alertdrill.adapters.prometheus_binary import Unusable

UPDATE_TIMEOUT_S = 180.0
DOWNLOAD_TIMEOUT_S = 600.0
UNPACK_TIMEOUT_S = 120.0
SHOWN_LINES = 5


def available() -> bool:
    """Whether this system has apt-get and dpkg."""
    return all(shutil.which(program) for program in ("apt-get", "dpkg"))


class Packages:
    """Unpacks packages below a directory of its own.

    Attributes:
        unpacked: what the packages held, as it would lie below `/`.
    """

    def __init__(self, work: Path, progress: Callable[[str], None]) -> None:
        """Fetch the lists of packages into `work`, an empty directory; `progress` gets a line for each step."""
        self.unpacked = work / "unpacked"
        self._work, self._progress = work, progress
        self._apt = _private_apt(work)
        progress("apt-get update (private lists, no root)")
        self._not_updated = _run([*self._apt, "update"], work, UPDATE_TIMEOUT_S)

    def unpack(self, package: str) -> None:
        """Download a package and unpack it.

        Raises:
            Unusable: apt has no such package, or could not download it.
        """
        self._progress(f"apt-get download {package}")
        directory = self._work / f"download-{package}"
        directory.mkdir()
        self._download([*self._apt, "download", package], directory, package, directory)

    def unpack_with_needs(self, package: str) -> None:
        """Download a package with those that it needs and that this system does not have, and unpack all of them.

        Raises:
            Unusable: apt has no such package, or could not download it.
        """
        self._progress(f"apt-get download {package}, and what it needs")
        install = ["install", "-y", "--download-only", "--no-install-recommends", package]
        archives = self._work / "cache/archives"
        self._download([*self._apt, "-o", "Debug::NoLocking=1", *install], self._work, package, archives)

    def _download(self, command: Sequence[str], directory: Path, package: str, archives: Path) -> None:
        failure = _run(command, directory, DOWNLOAD_TIMEOUT_S)
        if failure is not None:
            raise Unusable(f"apt could not download the package {package}:\n{self._not_updated or failure}")
        for archive in archives.glob("*.deb"):
            failure = _run(["dpkg", "-x", str(archive), str(self.unpacked)], self._work, UNPACK_TIMEOUT_S)
            if failure is not None:
                raise Unusable(f"dpkg could not unpack {archive.name}:\n{failure}")


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
