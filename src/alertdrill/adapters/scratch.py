"""Directories of a running process that are removed at its end, or by the next process if it could not do so itself."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

LOCK_NAME = ".in-use"
SPARED_AGE_S = 60.0


class Scratch:
    """A private directory, in use while this object holds the lock on a file in it.

    The kernel drops the lock when its holder ends, by SIGKILL too: whoever makes the next scratch directory under the
    same parent with the same prefix removes what was left behind. Directories younger than 60 s are spared, because
    their owner may be between creating and locking them.

    Attributes:
        path: the directory, mode 0700.
    """

    def __init__(self, prefix: str, parent: Path | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        _remove_abandoned(parent, prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self._lock = os.open(self.path / LOCK_NAME, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the directory and all in it; doing so again does nothing."""
        if self._lock < 0:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
        self._lock = -1


def _remove_abandoned(parent: Path, prefix: str) -> None:
    oldest_spared = time.time() - SPARED_AGE_S
    for directory in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            owned = directory.is_dir() and not directory.is_symlink() and directory.stat().st_uid == os.getuid()
            if owned and directory.stat().st_mtime < oldest_spared and _abandoned(directory / LOCK_NAME):
                shutil.rmtree(directory, ignore_errors=True)


def _abandoned(lock_file: Path) -> bool:
    if not lock_file.exists():
        return True
    lock = os.open(lock_file, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
