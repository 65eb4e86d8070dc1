"""Whether the log that a monitor follows is the one that it writes, which would feed on itself."""

import contextlib
import os
from pathlib import Path


def is_own_log(followed: Path, written: Path) -> bool:
    """Whether two paths are one file, or one of them is a name that the other gets in its rotation (`log`, `log.3`)."""
    with contextlib.suppress(OSError):  # mostly neither is there yet
        if os.path.samefile(followed, written):
            return True
    one, other = _names(followed), _names(written)
    return bool(one & (other | _unrotated(other)) or other & _unrotated(one))


def _names(path: Path) -> set[Path]:
    """As it is written, and where its links lead: a rotation renames a link, and not what it leads to."""
    return {Path(os.path.abspath(path)), Path(os.path.realpath(path))}


def _unrotated(names: set[Path]) -> set[Path]:
    return {name.with_suffix("") for name in names if name.suffix[1:].isdecimal()}
