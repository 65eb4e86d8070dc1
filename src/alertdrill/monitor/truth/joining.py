"""Predictions and feedback into the store, joined by id, each counted once."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import orjson

from alertdrill.monitor.sampling import is_sampled
from alertdrill.monitor.truth.feedback import MOST_KPIS, Feedback, Refusal
from alertdrill.monitor.truth.values import Label


class Outcome(StrEnum):
    """What became of a piece of feedback or a prediction. These are all the values of the label `outcome`."""

    JOINED = "joined"  # a label met its prediction, whichever came first
    EARLY = "early"  # a label, click or value came before its prediction, and is kept for a while
    UNKNOWN = "unknown"  # it waited in vain: nobody predicted that id, or so long ago that it was forgotten
    DUPLICATE = "duplicate"  # a label, click or KPI that was there already
    CHANGED = "changed"  # a label that replaced another one
    CLICKED = "clicked"  # a click, or its absence, noted
    VALUED = "valued"  # a value noted
    KPI = "kpi"  # a KPI noted
    NOT_SAMPLED = "not_sampled"  # of a prediction outside of the share that is kept
    PREDICTED = "predicted"  # a prediction noted
    PREDICTED_TWICE = "predicted_twice"  # a prediction with an id that was there already


class Prediction(NamedTuple):
    """What the model answered.

    Attributes:
        id: under which feedback will come.
        at: seconds since 1970.
        version: of the model.
        predicted: a class as text, or a number; None if the answer held none.
        score: of the positive class; None if the answer held none.
    """

    id: str
    at: float
    version: str
    predicted: Label | None
    score: float | None


NOTE = (
    "INSERT INTO answers (id, came_at, predicted_at, version, predicted, score) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET predicted_at = excluded.predicted_at, version = excluded.version, "
    "predicted = excluded.predicted, score = excluded.score, "
    "joined_at = CASE WHEN labelled_at IS NOT NULL THEN excluded.came_at END WHERE predicted_at IS NULL"
)


@dataclass
class Tally:
    """What a transaction did; it counts only once that is committed.

    Attributes:
        outcomes: how often each.
        refusals: feedback that only the store could refuse.
        lags_s: seconds from the prediction to its label, of each that joined.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refusals: Counter[Refusal] = field(default_factory=Counter)
    lags_s: list[float] = field(default_factory=list)


def kpi_names(db: sqlite3.Connection) -> set[str]:
    """The names of KPIs that were posted and are still kept."""
    return {name for (name,) in db.execute("SELECT name FROM kpi_names")}


class Joiner:
    """Writes one batch within a transaction, and tallies it."""

    def __init__(self, db: sqlite3.Connection, now: float, share: float, reserved: Collection[str]) -> None:
        """Join within an open transaction.

        Args:
            db: in a transaction.
            now: seconds since 1970.
            share: of ids that are kept.
            reserved: names of KPIs that are computed, and cannot be posted.
        """
        self._db, self._now, self._share, self._reserved = db, now, share, reserved
        self._names: set[str] | None = None
        self.tally = Tally()

    def predictions(self, predictions: Iterable[Prediction]) -> None:
        """Note predictions; feedback that came earlier joins."""
        kept = [one for one in predictions if is_sampled(one.id, self._share)]
        early = self._labelled_early([one.id for one in kept])
        noted = self._db.executemany(NOTE, [(one.id, self._now, *one[1:]) for one in kept]).rowcount if kept else 0
        self.tally.outcomes += Counter({Outcome.PREDICTED: noted, Outcome.PREDICTED_TWICE: len(kept) - noted})
        for one in kept if early else ():
            labelled_at = early.pop(one.id, None)
            if labelled_at is not None:
                self._joined(one.at, labelled_at)

    def _labelled_early(self, ids: list[str]) -> dict[str, float]:
        """Those of the ids whose label waits for them, with its time."""
        if not self._db.execute("SELECT EXISTS (SELECT 1 FROM answers WHERE predicted_at IS NULL)").fetchone()[0]:
            return {}
        return dict(
            self._db.execute(
                "SELECT id, labelled_at FROM answers WHERE predicted_at IS NULL AND labelled_at IS NOT NULL "
                "AND id IN (SELECT value FROM json_each(?))",
                (orjson.dumps(ids).decode(),),
            )
        )

    def feedback(self, items: Iterable[Feedback]) -> None:
        """Note feedback; what is known of no prediction waits for one."""
        for item in items:
            for name, value in item.kpis:
                self._kpi(name, value, item)
            if item.id is None or (item.label is None and item.click is None and item.value is None):
                continue
            if not is_sampled(item.id, self._share):
                self.tally.outcomes[Outcome.NOT_SAMPLED] += 1
                continue
            self._about(item, item.id)

    def _about(self, item: Feedback, identity: str) -> None:
        found = self._db.execute(
            "SELECT predicted_at, labelled_at, label, clicked FROM answers WHERE id = ?", (identity,)
        ).fetchone()
        if found is None:
            self._db.execute("INSERT INTO answers (id, came_at) VALUES (?, ?)", (identity, self._now))
            found = (None, None, None, None)
        predicted_at, labelled_at, label, clicked = found
        outcomes = self.tally.outcomes
        if item.label is not None:
            self._label(item, predicted_at, labelled_at, label)
        if item.click is not None:
            if clicked == item.click:
                outcomes[Outcome.DUPLICATE] += 1
            else:
                self._db.execute("UPDATE answers SET clicked = ? WHERE id = ?", (int(item.click), identity))
                outcomes[Outcome.CLICKED if predicted_at is not None else Outcome.EARLY] += 1
        if item.value is not None:
            self._db.execute("UPDATE answers SET value = ? WHERE id = ?", (item.value, identity))
            outcomes[Outcome.VALUED] += 1

    def _label(self, item: Feedback, predicted_at: float | None, labelled_at: float | None, label: Label) -> None:
        at = self._now if item.at is None else min(item.at, self._now)
        if labelled_at is not None and (label == item.label or at < labelled_at):
            self.tally.outcomes[Outcome.DUPLICATE] += 1
            return
        joined_at = self._now if predicted_at is not None else None
        self._db.execute(
            "UPDATE answers SET labelled_at = ?, label = ?, joined_at = coalesce(joined_at, ?) WHERE id = ?",
            (at, item.label, joined_at, item.id),
        )
        if labelled_at is not None:
            self.tally.outcomes[Outcome.CHANGED] += 1
        elif predicted_at is None:
            self.tally.outcomes[Outcome.EARLY] += 1
        else:
            self._joined(predicted_at, at)

    def _joined(self, predicted_at: float, labelled_at: float) -> None:
        self.tally.outcomes[Outcome.JOINED] += 1
        self.tally.lags_s.append(max(0.0, labelled_at - predicted_at))

    def _kpi(self, name: str, value: float, item: Feedback) -> None:
        if self._names is None:
            self._names = kpi_names(self._db)
        if name in self._reserved or (name not in self._names and len(self._names) >= MOST_KPIS):
            self.tally.refusals[Refusal.KPI_NAMES] += 1
            return
        if name not in self._names:
            self._names.add(name)
            self._db.execute("INSERT INTO kpi_names (name) VALUES (?)", (name,))
        at = self._now if item.at is None else min(item.at, self._now)
        added = self._db.execute(
            "INSERT OR IGNORE INTO kpis (kpi, id, version, at, value) VALUES (?, ?, ?, ?, ?)",
            (name, item.id, item.version, at, value),
        )
        self.tally.outcomes[Outcome.KPI if added.rowcount else Outcome.DUPLICATE] += 1
