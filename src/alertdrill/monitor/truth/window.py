"""What the store says of one window of time: labelled predictions, proxies for the truth, KPIs."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alertdrill.monitor.truth.kpis import Kpi
from alertdrill.monitor.truth.proportions import Estimate, proportion
from alertdrill.monitor.truth.quality import Labelled, Task

MOST_ROWS = 100_000  # of a window and version, the newest: more would make no interval narrower that matters
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
OF_VERSION = "(:version IS NULL OR version = :version)"


def labelled(db: sqlite3.Connection, span: Span, task: Task, positive: str, version: str | None = None) -> Labelled:
    """The newest predictions, at most `MOST_ROWS`, whose label came within the span; of one version or of all."""
    rows = db.execute(
        f"SELECT {FACTS[task]}, score FROM answers WHERE {IN_JOINED} AND {OF_VERSION} "
        f"ORDER BY joined_at DESC LIMIT {MOST_ROWS}",
        {**span._asdict(), "positive": positive, "version": version},
    )
    table = _table(rows, 4)
    return Labelled(table[:, :3], table[:, 3])


def _table(rows: sqlite3.Cursor, width: int) -> NDArray[np.float64]:
    parts = [np.empty((0, width))]
    while batch := rows.fetchmany(ROWS_AT_A_TIME):
        parts.append(np.array(batch, dtype=np.float64))
    return np.concatenate(parts)


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
    """

    predictions: int
    positive: Estimate | None
    clicks: Estimate | None


def proxy(db: sqlite3.Connection, span: Span, positive: str | None, version: str | None = None) -> Proxy:
    """The proxies over the predictions that were made within the span; `positive` None: there are no classes."""
    count, called, classes, clicked, told = db.execute(
        "SELECT count(*), total(predicted = :positive), count(predicted), total(clicked), count(clicked) "
        f"FROM answers WHERE {IN_PREDICTED} AND {OF_VERSION}",
        {**span._asdict(), "positive": positive, "version": version},
    ).fetchone()
    rate = proportion(int(called), classes) if positive is not None else None
    return Proxy(count, rate, proportion(int(clicked), count) if told else None)


class KpiValue(NamedTuple):
    """A KPI of one version within a span."""

    name: str
    version: str
    value: float


def computed_kpis(
    db: sqlite3.Connection, span: Span, kpis: Sequence[Kpi], among: Iterable[str], share: float
) -> list[KpiValue]:
    """Each KPI over the labelled predictions of each version; absent where there are none.

    Counts and sums are divided by the share (0 to 1) of predictions that is kept.
    """
    values = list[KpiValue]()
    columns = ", ".join(["count(*)", *(kpi.sql for kpi in kpis)])
    arguments: list[Any] = [argument for kpi in kpis for argument in kpi.arguments]
    for version in among if kpis else ():
        count, *found = db.execute(
            f"SELECT {columns} FROM answers WHERE joined_at > ? AND joined_at <= ? AND version = ?",
            (*arguments, span.since, span.until, version),
        ).fetchone()
        for kpi, value in zip(kpis, found, strict=True):
            if count and value is not None:
                values.append(KpiValue(kpi.name, version, value / share if kpi.grows else value))
    return values


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
