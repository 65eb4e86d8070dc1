"""The nouns of a dashboard, whatever draws it: queries, panels, rows, boards."""

from dataclasses import dataclass
from typing import Literal

Look = Literal["lines", "bars", "number", "heat"]
Unit = Literal["short", "percentunit", "s", "bytes", "reqps", "cores", "sd", "ratio"]

WIDTH = 24
INTERVAL = "$__rate_interval"
RANGE = "$__range"


@dataclass(frozen=True)
class Query:
    """One question to Prometheus.

    Attributes:
        expr: PromQL with Grafana's variables in it.
        legend: name of the series; may contain `{{label}}`.
    """

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One picture.

    Attributes:
        title: what it shows.
        description: what to look for; shown when pointed at.
        queries: at least one.
        look: lines or bars over time, one number for the time range, or a heat map of a histogram's buckets.
        unit: of the values.
        width: of the 24 columns of a row.
        limit: where a value begins to be bad, drawn as a line or turning a number red; None: nowhere.
        bad_below: whether values below the limit are the bad ones.
    """

    title: str
    description: str
    queries: tuple[Query, ...]
    look: Look = "lines"
    unit: Unit = "short"
    width: int = 8
    limit: float | None = None
    bad_below: bool = False


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """A dashboard.

    Attributes:
        audience: whom it is for; part of its address in Grafana.
        title, description: what it is.
        rows: from top to bottom.
        shown: how far back it looks at first, a Prometheus duration.
        by_version, by_feature: whether one can choose versions, and a feature.
    """

    audience: str
    title: str
    description: str
    rows: tuple[Row, ...]
    shown: str
    by_version: bool = False
    by_feature: bool = False
