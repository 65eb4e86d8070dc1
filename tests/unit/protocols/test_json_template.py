from typing import Any

import orjson
import pytest
from pydantic import ValidationError
from tests.unit.protocols.rows_of_two import FEATURES, ROW, faulted, read, written

from alertdrill.protocols.json_template import Json
from alertdrill.protocols.malformed import Malformed

VALUES = [1.5, 3, "RS"]


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ("$row", ROW),
        ({"row": "$row"}, {"row": ROW}),
        (["$row"], [ROW]),
        ("$values", VALUES),
        ({"input_data": ["$values"], "mode": ["fast", 1]}, {"input_data": [VALUES], "mode": ["fast", 1]}),
        ({"a": {"b": [{"c": "$row", "d": None}]}}, {"a": {"b": [{"c": ROW, "d": None}]}}),
    ],
)
def test_a_row_stands_in_its_template_and_is_found_there(template: Any, body: Any) -> None:
    of = Json(body=template)
    assert orjson.loads(written(of)) == body
    assert read(of, written(of)) == [ROW]


@pytest.mark.parametrize("template", ["row", {}, {"a": "$row", "b": "$row"}, ["$row", 1], [["$row"]], [], 5, None])
def test_a_template_holds_one_row_in_one_place(template: Any) -> None:
    with pytest.raises(ValidationError, match=r"\$row"):
        Json(body=template)


def test_faults_are_written_as_a_broken_client_would() -> None:
    rest = b'"hour":3,"country":"RS"}}'
    assert faulted(Json(body={"row": "$row"})) == [
        b'{"row":{"amount":null,' + rest,
        b'{"row":{' + rest,
        b'{"row":{"amount":NaN,' + rest,
        b'{"row":{"amount":"",' + rest,
        b'{"row":{"amount":true,' + rest,
    ]


@pytest.mark.parametrize(
    ("template", "sent", "rows"),
    [
        (["$row"], [ROW, ROW], [ROW, ROW]),
        ({"r": ["$values"]}, {"r": [VALUES, VALUES]}, [ROW, ROW]),
        ("$row", [ROW], Malformed.NOT_AN_OBJECT),
        ({"row": "$row"}, ROW, Malformed.NO_ROWS),
        ({"row": "$row"}, [ROW], Malformed.NO_ROWS),
        ({"row": "$row"}, {"row": [ROW]}, Malformed.WRONG_BATCH),
        (["$row"], ROW, Malformed.WRONG_BATCH),
        (["$row"], [], Malformed.WRONG_BATCH),
        (["$row"], [5], Malformed.WRONG_BATCH),
        ([{"c": "$row"}], [ROW], Malformed.NO_ROWS),
        ("$values", [1], Malformed.WRONG_BATCH),
    ],
)
def test_what_is_not_as_the_template_has_a_reason(template: Any, sent: Any, rows: Any) -> None:
    assert read(Json(body=template), orjson.dumps(sent)) == rows


def find(of: Json, pointer: str, answer: Any) -> Any:
    return of.find_in_each(pointer, "no")([answer])[0]


def test_pointers_lead_to_the_answer_of_one_row_and_of_several() -> None:
    assert find(Json(), "/score", {"score": 0.5}) == 0.5
    assert find(Json(), "/score", {}) == "no"
    assert find(Json(predictions="/result"), "/score", {"result": {"score": 0.5}}) == 0.5
    assert find(Json(body=["$row"]), "/score", [{"score": 0.5}, {}]) == [0.5, "no"]
    assert find(Json(body=["$row"], predictions="/p", label=""), "", {"p": [1, 0]}) == [1, 0]
    assert find(Json(body=["$row"], predictions="/p"), "", {"p": 1}) == "no"


@pytest.mark.parametrize(
    ("of", "answer", "why"),
    [
        (Json(), b'{"score":1}', None),
        (Json(), b"[1]", "got list, expected an object"),
        (Json(label="", score=None), b"[1]", None),
        (Json(score="/1", label=None), b"[0.2,0.8]", None),
        (Json(predictions="/p"), b"{}", "got nothing at /p"),
        (Json(body=["$row"]), b"{}", "got dict, expected a list of predictions"),
        (Json(body=["$row"]), b"[]", "no predictions"),
        (Json(), b'{"error":"down"}', "an error: down"),
        (Json(error="/status/error"), b'{"status":{"error":true}}', "an error: true"),
        (Json(error=None), b'{"error":"down"}', "nothing at /label or /score of a prediction"),
        (Json(score=None), b'{"detail":"no model"}', "nothing at /label of a prediction"),
        (Json(label=None, score=None), b'{"detail":"no model"}', None),
    ],
)
def test_why_an_answer_predicts_nothing_is_said(of: Json, answer: bytes, why: str | None) -> None:
    assert of.why_none(answer) == why


@pytest.mark.parametrize("options", [{"label": "label"}, {"error": "x"}, {"predictions": "p"}])
def test_pointers_begin_with_a_slash(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="a JSON pointer; fix: write /"):
        Json(**options)  # type: ignore[arg-type]


def test_only_a_flat_object_is_plain() -> None:
    assert Json().plain
    assert not Json(body={"row": "$row"}).plain
    assert Json().form(FEATURES).join([(b'"a"', b"1")]) == b'{"a":1}'
