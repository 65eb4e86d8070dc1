"""Finds a prometheus and its promtool: $ALERTDRILL_PROMETHEUS, then PATH, then our cache."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from alertdrill.core.errors import BadInput, Mistake

VARIABLE = "ALERTDRILL_PROMETHEUS"
MINIMUM_VERSION = (2, 42, 0)
MINIMUM_VERSION_TEXT = ".".join(map(str, MINIMUM_VERSION[:2]))
VERSION_TIMEOUT_S = 15.0
INSTALL_COMMAND = "alertdrill doctor --install"

Source = Literal["environment", "path", "cache"]
_VERSION = re.compile(r"^(\w+), version (\d+)\.(\d+)\.(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Binary:
    """A program that was found and that runs; `version` is as it says of itself, such as (2, 42, 0)."""

    path: Path
    version: tuple[int, int, int]
    source: Source

    @property
    def version_text(self) -> str:
        """The version as people write it: `2.42.0`."""
        return ".".join(map(str, self.version))


@dataclass(frozen=True)
class Binaries:
    """The two programs that a drill needs."""

    prometheus: Binary
    promtool: Binary


@dataclass(frozen=True)
class Rejected:
    """A program that was found and cannot be used."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Search:
    """What was found: `found`, or None; and what was passed over on the way."""

    found: Binaries | None
    rejected: tuple[Rejected, ...]


class PrometheusMissing(BadInput):
    """There is no Prometheus to run, or the one that the user named cannot be used.

    Attributes:
        got: what was found instead; one line or several.
        fixes: what to do about it, each of them enough, the best first.
    """

    def __init__(self, where: str, got: str, expected: str, fixes: Sequence[str]) -> None:
        self.got = got
        self.fixes = tuple(fixes)
        super().__init__([Mistake(where=where, got=got, expected=expected, fix=", or: ".join(fixes))])

    def render(self) -> str:
        """Like that of any mistake, but with lines of their own for several causes and fixes."""
        mistake = self.mistakes[0]
        got = "\n    ".join(self.got.splitlines())
        fix = "\n       or: ".join(self.fixes)
        return f"{mistake.where}\n  got {got}\n  expected {mistake.expected}\n  fix: {fix}"


class Unusable(Exception):
    """A program is missing, does not run, is another program or is too old; the message says which."""


def cache_directory() -> Path:
    """Where the Prometheus versions that we obtained are kept, one directory each."""
    import platformdirs  # needed where no program is found elsewhere

    return platformdirs.user_cache_path("alertdrill") / "prometheus"


def parse_version(text: str, program: str) -> tuple[int, int, int] | None:
    """The version in the answer to `--version`, or None if it is not an answer of `program`."""
    found = _VERSION.search(text)
    return (int(found[2]), int(found[3]), int(found[4])) if found and found[1] == program else None


def inspect(path: Path, program: str, source: Source, minimum: tuple[int, int, int] = MINIMUM_VERSION) -> Binary:
    """Run `path --version` and believe what it says.

    Raises:
        Unusable: it does not run, is not `program`, or is older than `minimum`.
    """
    try:
        answer = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_TIMEOUT_S,
        )
    except FileNotFoundError:
        raise Unusable("no such file") from None
    except subprocess.TimeoutExpired:
        raise Unusable(f"did not answer --version within {VERSION_TIMEOUT_S:.0f} s") from None
    except OSError as error:
        raise Unusable(f"does not run here: {error.strerror}") from None
    version = parse_version(answer.stdout + answer.stderr, program)
    if version is None:
        raise Unusable(f"is not {program}: --version does not answer '{program}, version …'")
    if version < minimum:
        needed = ".".join(map(str, minimum[:2]))
        raise Unusable(f"is version {'.'.join(map(str, version))}; at least {needed} is needed")
    return Binary(path, version, source)


