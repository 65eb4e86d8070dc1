"""Works out what is known of the quality and the business, from the store."""

import sqlite3
from collections.abc import Sequence

from alertdrill.monitor.truth import window
from alertdrill.monitor.truth.check import Check, Measured
from alertdrill.monitor.truth.joining import kpi_names
from alertdrill.monitor.truth.kpis import Kpi
from alertdrill.monitor.truth.quality import Labelled, quality
from alertdrill.monitor.truth.report import Report, Window
from alertdrill.monitor.truth.settings import TruthSettings
from alertdrill.monitor.truth.window import KpiValue, Proxy, Span


def measure(db: sqlite3.Connection, settings: TruthSettings, version: str, kpis: Sequence[Kpi], now: float) -> Report:
    """Everything as of now, in seconds since 1970; `version` is reported even if it has predicted nothing."""
    windows, values = list[Window](), dict[str, list[KpiValue]]()
    posted = sorted(kpi_names(db))
    for name, length_s in settings.windows:
        span = Span(now - length_s, now)
        versions = window.versions(db, span)
        reported = [version, *(other for other in versions if other != version)]
        rows = window.labelled(db, span, settings.task, settings.positive)
        proxies = window.proxies(db, span, settings.called, reported)
        for one in reported:
            windows.append(_window(settings, name, one, rows.of(one), proxies.get(one, Proxy())))
        computed = window.computed_kpis(db, span, kpis, versions, settings.share)
        values[name] = [*computed, *window.posted_kpis(db, span, version, posted)]
    return Report(now, windows, values)


def _window(settings: TruthSettings, name: str, version: str, rows: Labelled, proxy: Proxy) -> Window:
    found = quality(settings.task, rows) if len(rows) >= settings.least else {}
    return Window(name, version, len(rows), settings.least, found, proxy)


def measure_period(db: sqlite3.Connection, settings: TruthSettings, check: Check, span: Span) -> Measured:
    """What a period of the check brought, over all versions and, where there are several, of each."""
    versions = window.versions(db, span)
    total = window.labelled(db, span, settings.task, settings.positive)
    parts = [(one, total.of(one)) for one in (versions if len(versions) > 1 else ())]
    return Measured(
        span,
        len(total),
        window.predictions(db, span),
        quality(settings.task, total).get(check.metric),
        tuple((one, len(rows), quality(settings.task, rows).get(check.metric)) for one, rows in parts),
    )
