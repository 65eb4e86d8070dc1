"""Gets a Prometheus: the one that is there, else one from Debian's archive, else the project's release."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from alertdrill.adapters import prometheus_debian, prometheus_release
from alertdrill.adapters.prometheus_binary import (
    INSTALL_COMMAND,
    MINIMUM_VERSION_TEXT,
    VARIABLE,
    Binaries,
    PrometheusMissing,
    Search,
    Unusable,
    cache_directory,
    find_prometheus,
)


def _say_nothing(_: str) -> None:
    return None


def mending_commands() -> list[str]:
    """Commands of which each would give this machine a Prometheus, the best first."""
    commands = [INSTALL_COMMAND]
    if shutil.which("brew"):
        commands.append("brew install prometheus")
    if prometheus_debian.available():
        commands.append("sudo apt-get install prometheus")
    return [*commands, f"export {VARIABLE}=/path/to/prometheus"]


def obtain_prometheus(cache: Path | None = None, progress: Callable[[str], None] = _say_nothing) -> Binaries:
    """Download a Prometheus into our cache: from apt where there is apt, else (or if that fails) the pinned release.

    Homebrew is suggested in the message of a failure and never run: the release changes nothing but our cache.

    Args:
        cache: where to keep it; by default the user's cache.
        progress: called with a line for each step.

    Raises:
        PrometheusMissing: none of the ways worked; the message has each reason.
    """
    cache = cache or cache_directory()
    ways: list[tuple[str, Callable[[], Binaries]]] = []
    if prometheus_debian.available():
        ways.append(("apt", lambda: prometheus_debian.obtain_from_debian(cache, progress)))
    ways.append(("release", lambda: prometheus_release.obtain_from_release(cache, progress)))
    failures = []
    for name, obtain in ways:
        try:
            return obtain()
        except (Unusable, OSError) as failure:
            failures.append(f"{name}: {failure}")
            progress(failures[-1])
    raise missing("\n".join(["none, and none could be obtained:", *failures]))


def ensure_prometheus(
    environ: Mapping[str, str] = os.environ,
    cache: Path | None = None,
    progress: Callable[[str], None] = _say_nothing,
) -> Binaries:
    """The Prometheus of this machine; obtained if there is none.

    Raises:
        PrometheusMissing: what $ALERTDRILL_PROMETHEUS names cannot be used, or nothing was found and nothing obtained.
    """
    search = find_prometheus(environ, cache)
    if search.found:
        return search.found
    for rejected in search.rejected:
        progress(f"passed over {rejected.path}: {rejected.reason}")
    return obtain_prometheus(cache, progress)


def require_prometheus(search: Search) -> Binaries:
    """What a search found.

    Raises:
        PrometheusMissing: it found nothing that can be used.
    """
    if search.found:
        return search.found
    reasons = "; ".join(f"{rejected.path}: {rejected.reason}" for rejected in search.rejected)
    raise missing(f"none on PATH nor in our cache{f' ({reasons})' if reasons else ''}")


def missing(got: str) -> PrometheusMissing:
    """The error that says how to get a Prometheus on this machine."""
    return PrometheusMissing("prometheus", got, f"prometheus {MINIMUM_VERSION_TEXT} or later", mending_commands())
