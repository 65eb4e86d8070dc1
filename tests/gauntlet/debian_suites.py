"""The Prometheus of other suites of Debian's archive, unpacked: their programs need the C library alone."""

from pathlib import Path

import pytest

from alertdrill.adapters.debian_packages import Packages, available
from alertdrill.adapters.prometheus_binary import Unusable

ARCHIVE = "http://deb.debian.org/debian"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def prometheus_of(suite: str, work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program of a suite, its package checked with Debian's own keys; without apt or the archive, a clear skip."""
    if not (available() and Path(KEYS).is_file()):
        pytest.skip("this system has no apt with the keys of Debian's archive")
    sources, settings = work / "sources.list", work / "apt.conf"
    sources.write_text(f"deb [signed-by={KEYS}] {ARCHIVE} {suite} main\n")
    settings.write_text(f'Dir::Etc::sourcelist "{sources}";\nDir::Etc::sourceparts "/dev/null";\n')
    monkeypatch.setenv("APT_CONFIG", str(settings))
    packages = Packages(work, print)
    try:
        packages.unpack("prometheus")
    except Unusable as error:
        pytest.skip(f"{suite} of {ARCHIVE} has none for this machine, or cannot be reached: {error}")
    return packages.unpacked / "usr/bin/prometheus"
