"""Feedback from a file of JSON lines, counted once: how far it was read is kept in the transaction that it fills."""

import logging
import sqlite3
from pathlib import Path

from alertdrill.monitor.truth.feedback import Feedback, Refusal, parse
from alertdrill.monitor.truth.ledger import Ledger
from alertdrill.monitor.truth.quality import Task
from alertdrill.monitor.truth.tail import Position, Tail

_log = logging.getLogger(__name__)


class FeedbackLog:
    """One file, read on with every transaction."""

    def __init__(self, path: Path, task: Task, ledger: Ledger) -> None:
        self._file, self._task, self._ledger = str(path.resolve()), task, ledger
        self._tail = Tail(path)
        self._store: sqlite3.Connection | None = None
        self._unreadable = False
        self._refusals: list[Refusal] = []

    def read(self, db: sqlite3.Connection) -> list[Feedback]:
        """The next feedback, within a transaction that also keeps how far that is. `rewind` if it fails."""
        if db is not self._store:
            row = db.execute("SELECT inode, offset FROM positions WHERE file = ?", (self._file,)).fetchone()
            self._tail.resume(Position(*row) if row else None)
            self._store = db
        self._refusals = []
        try:
            lines = self._tail.read()
        except OSError as error:
            self._tell(error)
            return []
        self._unreadable = False
        if lines is None:
            return []
        db.execute("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", (self._file, *lines.position))
        self._refusals = [Refusal.TOO_LARGE] * lines.too_long
        items = list[Feedback]()
        for line in lines.whole:
            parsed = parse(line, self._task)
            items += parsed.items
            self._refusals += [mistake.reason for mistake in parsed.mistakes]
        return items

    def kept(self) -> None:
        """The transaction is kept: what was wrong in the lines counts."""
        self._ledger.refused.update(self._refusals)
        self._refusals = []

    def rewind(self) -> None:
        """The transaction was not kept: the lines are read again."""
        self._store = None

    def _tell(self, error: OSError) -> None:
        if not self._unreadable:
            _log.error("the feedback log %s cannot be read: %s", self._file, error)
            self._unreadable = True
