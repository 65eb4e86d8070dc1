"""Works out what is known of the quality and the business, from the store."""

import sqlite3
from collections.abc import Sequence

from alertdrill.monitor.truth import window
from alertdrill.monitor.truth.check import Check, Measured
from alertdrill.monitor.truth.joining import kpi_names
from alertdrill.monitor.truth.kpis import Kpi
from alertdrill.monitor.truth.quality import quality
from alertdrill.monitor.truth.report import Report, Window
from alertdrill.monitor.truth.settings import TruthSettings
from alertdrill.monitor.truth.window import KpiValue, Span


def measure(db: sqlite3.Connection, settings: TruthSettings, version: str, kpis: Sequence[Kpi], now: float) -> Report:
    """Everything as of now, in seconds since 1970; `version` is reported even if it has predicted nothing."""
    windows, values = list[Window](), dict[str, list[KpiValue]]()
    posted = sorted(kpi_names(db))
    for name, length_s in settings.windows:
        span = Span(now - length_s, now)
        versions = window.versions(db, span)
        for one in [version, *(other for other in versions if other != version)]:
            windows.append(_window(db, settings, name, span, one))
        computed = window.computed_kpis(db, span, kpis, versions, settings.share)
        values[name] = [*computed, *window.posted_kpis(db, span, version, posted)]
    return Report(now, windows, values)


def _window(db: sqlite3.Connection, settings: TruthSettings, name: str, span: Span, version: str) -> Window:
    rows = window.labelled(db, span, settings.task, settings.positive, version)
    found = quality(settings.task, rows) if len(rows) >= settings.least else {}
    proxy = window.proxy(db, span, settings.called, version)
    return Window(name, version, len(rows), settings.least, found, proxy)


def measure_period(db: sqlite3.Connection, settings: TruthSettings, check: Check, span: Span) -> Measured:
    """What a period of the check brought, over all versions and, where there are several, of each."""
    versions = window.versions(db, span)
    total = window.labelled(db, span, settings.task, settings.positive)
    parts = [
        (one, window.labelled(db, span, settings.task, settings.positive, one))
        for one in (versions if len(versions) > 1 else ())
    ]
    return Measured(
        span,
        len(total),
        window.proxy(db, span, settings.called).predictions,
        quality(settings.task, total).get(check.metric),
        tuple((one, len(rows), quality(settings.task, rows).get(check.metric)) for one, rows in parts),
    )
