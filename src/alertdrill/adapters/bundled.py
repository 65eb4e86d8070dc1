"""Where the scenarios and targets that come with alertdrill are: in the installed package, or in the checkout."""

from collections.abc import Iterable
from pathlib import Path

import alertdrill
from alertdrill.core.errors import BadInput, Mistake, nearest

TARGET_FILE = "target.yaml"
_SUFFIXES = (".yaml", ".yml")


def scenarios_dir() -> Path:
    """Folder of the bundled scenarios."""
    return _dir("scenarios")


def targets_dir() -> Path:
    """Folder of the bundled targets."""
    return _dir("targets")


def bundled_targets() -> list[str]:
    """Names of the bundled targets, sorted."""
    return _names(path.name for path in _children(targets_dir()) if (path / TARGET_FILE).is_file())


def bundled_scenarios() -> list[str]:
    """Names of the bundled scenarios, sorted."""
    return _names(path.stem for path in _children(scenarios_dir()) if path.suffix in _SUFFIXES)


def find_scenario(name_or_path: str) -> Path:
    """The scenario file that a command's argument means: a path, or the name of a bundled scenario.

    Raises:
        BadInput: there is no such file.
    """
    path = Path(name_or_path)
    looks_like_path = path.suffix in _SUFFIXES or "/" in name_or_path or "\\" in name_or_path
    if _exists(path) and not path.is_dir():
        return path
    bundled = scenarios_dir() / f"{name_or_path}.yaml"
    if not looks_like_path and _exists(bundled):
        return bundled
    near = [p.name for p in _children(path.parent) if p.suffix in _SUFFIXES] if looks_like_path else bundled_scenarios()
    close = nearest(path.name, near)
    fix = "check the path (bundled: {})".format(", ".join(bundled_scenarios()))
    if close:
        fix = f"write {path.parent / close if looks_like_path else close}"
    got = "a folder" if looks_like_path and _exists(path) else "no such file"
    raise BadInput([Mistake(name_or_path, got, "a scenario file or the name of a bundled scenario", fix)])


def _dir(name: str) -> Path:
    package = Path(alertdrill.__file__).resolve().parent
    installed = package / "bundled" / name
    return installed if installed.is_dir() else package.parents[1] / name


def _names(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith((".", "_")))


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a zero byte in it
        return False
