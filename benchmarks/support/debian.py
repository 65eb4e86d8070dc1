"""Programs that benchmarks compare with: packages of Debian, downloaded and unpacked without root, kept in a cache."""

import os
import shutil
import subprocess
from pathlib import Path

from platformdirs import user_cache_path

PACKAGES = ("wrk", "hey", "nginx", "libluajit-5.1-2")


class Missing(Exception):
    """A program cannot be had here; the text says why."""


def programs() -> Path:
    """Folder that holds the unpacked packages.

    Raises:
        Missing: this is not Debian or a relative, or it cannot reach its packages.
    """
    folder = user_cache_path("alertdrill") / "benchmarks"
    if all((folder / path).exists() for path in ("usr/bin/wrk", "usr/bin/hey", "usr/sbin/nginx")):
        return folder
    if not all(shutil.which(name) for name in ("apt-get", "dpkg")):
        raise Missing("wrk, hey and nginx come from Debian's packages; this system has no apt-get")
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        done = subprocess.run(["apt-get", "download", name], cwd=folder, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise Missing(f"apt-get download {name}: {done.stderr.strip().splitlines()[-1]}; try apt-get update")
    for archive in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", archive, folder], check=True, timeout=60)
        archive.unlink()
    return folder


def environment(folder: Path) -> dict[str, str]:
    """Environment in which the unpacked programs find their libraries."""
    libraries = [str(path) for path in (folder / "usr/lib").glob("*-linux-gnu*")]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}
