"""`alertdrill doctor`: what this machine has for a drill, and the command that mends each thing it lacks."""

import importlib.metadata
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from alertdrill.adapters.alertmanager_binary import find_alertmanager
from alertdrill.adapters.alertmanager_install import ensure_alertmanager
from alertdrill.adapters.alertmanager_install import mending_commands as alertmanager_commands
from alertdrill.adapters.extras import lacking
from alertdrill.adapters.prometheus_binary import Binary, PrometheusMissing, Search, cache_directory, find_prometheus
from alertdrill.adapters.prometheus_install import ensure_prometheus, mending_commands

MINIMUM_PYTHON = (3, 11)
_FOUND_IN = {"environment": "from $ALERTDRILL_PROMETHEUS", "path": "on PATH", "cache": "in our cache"}
_STYLES = {"ok": "green", "missing": "red", "optional": "yellow", "note": "dim"}


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's.

    Attributes:
        state: `ok`, `missing` (no drill can run), `optional` (some drills cannot) or `note`.
        name: what was looked for.
        lines: what was found.
        mend: commands of which each mends it, the best first.
    """

    state: str
    name: str
    lines: tuple[str, ...]
    mend: tuple[str, ...] = ()


def doctor(console: Console, install: bool = False) -> int:
    """Print what a drill needs and what is there.

    Args:
        console: where to print.
        install: whether to download a Prometheus, and an Alertmanager, into our cache if there is none.

    Returns:
        0 if a drill can run, else 2.
    """
    findings = [_python(), *_prometheus(console, install), *_alertmanager(console, install), *_packages()]
    findings += _system(cache_directory())
    for finding in findings:
        _print(console, finding)
    able = not any(finding.state == "missing" for finding in findings)
    console.print()
    console.print("a drill can run" if able else "no drill can run yet", style="bold", highlight=False)
    return 0 if able else 2


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= MINIMUM_PYTHON:
        return Finding("ok", "Python", (version, sys.executable))
    return Finding("missing", "Python", (f"{version} is too old: 3.11 or later is needed",))


def _say(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(f"  … {line}", markup=False, highlight=False)


def _prometheus(console: Console, install: bool) -> Iterator[Finding]:
    try:
        if install:
            ensure_prometheus(progress=_say(console))
        search = find_prometheus()
    except PrometheusMissing as error:
        yield Finding("missing", "Prometheus", tuple(error.got.splitlines()), error.fixes)
        return
    yield from _search(search)


def _search(search: Search) -> Iterator[Finding]:
    for rejected in search.rejected:
        yield Finding("note", "passed over", (str(rejected.path), rejected.reason))
    if search.found is None:
        yield Finding("missing", "Prometheus", ("none on PATH nor in our cache",), tuple(mending_commands()))
        return
    yield _binary("Prometheus", search.found.prometheus)
    yield _binary("promtool", search.found.promtool)


def _binary(name: str, binary: Binary) -> Finding:
    return Finding("ok", name, (f"{binary.version_text}, {_FOUND_IN[binary.source]}", str(binary.path)))


def _alertmanager(console: Console, install: bool) -> Iterator[Finding]:
    """Only drills with `monitoring.alertmanager: managed` need one."""
    search = find_alertmanager()
    if search.found is None and install:
        try:
            ensure_alertmanager(progress=_say(console), search=search)
            search = find_alertmanager()
        except PrometheusMissing as error:
            lines = ("needed for a managed Alertmanager only", *error.got.splitlines())
            yield Finding("optional", "Alertmanager", lines, error.fixes)
            return
    for rejected in search.rejected:
        yield Finding("note", "passed over", (str(rejected.path), rejected.reason))
    if search.found is None:
        lines = ("none on PATH nor in our cache", "needed for a managed Alertmanager only")
        yield Finding("optional", "Alertmanager", lines, tuple(alertmanager_commands()))
        return
    binary = search.found.program
    lines = (f"{binary.version_text}, {_FOUND_IN[binary.source]}, run {search.found.way.name}", str(binary.path))
    yield Finding("ok", "Alertmanager", lines)


def _packages() -> Iterator[Finding]:
    locust = _version("locust")
    if locust:
        yield Finding("ok", "Locust", (locust,))
    else:
        yield Finding("missing", "Locust", ("not installed",), (_pip_install(["locust"]),))
    missing = lacking("targets")
    if missing:
        what = f"not installed: {', '.join(missing)}; needed for bundled targets only"
        yield Finding("optional", "targets", (what,), (_pip_install(missing),))
    else:
        yield Finding("ok", "targets", ("all packages of bundled targets are installed",))


def _system(cache: Path) -> Iterator[Finding]:
    tools = {"apt": ("apt-get", "dpkg"), "Homebrew": ("brew",)}
    present = [name for name, programs in tools.items() if all(shutil.which(program) for program in programs)]
    yield Finding("note", "packages by", (", ".join(present) or "neither apt nor Homebrew",))
    nearest = next(directory for directory in (cache, *cache.parents) if directory.exists())
    if os.access(nearest, os.W_OK):
        yield Finding("note", "cache", (str(cache),))
    else:
        lines = (str(cache), f"{nearest} cannot be written")
        yield Finding("optional", "cache", lines, ("export XDG_CACHE_HOME=/a/directory/you/can/write",))


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _pip_install(requirements: Sequence[str]) -> str:
    return shlex.join([sys.executable, "-m", "pip", "install", *requirements])


def _print(console: Console, finding: Finding) -> None:
    """Lines are not wrapped, so that paths and commands can be copied."""
    for number, line in enumerate([*finding.lines, *(f"mend: {command}" for command in finding.mend)]):
        head = (
            Text(f"{finding.state:<9}", style=_STYLES[finding.state]) + Text(f"{finding.name:<14}")
            if number == 0
            else Text(" " * 23)
        )
        console.print(head + Text(line), soft_wrap=True, highlight=False)
