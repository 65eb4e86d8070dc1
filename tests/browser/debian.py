"""Chromium from Debian's packages: downloaded with apt, unpacked without root, kept in the user's cache.

apt itself finds out which libraries this machine lacks: nothing is installed, and there is no list to keep.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_path

TIMEOUT_S = 900.0
PROGRAM = "usr/lib/chromium/chromium"
NO_APT = "Chromium comes from Debian's package; this system has no apt-get and no chromium"


class NoBrowser(Exception):
    """Chromium cannot be had here; the text says why."""


class Installed(NamedTuple):
    """A Chromium.

    Attributes:
        program: to be run.
        environment: in which it finds its libraries.
    """

    program: Path
    environment: dict[str, str]


def installed() -> Installed:
    """The Chromium of this machine, else that of our cache, downloaded if need be.

    Raises:
        NoBrowser: this is not Debian or a relative, or its packages cannot be reached.
    """
    own = shutil.which("chromium")
    if own is not None:
        return Installed(Path(own), dict(os.environ))
    if not all(map(shutil.which, ("apt-get", "dpkg"))):
        raise NoBrowser(NO_APT)
    cache = user_cache_path("alertdrill") / "chromium"
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / "root"
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one test process downloads, the others wait for it
        if not (root / PROGRAM).exists():
            _obtain(cache, root)
    return Installed(root / PROGRAM, _environment(root))


def _environment(root: Path) -> dict[str, str]:
    """One in which unpacked programs find their libraries, and fonts where the machine has none."""
    folders = [path for base in ("usr/lib", "lib") for path in (root / base).glob("*-linux-gnu*")]
    nested = [path.parent for folder in folders for path in folder.glob("*/*.so*")]
    found = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, dict.fromkeys([*folders, *nested])))}
    if (root / "usr/share/fonts").exists():
        found["XDG_DATA_HOME"] = str(root / "usr/share")  # where fontconfig looks too
    if (root / "etc/fonts/fonts.conf").exists():
        found["FONTCONFIG_PATH"] = str(root / "etc/fonts")
    return found


def _obtain(cache: Path, root: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=cache) as folder:
        work = Path(folder)
        archives = _download(work)
        unpacked = work / "root"
        for archive in archives:
            _run(["dpkg", "-x", str(archive), str(unpacked)])
        if not (unpacked / PROGRAM).exists():
            raise NoBrowser(f"the package chromium holds no {PROGRAM}")
        shutil.rmtree(root, ignore_errors=True)
        unpacked.rename(root)


def _download(work: Path) -> list[Path]:
    """The package and those of its dependencies that are not installed; lists of apt's own, if those here do not do."""
    for folder in ("cache/archives/partial", "state/lists/partial"):
        (work / folder).mkdir(parents=True)
    options = {"Dir::Cache": work / "cache", "Debug::NoLocking": 1, "APT::Sandbox::User": "root", "Acquire::Retries": 2}
    lists = {"Dir::State": work / "state", "Dir::State::status": "/var/lib/dpkg/status", "Acquire::Languages": "none"}
    install = ["-y", "--no-install-recommends", "--download-only", "install", "chromium", "fonts-dejavu-core"]
    try:
        _run([*_apt(options), *install])
    except NoBrowser:
        _run([*_apt({**options, **lists}), "update"])
        _run([*_apt({**options, **lists}), *install])
    return list((work / "cache/archives").glob("*.deb"))


def _apt(options: dict[str, object]) -> list[str]:
    return ["apt-get", "-q", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]


def _run(command: list[str]) -> None:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise NoBrowser(f"{command[0]} took more than {TIMEOUT_S:g} s") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()
        raise NoBrowser(f"{command[0]} failed: {said[-1]}")


if __name__ == "__main__":
    started = time.monotonic()
    found = installed()
    sys.stdout.write(f"{found.program} after {time.monotonic() - started:.1f} s\n")
