"""Boards as Grafana's JSON, by the Grafana Foundation SDK: same board, same bytes."""

import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    GraphTresholdsStyleMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from alertdrill.dashboards.board import WIDTH, Board, Panel, Query, Unit

LONGEST_UID = 40
HEIGHT, NUMBER_HEIGHT = 8, 4
REFRESH = "30s"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_GOOD, _BAD = "green", "red"
_UNITS: dict[Unit, str] = {"cores": "short", "sd": "short", "ratio": "short"}

_Picture = timeseries.Panel | stat.Panel | heatmap.Panel


def grafana_json(board: Board, name: str) -> str:
    """A dashboard to import into Grafana 10.1 or later, of which it asks which Prometheus to read.

    Args:
        board: what it shows.
        name: of the model's target or schema; part of the dashboard's uid.
    """
    built = (
        dashboard.Dashboard(board.title)
        .uid(uid(name, board.audience))
        .description(board.description)
        .tags(["alertdrill", board.audience])
        .time(f"now-{board.shown}", "now")
        .timezone("browser")
        .refresh(REFRESH)
        .editable()
    )
    for variable in _variables(board):
        built = built.with_variable(variable)
    number = 0
    for row in board.rows:
        number += 1
        built = built.with_row(dashboard.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            built = built.with_panel(_picture(panel).id(number))
    return json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def uid(name: str, audience: str) -> str:
    """The address of a dashboard in Grafana: at most 40 characters of letters, digits, - and _."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in f"alertdrill-{name}-{audience}")
    if len(plain) <= LONGEST_UID:
        return plain
    return f"{plain[: LONGEST_UID - 9]}-{blake2b(plain.encode(), digest_size=4).hexdigest()}"


def _variables(board: Board) -> Iterator[dashboard.DatasourceVariable | dashboard.QueryVariable]:
    yield dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
    yield _choice("model", "label_values(model_requests_total, model)")
    if board.by_version:
        query = 'label_values(model_requests_total{model="$model"}, version)'
        yield _choice("version", query).multi(True).include_all(True).all_value(".*")
    if board.by_feature:
        yield _choice("feature", 'label_values(model_drift_evidence{model="$model"}, feature)')


def _choice(label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(label)
        .label(label.capitalize())
        .datasource(SOURCE)
        .query({"query": query, "refId": label})
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
    )


def _picture(panel: Panel) -> _Picture:
    picture = _drawn(panel)
    height = NUMBER_HEIGHT if panel.look == "number" else HEIGHT
    picture = picture.title(panel.title).description(panel.description).datasource(SOURCE)
    picture = picture.span(min(panel.width, WIDTH)).height(height).unit(_UNITS.get(panel.unit, panel.unit))
    for position, query in enumerate(panel.queries):
        picture = picture.with_target(_target(panel, query).ref_id(ascii_uppercase[position]))
    steps = list(_steps(panel))
    return picture.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))


def _drawn(panel: Panel) -> _Picture:
    if panel.look == "number":
        newest = common.ReduceDataOptions().calcs(["lastNotNull"])
        number = stat.Panel().graph_mode(BigValueGraphMode.NONE).color_mode(BigValueColorMode.VALUE)
        return number.reduce_options(newest)
    if panel.look == "heat":
        return heatmap.Panel()
    drawn = timeseries.Panel().min(0) if panel.unit in ("percentunit", "s", "reqps", "bytes") else timeseries.Panel()
    style = GraphDrawStyle.BARS if panel.look == "bars" else GraphDrawStyle.LINE
    shown = GraphTresholdsStyleMode.DASHED if panel.limit is not None else GraphTresholdsStyleMode.OFF
    return drawn.draw_style(style).thresholds_style(common.GraphThresholdsStyleConfig().mode(shown))


def _target(panel: Panel, query: Query) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend)
    if panel.look == "heat":
        return target.range().format(PromQueryFormat.HEATMAP)
    return target.instant() if panel.look == "number" else target.range()


def _steps(panel: Panel) -> Iterable[Threshold]:
    """From the lowest value up: which colour begins where."""
    first, then = (_BAD, _GOOD) if panel.bad_below else (_GOOD, _BAD)
    yield Threshold(value=None, color=_GOOD if panel.limit is None else first)
    if panel.limit is not None:
        yield Threshold(value=panel.limit, color=then)
