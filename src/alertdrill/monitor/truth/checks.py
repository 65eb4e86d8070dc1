"""The state of the checks in the store: which periods were judged, and which e-mails are still to be sent."""

import sqlite3
from typing import NamedTuple

from alertdrill.monitor.truth.check import Letter, Verdict
from alertdrill.monitor.truth.window import Span

BEGUN = "begun"  # not a verdict: where the first period starts
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 3_600.0
PERIODS_TO_SEND = 3  # a letter is given up when so many later periods have ended
KEPT = 100


class Due(NamedTuple):
    """A letter that is to be sent.

    Attributes:
        ends_at: of its period, which is its key.
        letter: itself.
        attempts: that failed.
    """

    ends_at: float
    letter: Letter
    attempts: int


def period_to_judge(db: sqlite3.Connection, every_s: float, now: float) -> Span | None:
    """The last whole period that was not judged, within a transaction; the first period begins at the first call.

    Periods that ended while nothing ran are skipped, all but the last. A last period in the future, which a clock gone
    wrong leaves behind, begins anew.
    """
    last = last_end(db)
    if last is not None and last > now + every_s:
        db.execute("DELETE FROM checks WHERE ends_at > ?", (now,))
        last = None
    if last is None:
        db.execute("INSERT INTO checks (ends_at, verdict, settled_at) VALUES (?, ?, ?)", (now, BEGUN, now))
        return None
    periods = int((now - last) // every_s)
    end = last + every_s * periods
    return Span(end - every_s, end) if periods > 0 else None


def record(db: sqlite3.Connection, span: Span, verdict: Verdict, letter: Letter | None, now: float) -> int:
    """Note a verdict and what is to be sent, within a transaction; how many older letters were given up for it."""
    db.execute(
        "INSERT INTO checks (ends_at, verdict, subject, text, identity, settled_at) VALUES (?, ?, ?, ?, ?, ?)",
        (span.until, verdict, *((letter and (letter.subject, letter.text, letter.identity)) or (None,) * 3),
         None if letter else now),
    )  # fmt: skip
    newest = "SELECT ends_at FROM checks ORDER BY ends_at DESC LIMIT ?"
    given_up = db.execute(
        f"UPDATE checks SET settled_at = ? WHERE settled_at IS NULL AND ends_at NOT IN ({newest})",
        (now, PERIODS_TO_SEND),
    ).rowcount
    db.execute(f"DELETE FROM checks WHERE ends_at NOT IN ({newest})", (KEPT,))
    return given_up


def last_end(db: sqlite3.Connection) -> float | None:
    """When the newest period ended that was judged, or the first began; None before that."""
    end: float | None = db.execute("SELECT max(ends_at) FROM checks").fetchone()[0]
    return end


def unsent(db: sqlite3.Connection) -> int:
    """How many letters wait to be sent."""
    count: int = db.execute("SELECT count(*) FROM checks WHERE settled_at IS NULL").fetchone()[0]
    return count


def last_verdict(db: sqlite3.Connection) -> Verdict | None:
    """Of the newest period that was judged."""
    row = db.execute("SELECT verdict FROM checks WHERE verdict <> ? ORDER BY ends_at DESC LIMIT 1", (BEGUN,)).fetchone()
    return Verdict(row[0]) if row else None


def due(db: sqlite3.Connection, now: float) -> Due | None:
    """The oldest letter whose time to be sent, or sent again, has come."""
    row = db.execute(
        "SELECT ends_at, subject, text, identity, attempts FROM checks "
        "WHERE settled_at IS NULL AND (next_at <= ? OR next_at > ?) ORDER BY ends_at LIMIT 1",
        (now, now + LAST_RETRY_S),
    ).fetchone()
    return Due(row[0], Letter(row[1], row[2], row[3]), row[4]) if row else None


def attempted(db: sqlite3.Connection, letter: Due, sent: bool, now: float) -> None:
    """Note, within a transaction, that a letter was sent, or when to try again: each time twice as late."""
    if sent:
        db.execute("UPDATE checks SET settled_at = ? WHERE ends_at = ?", (now, letter.ends_at))
        return
    wait_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(letter.attempts, 30))
    db.execute(
        "UPDATE checks SET attempts = attempts + 1, next_at = ? WHERE ends_at = ?", (now + wait_s, letter.ends_at)
    )
