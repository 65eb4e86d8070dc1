"""What the store says of one window of time: labelled predictions, proxies for the truth, KPIs."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from alertdrill.monitor.truth.kpis import Kpi
from alertdrill.monitor.truth.proportions import Estimate, proportion
from alertdrill.monitor.truth.quality import Labelled
from alertdrill.protocols.figures import Task

MOST_ROWS = 100_000  # of a window, the newest: more would make no interval narrower that matters
MOST_VERSIONS = 8
ROWS_AT_A_TIME = 500  # between two batches the thread lets others run


class Span(NamedTuple):
    """A stretch of time, `since` excluded and `until` included, in seconds since 1970."""

    since: float
    until: float


FACTS = {
    Task.CLASSIFICATION: "predicted = label, label = :positive, predicted = :positive",
    Task.REGRESSION: "predicted, label, NULL",
}
IN_JOINED = "joined_at > :since AND joined_at <= :until"
IN_PREDICTED = "predicted_at > :since AND predicted_at <= :until"


def labelled(db: sqlite3.Connection, span: Span, task: Task, positive: str) -> Labelled:
    """The newest predictions of all versions, at most `MOST_ROWS`, whose label came within the span."""
    rows = db.execute(
        f"SELECT version, {FACTS[task]}, score FROM answers WHERE {IN_JOINED} "
        f"ORDER BY joined_at DESC LIMIT {MOST_ROWS}",
        {**span._asdict(), "positive": positive},
    )
    known, names, parts = dict[str, str](), list[str](), [np.empty((0, 4))]
    while batch := rows.fetchmany(ROWS_AT_A_TIME):
        names += [known.setdefault(row[0], row[0]) for row in batch]  # one text for each version, not for each row
        parts.append(np.array([row[1:] for row in batch], dtype=np.float64))
    table = np.concatenate(parts)
    return Labelled(table[:, :3], table[:, 3], np.array(names, dtype=object))


def versions(db: sqlite3.Connection, span: Span) -> list[str]:
    """The versions of the newest predictions and labels of the span, at most `MOST_VERSIONS`, in order."""
    found: set[str] = set()
    for where, time in ((IN_PREDICTED, "predicted_at"), (IN_JOINED, "joined_at")):
        rows = db.execute(
            f"SELECT DISTINCT version FROM (SELECT version FROM answers WHERE {where} ORDER BY {time} DESC "
            f"LIMIT {MOST_ROWS}) LIMIT {MOST_VERSIONS}",
            span._asdict(),
        )
        found |= {version for (version,) in rows}
    return sorted(found)[:MOST_VERSIONS]


class Proxy(NamedTuple):
    """What is known of predictions before their labels are.

    Attributes:
        predictions: made within the span.
        positive: share of them that were called positive; None in regression.
        clicks: share of them that were clicked; None where no click was ever reported, which is no 0.
        labelled: how many of them have their label by now.
    """

    predictions: int = 0
    positive: Estimate | None = None
    clicks: Estimate | None = None
    labelled: int = 0


def proxies(db: sqlite3.Connection, span: Span, positive: str | None, among: Sequence[str]) -> dict[str, Proxy]:
    """The proxies over the predictions of each of some versions within the span; absent where there are none.

    `positive` None: there are no classes.
    """
    rows = db.execute(
        "SELECT version, count(*), total(predicted = ?), count(predicted), total(clicked), count(clicked), "
        "count(label) FROM answers "
        f"WHERE predicted_at > ? AND predicted_at <= ? AND version IN ({_places(among)}) GROUP BY version",
        (positive, *span, *among),
    )
    return {
        version: Proxy(
            count,
            proportion(int(called), classes) if positive is not None else None,
            proportion(int(clicked), count) if told else None,
            labels,
        )
        for version, count, called, classes, clicked, told, labels in rows
    }


def predictions(db: sqlite3.Connection, span: Span) -> int:
    """How many predictions were made within the span."""
    count: int = db.execute(f"SELECT count(*) FROM answers WHERE {IN_PREDICTED}", span._asdict()).fetchone()[0]
    return count


def _places(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


class KpiValue(NamedTuple):
    """A KPI of one version within a span."""

    name: str
    version: str
    value: float


def computed_kpis(
    db: sqlite3.Connection, span: Span, kpis: Sequence[Kpi], among: Sequence[str], share: float
) -> list[KpiValue]:
    """Each KPI over the labelled predictions of each version; absent where there are none.

    Counts and sums are divided by the share (0 to 1) of predictions that is kept.
    """
    if not kpis:
        return []
    rows = db.execute(
        f"SELECT version, {', '.join(kpi.sql for kpi in kpis)} FROM answers "
        f"WHERE joined_at > ? AND joined_at <= ? AND version IN ({_places(among)}) GROUP BY version",
        (*(argument for kpi in kpis for argument in kpi.arguments), *span, *among),
    )
    return [
        KpiValue(kpi.name, version, value / share if kpi.grows else value)
        for version, *found in rows
        for kpi, value in zip(kpis, found, strict=True)
        if value is not None
    ]


def posted_kpis(db: sqlite3.Connection, span: Span, version: str, among: Iterable[str]) -> list[KpiValue]:
    """The sum of each KPI that was posted, by version: that of its prediction, else its own, else the one given."""
    return [
        KpiValue(*row)
        for name in among
        for row in db.execute(
            "SELECT kpi, coalesce(answers.version, kpis.version, ?) AS of, total(kpis.value) FROM kpis "
            "LEFT JOIN answers ON answers.id = kpis.id WHERE kpi = ? AND at > ? AND at <= ? "
            f"GROUP BY of ORDER BY of LIMIT {MOST_VERSIONS}",
            (version, name, span.since, span.until),
        )
        if row[2] is not None  # infinities that cancel out
    ]
