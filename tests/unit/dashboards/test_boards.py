import json
import re
from itertools import pairwise, product

import pytest
from tests.unit.alerting.models import BOTH, CATEGORIES, EVERYTHING, NUMBERS

from alertdrill.alerting.choices import Choices
from alertdrill.core.promql import parse, selectors
from alertdrill.dashboards.board import WIDTH, Board
from alertdrill.dashboards.boards import boards
from alertdrill.dashboards.grafana import grafana_json, uid

EVERY = [
    board
    for schema, choices in product((BOTH, NUMBERS, CATEGORIES), (Choices(), EVERYTHING))
    for board in boards("fraud", schema, choices).values()
]
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h", "$model": "fraud", "$version": ".*", "$feature": "amount"}


def filled(expr: str) -> str:
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    assert "$" not in expr
    return expr


def panels(board: Board) -> list[dict[str, object]]:
    return [panel for panel in json.loads(grafana_json(board, "fraud"))["panels"] if panel["type"] != "row"]


@pytest.mark.parametrize("board", EVERY, ids=lambda board: board.audience)
def test_every_query_is_promql_and_is_about_the_chosen_model(board: Board) -> None:
    for row in board.rows:
        for panel in row.panels:
            assert panel.queries
            for query in panel.queries:
                parse(filled(query.expr))
                for selector in selectors(filled(query.expr)):
                    about = {matcher.label: matcher.value for matcher in selector.matchers}
                    assert about.get("model", "fraud").rstrip("|") == "fraud"
                    assert "model" in about or about.get("job") in ("model", "monitor")


@pytest.mark.parametrize("board", EVERY, ids=lambda board: board.audience)
def test_panels_fill_their_rows_and_do_not_overlap(board: Board) -> None:
    places = [panel["gridPos"] for panel in json.loads(grafana_json(board, "fraud"))["panels"]]
    for one, other in ((a, b) for i, a in enumerate(places) for b in places[i + 1 :]):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert apart_x or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    assert all(place["x"] + place["w"] <= WIDTH for place in places)
    assert all(one["y"] <= other["y"] for one, other in pairwise(places))


@pytest.mark.parametrize("board", EVERY, ids=lambda board: board.audience)
def test_every_panel_explains_itself_and_asks_the_chosen_prometheus(board: Board) -> None:
    found = panels(board)
    ids = [panel["id"] for panel in found]
    assert len(set(ids)) == len(ids)
    for panel in found:
        assert panel["title"]
        assert str(panel["description"]).endswith(".")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters)


def test_variables_of_queries_are_those_that_the_dashboard_offers() -> None:
    for board in EVERY:
        offered = {variable["name"] for variable in json.loads(grafana_json(board, "x"))["templating"]["list"]}
        queries = "\n".join(query.expr for row in board.rows for panel in row.panels for query in panel.queries)
        assert set(re.findall(r"\$([a-z]+)", queries)) - {"__range"} == offered - {"datasource"}


def test_product_managers_are_spared_the_words_of_operators() -> None:
    for board in (board for board in EVERY if board.audience == "product"):
        words = " ".join(f"{panel.title} {panel.description}" for row in board.rows for panel in row.panels)
        assert not re.search(r"5xx|p95|scrap|histogram|quantile|latency", words, re.IGNORECASE)


def test_means_are_shown_of_numbers_only() -> None:
    def text(board: Board) -> str:
        return grafana_json(board, "x")

    assert "model_feature_sum" in text(boards("x", NUMBERS, Choices())["engineers.json"])
    assert "model_feature_sum" not in text(boards("x", CATEGORIES, Choices())["engineers.json"])


def test_the_same_board_is_the_same_bytes_and_a_long_name_keeps_its_address_short() -> None:
    board = EVERY[0]
    assert grafana_json(board, "fraud") == grafana_json(board, "fraud")
    assert uid("fraud", "engineers") == "alertdrill-fraud-engineers"
    long = {uid(f"a model of {i} — " + "x" * 50, "engineers") for i in range(5)}
    assert len(long) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", one) for one in long)
