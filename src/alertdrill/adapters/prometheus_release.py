"""Obtains Prometheus from the project's release archives: one pinned version, checked against its checksums first."""

import hashlib
import os
import platform
import shutil
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import httpx

from alertdrill.adapters.prometheus_binary import Binaries, Unusable
from alertdrill.adapters.prometheus_cache import PROGRAMS, keep, workspace

PINNED_VERSION = "3.5.3"
RELEASES_URL = "https://github.com/prometheus/prometheus/releases/download"
RELEASES_VARIABLE = "ALERTDRILL_PROMETHEUS_RELEASES"
MAX_ARCHIVE_BYTES = 400_000_000
MAX_CHECKSUMS_BYTES = 1_000_000
TIMEOUT_S = 30.0
DOWNLOAD_DEADLINE_S = 900.0

_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "armv7"}


def releases_url(environ: Mapping[str, str] = os.environ) -> str:
    """Where releases are: $ALERTDRILL_PROMETHEUS_RELEASES (a mirror of the project's downloads), else the project's."""
    return environ.get(RELEASES_VARIABLE, RELEASES_URL).rstrip("/")


def archive_name(system: str | None = None, machine: str | None = None) -> str:
    """Name of the pinned release's archive for this platform (names as `platform.system()` and `.machine()` give).

    Raises:
        Unusable: the project publishes none for it.
    """
    system, machine = system or platform.system(), machine or platform.machine()
    try:
        return f"prometheus-{PINNED_VERSION}.{_SYSTEMS[system]}-{_MACHINES[machine.lower()]}.tar.gz"
    except KeyError:
        raise Unusable(f"no release archive is known for {system} on {machine}") from None


def obtain_from_release(cache: Path, progress: Callable[[str], None], base_url: str | None = None) -> Binaries:
    """Download the pinned release, compare its SHA-256 with the release's `sha256sums.txt`, unpack and keep it.

    Args:
        cache: where to keep it.
        progress: called with a line for each step.
        base_url: what `releases_url` answers, by default.

    Raises:
        Unusable: it could not be downloaded, its checksum differs, its archive is not what it should be, or it does
            not run here. Nothing is kept then.
    """
    name = archive_name()
    url = f"{base_url or releases_url()}/v{PINNED_VERSION}"
    with workspace(cache) as work, httpx.Client(follow_redirects=True, timeout=TIMEOUT_S) as client:
        sums = work.path / "sha256sums.txt"
        _download(client, f"{url}/sha256sums.txt", sums, MAX_CHECKSUMS_BYTES)
        expected = _checksum_of(name, sums.read_text(errors="replace"), url)
        progress(f"downloading {name}")
        archive = work.path / name
        digest = _download(client, f"{url}/{name}", archive, MAX_ARCHIVE_BYTES)
        if digest != expected:
            raise Unusable(f"{url}/{name} has the checksum {digest}, its release says {expected}; it was not unpacked")
        return keep(unpack(archive, work.path / "programs"), cache)


def unpack(archive: Path, directory: Path) -> Path:
    """Take the two programs out of a release archive, into `directory`; nothing else is written.

    Raises:
        Unusable: it is no such archive, or one of its members would land outside the directory it is unpacked into.
    """
    directory.mkdir()
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = tar.getmembers()
            for member in members:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts:
                    raise Unusable(f"{archive.name} has a member that leads outside: {member.name!r}")
            for program in PROGRAMS:
                _take(tar, members, program, directory / program)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Unusable(f"{archive.name} cannot be unpacked: {error}") from None
    return directory


def _take(tar: tarfile.TarFile, members: list[tarfile.TarInfo], program: str, target: Path) -> None:
    named = [
        m for m in members if m.isfile() and len(PurePosixPath(m.name).parts) == 2 and m.name.endswith(f"/{program}")
    ]
    source = tar.extractfile(named[0]) if named else None
    if source is None:
        raise Unusable(f"the archive has no {program}")
    with source, target.open("xb") as out:
        shutil.copyfileobj(source, out)
    target.chmod(0o755)


def _checksum_of(name: str, sums: str, url: str) -> str:
    for line in sums.splitlines():
        words = line.split()
        if len(words) == 2 and words[1].lstrip("*") == name and len(words[0]) == 64:
            return words[0].lower()
    raise Unusable(f"{url}/sha256sums.txt has no checksum for {name}")


def _download(client: httpx.Client, url: str, target: Path, max_bytes: int) -> str:
    """SHA-256 (hex) of what was written to `target`."""
    digest, size, deadline = hashlib.sha256(), 0, time.monotonic() + DOWNLOAD_DEADLINE_S
    try:
        with client.stream("GET", url) as answer, target.open("xb") as out:
            if answer.status_code != 200:
                raise Unusable(f"{url} answered {answer.status_code} {answer.reason_phrase}")
            for chunk in answer.iter_bytes():
                size += len(chunk)
                if size > max_bytes or time.monotonic() > deadline:
                    raise Unusable(f"{url} is larger than {max_bytes} bytes, or took over {DOWNLOAD_DEADLINE_S:.0f} s")
                digest.update(chunk)
                out.write(chunk)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unusable(f"{url} could not be downloaded: {str(error) or type(error).__name__}") from None
    return digest.hexdigest()