def find_prometheus(environ: Mapping[str, str] = os.environ, cache: Path | None = None) -> Search:
    """Look in $ALERTDRILL_PROMETHEUS, on PATH and in our cache, in this order; nothing is installed.

    Args:
        environ: environment variables; ALERTDRILL_PROMETHEUS and PATH are read.
        cache: the cache to search; by default that of the user.

    Raises:
        PrometheusMissing: $ALERTDRILL_PROMETHEUS is set and what it names cannot be used.
    """
    search_path = environ.get("PATH", os.defpath)
    if named := environ.get(VARIABLE):
        return Search(_named(Path(named).expanduser(), search_path), ())
    rejected: list[Rejected] = []
    for candidate in chain(_on_path(search_path), _cached(cache or cache_directory())):
        found = _inspected(candidate, rejected)
        if found:
            return Search(found, tuple(rejected))
    return Search(None, tuple(rejected))


def candidates(environ: Mapping[str, str] = os.environ, cache: Path | None = None) -> Iterator[Binaries]:
    """Every Prometheus on PATH and in our cache that can be used, in this order."""
    for candidate in chain(_on_path(environ.get("PATH", os.defpath)), _cached(cache or cache_directory())):
        found = _inspected(candidate, [])
        if found:
            yield found


Candidate = tuple[Path, Path | None, Source]


def _named(prometheus: Path, search_path: str) -> Binaries:
    fix = f"set {VARIABLE} to the file of a prometheus {MINIMUM_VERSION_TEXT} or later, or unset it"
    if prometheus.is_dir():
        raise _missing(VARIABLE, f"the directory {prometheus}", "a file", f"set {VARIABLE}={prometheus / 'prometheus'}")
    if not prometheus.is_absolute():
        prometheus = prometheus.absolute()
    try:
        found = inspect(prometheus, "prometheus", "environment")
    except Unusable as unusable:
        raise _missing(VARIABLE, f"{prometheus}: {unusable}", "a prometheus that runs", fix) from None
    promtool = _promtool_of(prometheus, search_path)
    beside = f"put promtool beside {prometheus}, or on PATH"
    if promtool is None:
        raise _missing(VARIABLE, f"no promtool beside {prometheus}, nor on PATH", "both programs", beside)
    try:
        return Binaries(found, inspect(promtool, "promtool", "environment"))
    except Unusable as unusable:
        raise _missing(VARIABLE, f"{promtool}: {unusable}", "a promtool that runs", beside) from None


def _on_path(search_path: str) -> Iterator[Candidate]:
    found = shutil.which("prometheus", path=search_path)
    if found:
        prometheus = Path(found).absolute()
        yield prometheus, _promtool_of(prometheus, search_path), "path"


def _cached(cache: Path) -> Iterator[Candidate]:
    """Newest version first. Directories that are still being filled start with a dot."""
    kept = [entry for entry in cache.glob("*/prometheus") if not entry.parent.name.startswith(".")]
    for prometheus in sorted(kept, key=_version_of_directory, reverse=True):
        promtool = prometheus.with_name("promtool")
        yield prometheus, promtool if promtool.exists() else None, "cache"


def _version_of_directory(prometheus: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", prometheus.parent.name))


def _promtool_of(prometheus: Path, search_path: str) -> Path | None:
    beside = prometheus.with_name("promtool")
    if beside.exists():
        return beside
    found = shutil.which("promtool", path=search_path)
    return Path(found).absolute() if found else None


def _inspected(candidate: Candidate, rejected: list[Rejected]) -> Binaries | None:
    prometheus, promtool, source = candidate
    looking_at = prometheus
    try:
        found = inspect(prometheus, "prometheus", source)
        if promtool is None:
            raise Unusable("has no promtool beside it, nor on PATH")
        looking_at = promtool
        return Binaries(found, inspect(promtool, "promtool", source))
    except Unusable as unusable:
        rejected.append(Rejected(looking_at, str(unusable)))
        return None


def _missing(where: str, got: str, expected: str, fix: str) -> PrometheusMissing:
    return PrometheusMissing(where, got, expected, [fix])
