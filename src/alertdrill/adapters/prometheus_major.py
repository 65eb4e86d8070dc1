"""Finds a Prometheus of the major version that a drill was recorded with: others evaluate some rules otherwise."""

import os
from collections.abc import Mapping
from pathlib import Path

from alertdrill.adapters.prometheus_binary import (
    VARIABLE,
    Binaries,
    PrometheusMissing,
    candidates,
    find_prometheus,
)


def prometheus_of_major(
    version: str, needed_by: str, environ: Mapping[str, str] = os.environ, cache: Path | None = None
) -> Binaries:
    """The best Prometheus of this machine that has the major version of `version`, such as `2.42.0+ds`.

    Args:
        version: of the engine that a drill was recorded with.
        needed_by: the recording, for the message.
        environ: environment variables.
        cache: our cache; by default that of the user.

    Raises:
        PrometheusMissing: there is none.
    """
    major = version.partition(".")[0]
    named = find_prometheus(environ, cache).found if environ.get(VARIABLE) else None
    have: list[str] = []
    for one in [named] if named else candidates(environ, cache):
        if str(one.prometheus.version[0]) == major:
            return one
        have.append(one.prometheus.version_text)
    got = f"only Prometheus {', '.join(dict.fromkeys(have))}" if have else "none"
    expected = f"a Prometheus {major}.x, as the drill was recorded with {version}"
    fixes = [f"export {VARIABLE}=/path/to/prometheus of version {major}.x", "alertdrill doctor --install"]
    raise PrometheusMissing(needed_by, got, expected, fixes)
