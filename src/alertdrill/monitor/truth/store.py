"""The store of predictions and their truth: one SQLite file, with everything in it or nothing of a batch."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

LAYOUT = 1
BUSY_S = 1.0
MOST_QUARANTINED = 3
SUFFIXES = ("", "-wal", "-shm")

TABLES = """
CREATE TABLE answers (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, came_at REAL NOT NULL,
    predicted_at REAL, version TEXT, predicted, score REAL,
    labelled_at REAL, label, joined_at REAL, value REAL, clicked INTEGER
);
CREATE INDEX answers_predicted ON answers (predicted_at) WHERE predicted_at IS NOT NULL;
CREATE INDEX answers_joined ON answers (joined_at) WHERE joined_at IS NOT NULL;
CREATE INDEX answers_early ON answers (came_at) WHERE predicted_at IS NULL;
CREATE TABLE kpis (seq INTEGER PRIMARY KEY, kpi TEXT NOT NULL, id TEXT, version TEXT, at REAL NOT NULL,
    value REAL NOT NULL, UNIQUE (id, kpi));
CREATE TABLE kpi_names (name TEXT PRIMARY KEY);
CREATE INDEX kpis_at ON kpis (kpi, at);
CREATE TABLE positions (file TEXT PRIMARY KEY, inode INTEGER NOT NULL, offset INTEGER NOT NULL);
CREATE TABLE checks (
    ends_at REAL PRIMARY KEY, verdict TEXT NOT NULL, subject TEXT, text TEXT, identity TEXT,
    attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL DEFAULT 0, settled_at REAL
);
"""


class Ailment(StrEnum):
    """What is wrong with a store; each asks for another cure."""

    CORRUPT = "corrupt"  # quarantined at once
    LOCKED = "locked"  # waited for, then quarantined
    FULL = "full"  # no space: tried again
    FAILED = "failed"  # no rights, a bad disk: opened again


class UnusableStore(Exception):
    """The store failed; nothing of the transaction under way was kept.

    Attributes:
        ailment: what is wrong.
    """

    def __init__(self, ailment: Ailment, text: str) -> None:
        super().__init__(text)
        self.ailment = ailment


AILMENTS = {
    sqlite3.SQLITE_CORRUPT: Ailment.CORRUPT,
    sqlite3.SQLITE_NOTADB: Ailment.CORRUPT,
    sqlite3.SQLITE_SCHEMA: Ailment.CORRUPT,
    sqlite3.SQLITE_BUSY: Ailment.LOCKED,
    sqlite3.SQLITE_LOCKED: Ailment.LOCKED,
    sqlite3.SQLITE_FULL: Ailment.FULL,
}


def ailment_of(error: sqlite3.Error) -> Ailment:
    """What an error of SQLite says about the store (its primary result code, https://sqlite.org/rescode.html)."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return Ailment.FAILED
    if code == sqlite3.SQLITE_ERROR and "no such" in str(error):  # a table or column that our layout has
        return Ailment.CORRUPT
    return AILMENTS.get(code & 0xFF, Ailment.FAILED)


class Store:
    """An open store. Every method belongs to the thread that opened it."""

    def __init__(self, path: Path) -> None:
        """Open or make the file, and look through it for damage.

        Raises:
            UnusableStore: it cannot be used as it is.
        """
        self.path = path
        with _told():
            self.db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, cached_statements=64)
        try:
            with _told():
                self._prepare()
        except UnusableStore:
            self.db.close()
            raise
        self._inode = os.stat(path).st_ino

    def _prepare(self) -> None:
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute("PRAGMA journal_size_limit = 8388608")
        layout = self.db.execute("PRAGMA user_version").fetchone()[0]
        damage = self.db.execute("PRAGMA quick_check(1)").fetchone()[0]
        tables = self.db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if damage != "ok" or (layout != LAYOUT and (layout or tables)):
            raise UnusableStore(
                Ailment.CORRUPT, damage if damage != "ok" else f"got layout {layout}, expected {LAYOUT}"
            )
        if layout != LAYOUT:
            self.db.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what is written inside is kept, or nothing.

        Raises:
            UnusableStore: it could not be kept.
        """
        with _told():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the store for all that is read inside.

        Raises:
            UnusableStore: it could not be read.
        """
        with _told():
            self.db.execute("BEGIN")
            try:
                yield self.db
            finally:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")

    @property
    def replaced(self) -> bool:
        """Whether the file is no longer the one that was opened: what is written now would be lost."""
        try:
            return os.stat(self.path).st_ino != self._inode
        except OSError:
            return True

    def close(self) -> None:
        """Close the file; never raises."""
        with suppress(sqlite3.Error):
            self.db.close()


def quarantine(path: Path, now: float) -> Path:
    """Rename the file with its journals to a name that tells when; the oldest of more than three such are removed.

    Raises:
        OSError: it cannot be renamed.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.name}.quarantined-{stamp}")
    for suffix in SUFFIXES:  # the main file first: SQLite removes the journal of a store that is not there
        if os.path.exists(f"{path}{suffix}"):
            os.rename(f"{path}{suffix}", f"{aside}{suffix}")
    kept = sorted(p for p in path.parent.glob(f"{path.name}.quarantined-*") if not p.name.endswith(SUFFIXES[1:]))
    for old in kept[:-MOST_QUARANTINED]:
        for suffix in SUFFIXES:
            Path(f"{old}{suffix}").unlink(missing_ok=True)
    return aside


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise UnusableStore(ailment_of(error), str(error)) from error
