"""What the store forgets: rows over its size or age, and feedback that waited in vain for its prediction."""

import sqlite3

AT_A_TIME = 5_000


class Retention:
    """How much is kept, and for how long."""

    def __init__(self, rows: int, age_s: float, early_s: float) -> None:
        """Bounds.

        Args:
            rows: predictions, and KPIs, at most.
            age_s: seconds that they are kept.
            early_s: seconds that feedback waits for its prediction.
        """
        self._rows, self._age_s, self._early_s = rows, age_s, early_s

    def apply(self, db: sqlite3.Connection, now: float) -> tuple[int, int]:
        """Forget, within a transaction, at most `AT_A_TIME` rows of each kind, the oldest first.

        Returns:
            How many rows of feedback had waited in vain, and how many predictions were forgotten.
        """
        early = (now - self._early_s, AT_A_TIME)
        in_vain = db.execute(
            "DELETE FROM answers WHERE seq IN "
            "(SELECT seq FROM answers WHERE predicted_at IS NULL AND came_at < ? LIMIT ?)",
            early,
        ).rowcount
        forgotten = self._oldest(db, "answers", "came_at", now)
        if self._oldest(db, "kpis", "at", now):
            db.execute("DELETE FROM kpi_names WHERE NOT EXISTS (SELECT 1 FROM kpis WHERE kpi = name)")
        return in_vain, forgotten

    def _oldest(self, db: sqlite3.Connection, table: str, time: str, now: float) -> int:
        first, last = db.execute(f"SELECT (SELECT min(seq) FROM {table}), (SELECT max(seq) FROM {table})").fetchone()
        if first is None:
            return 0
        return db.execute(
            f"DELETE FROM {table} WHERE seq < ? AND (seq <= ? OR {time} < ?)",
            (first + AT_A_TIME, last - self._rows, now - self._age_s),
        ).rowcount
