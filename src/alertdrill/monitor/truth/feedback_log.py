"""Feedback from a file of JSON lines, counted once: how far it was read is kept in the transaction that it fills."""

import logging
import sqlite3
from pathlib import Path

from alertdrill.monitor.line_file import START, LineFile, Position
from alertdrill.monitor.truth.feedback import Feedback, Refusal, parse
from alertdrill.monitor.truth.ledger import Ledger
from alertdrill.protocols.figures import Task

READ_BYTES = 64 << 10  # in one transaction

_log = logging.getLogger(__name__)


class FeedbackLog:
    """One file, read on with every transaction; what was read for one that is not kept belongs to the next."""

    def __init__(self, path: Path, task: Task, ledger: Ledger) -> None:
        self._name, self._task, self._ledger = str(path.resolve()), task, ledger
        self._file = LineFile(path, read_bytes=READ_BYTES)
        self._store: sqlite3.Connection | None = None
        self._kept = START
        self._lines: list[bytes] = []  # that were read and are not kept yet
        self._refusals: list[Refusal] = []
        self._too_long = 0
        self._unreadable = False

    def read(self, db: sqlite3.Connection) -> list[Feedback]:
        """The next feedback, within a transaction that also keeps how far that is; tell then what became of it."""
        if db is not self._store:
            self._go_on(db)
        self._lines = self._lines or self._next()
        self._refusals = [Refusal.TOO_LARGE] * (self._file.too_long - self._too_long)
        items = list[Feedback]()
        for line in self._lines:
            parsed = parse(line, self._task)
            items += parsed.items
            self._refusals += [mistake.reason for mistake in parsed.mistakes]
        if self._file.position != self._kept:
            db.execute("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", (self._name, *self._file.position))
        return items

    def _go_on(self, db: sqlite3.Connection) -> None:
        """Go to where the store says that the file was read to, if that is not what it was last told."""
        row = db.execute("SELECT inode, offset FROM positions WHERE file = ?", (self._name,)).fetchone()
        kept = Position(*row) if row else START
        if kept != self._kept:
            self._file.resume(kept)
            self._kept, self._lines = kept, []
        self._store = db

    def _next(self) -> list[bytes]:
        try:
            lines = self._file.read()
        except OSError as error:
            if not self._unreadable:
                _log.error("the feedback log %s cannot be read: %s", self._name, error)
            self._unreadable = True
            return []
        self._unreadable = False
        return lines

    def kept(self) -> None:
        """The transaction is kept: what was wrong in the lines counts."""
        self._ledger.refused.update(self._refusals)
        self._kept, self._lines, self._refusals = self._file.position, [], []
        self._too_long = self._file.too_long

    def not_kept(self) -> None:
        """Whether the transaction is kept is for the store to say."""
        self._store = None

    def give_up(self) -> None:
        """No transaction can hold these lines: count them as lost to the store, and go on behind them."""
        self._ledger.refused[Refusal.STORE_FAILED] += len(self._lines)
        self._lines = []

    def close(self) -> None:
        """Read no more."""
        self._file.close()
