"""Finds a Prometheus of the major version that a drill was recorded with: others evaluate some rules otherwise."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from alertdrill.adapters.prometheus_binary import VARIABLE, Binaries, PrometheusMissing, candidates
from alertdrill.adapters.prometheus_install import ensure_prometheus


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
    major = int(re.match(r"\d*", version)[0] or 0)  # type: ignore[index]
    found = ensure_prometheus(environ, cache)
    others = [found] if environ.get(VARIABLE) else [found, *candidates(environ, cache)]
    for one in others:
        if one.prometheus.version[0] == major:
            return one
    have = ", ".join(dict.fromkeys(one.prometheus.version_text for one in others))
    fixes = [f"export {VARIABLE}=/path/to/prometheus of version {major}"]
    raise PrometheusMissing(
        needed_by, f"only Prometheus {have}", f"a Prometheus {major}.x, as it was recorded with {version}", fixes
    )
