"""Gets an Alertmanager: the one that is there, else the package of Debian's archive, unpacked into our cache."""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from alertdrill.adapters import debian_packages
from alertdrill.adapters.alertmanager_binary import (
    MINIMUM_VERSION,
    MINIMUM_VERSION_TEXT,
    PROOT,
    Alertmanager,
    AlertmanagerSearch,
    alertmanager_cache,
    find_alertmanager,
    usable,
)
from alertdrill.adapters.alertmanager_way import namespace, works
from alertdrill.adapters.debian_packages import Packages
from alertdrill.adapters.prometheus_binary import INSTALL_COMMAND, PrometheusMissing, Unusable, inspect
from alertdrill.adapters.prometheus_cache import workspace

PACKAGE = "prometheus-alertmanager"


def _say_nothing(_: str) -> None:
    return None


def mending_commands() -> list[str]:
    """Commands of which each would give this machine an Alertmanager, the best first."""
    commands = [INSTALL_COMMAND, f"sudo apt-get install {PACKAGE}"] if debian_packages.available() else []
    return [*commands, "put alertmanager and amtool of a release on PATH"]


def ensure_alertmanager(
    cache: Path | None = None, progress: Callable[[str], None] = _say_nothing, search: AlertmanagerSearch | None = None
) -> Alertmanager:
    """The Alertmanager of this machine; obtained if there is none.

    Args:
        cache: where to keep one that is obtained; by default the user's cache.
        progress: called with a line for each step.
        search: what is known to be there; by default it is looked for.

    Raises:
        PrometheusMissing: there is none, and none could be obtained.
    """
    search = search or find_alertmanager(cache=cache)
    if search.found:
        return search.found
    for rejected in search.rejected:
        progress(f"passed over {rejected.path}: {rejected.reason}")
    try:
        if not debian_packages.available():
            raise Unusable("this system has no apt-get")
        return obtain_alertmanager(cache or alertmanager_cache(), progress)
    except (Unusable, OSError) as failure:
        got = f"none on PATH nor in our cache, and none could be obtained:\napt: {failure}"
        expected = f"alertmanager {MINIMUM_VERSION_TEXT} or later"
        raise PrometheusMissing("alertmanager", got, expected, mending_commands()) from failure


def obtain_alertmanager(cache: Path, progress: Callable[[str], None] = _say_nothing) -> Alertmanager:
    """Download Debian's package, and proot where user namespaces are forbidden, and keep both.

    Args:
        cache: where to keep them.
        progress: called with a line for each step.

    Raises:
        Unusable: apt has no such package, could not download it, or what it has does not run here.
    """
    with workspace(cache) as work:
        packages = Packages(work.path, progress)
        packages.unpack(PACKAGE)
        unpacked = _arranged(packages.unpacked, work.path / "alertmanager")
        version = inspect(unpacked / "alertmanager", "alertmanager", "cache", MINIMUM_VERSION).version_text
        if not works(namespace(unpacked / "share")):
            packages.unpack_with_needs("proot")
            _keep(arranged_proot(packages.unpacked, work.path / PROOT), cache / PROOT)
        place = cache / version
        if place.exists() and not _runs(place, cache):
            shutil.move(place, work.path / "broken")
        _keep(unpacked, place)
    return usable(place / "alertmanager", "cache", cache)


def _runs(place: Path, cache: Path) -> bool:
    try:
        usable(place / "alertmanager", "cache", cache)
    except Unusable:
        return False
    return True


def _arranged(unpacked: Path, directory: Path) -> Path:
    """The programs, and what they look for in /usr/share; `zoneinfo` is there to be mounted over."""
    (directory / "share" / "zoneinfo").mkdir(parents=True)
    try:
        (unpacked / f"usr/bin/{PACKAGE}").rename(directory / "alertmanager")
        (unpacked / "usr/bin/amtool").rename(directory / "amtool")
        (unpacked / "usr/share/prometheus").rename(directory / "share" / "prometheus")
    except FileNotFoundError as error:
        raise Unusable(f"the package {PACKAGE} has no {Path(str(error.filename)).name}") from None
    return directory


def arranged_proot(unpacked: Path, directory: Path) -> Path:
    """Proot and the libraries that were unpacked with it.

    Raises:
        Unusable: the package has no proot.
    """
    (directory / "lib").mkdir(parents=True)
    program = unpacked / "usr/bin/proot"
    if not program.is_file():
        raise Unusable("the package proot has no proot")
    program.rename(directory / "proot")
    for library in sorted(unpacked.glob("**/lib*.so*")):
        shutil.copy2(library, directory / "lib" / library.name)
    return directory


def _keep(directory: Path, place: Path) -> None:
    """Move it into the cache by one rename; if another process was faster, its copy stays."""
    with contextlib.suppress(OSError):
        os.rename(directory, place)
