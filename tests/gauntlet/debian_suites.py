"""The Prometheus of other suites of Debian's archive, unpacked: their programs need the C library alone."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from alertdrill.adapters.debian_packages import Packages, available
from alertdrill.adapters.prometheus_binary import Unusable
from alertdrill.adapters.prometheus_install import ensure_prometheus

ARCHIVE = "http://deb.debian.org/debian"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
OWN_PROMTOOL = ("trixie", "sid")
"""Suites in which promtool is a package of its own."""


@dataclass(frozen=True)
class Programs:
    """A Prometheus and its promtool."""

    prometheus: Path
    promtool: Path

    @property
    def version(self) -> str:
        """As promtool says it, such as 2.42.0."""
        said = subprocess.run([self.promtool, "--version"], capture_output=True, text=True, check=True, timeout=60)
        return (said.stdout + said.stderr).split("version ")[1].split()[0].split("+")[0].rstrip(",")


def programs_of(suite: str, work: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Those of a suite, or of this machine (`here`)."""
    if suite == "here":
        found = ensure_prometheus()
        return Programs(found.prometheus.path, found.promtool.path)
    packages = ("prometheus", "promtool") if suite in OWN_PROMTOOL else ("prometheus",)
    programs = _unpacked(suite, work, monkeypatch, *packages) / "usr/bin"
    return Programs(programs / "prometheus", programs / "promtool")


def prometheus_of(suite: str, work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program of a suite, its package checked with Debian's own keys; without apt or the archive, a clear skip."""
    return _unpacked(suite, work, monkeypatch, "prometheus") / "usr/bin/prometheus"


def _unpacked(suite: str, work: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Path:
    if not (available() and Path(KEYS).is_file()):
        pytest.skip("this system has no apt with the keys of Debian's archive")
    sources, settings = work / "sources.list", work / "apt.conf"
    sources.write_text(f"deb [signed-by={KEYS}] {ARCHIVE} {suite} main\n")
    settings.write_text(f'Dir::Etc::sourcelist "{sources}";\nDir::Etc::sourceparts "/dev/null";\n')
    monkeypatch.setenv("APT_CONFIG", str(settings))
    packages = Packages(work, print)
    try:
        for name in names:
            packages.unpack(name)
    except Unusable as error:
        pytest.skip(f"{suite} of {ARCHIVE} has none for this machine, or cannot be reached: {error}")
    return packages.unpacked
