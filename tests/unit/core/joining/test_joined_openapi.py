from typing import Any

import pytest

from alertdrill.core.joining.answers import pointers_in
from alertdrill.core.joining.endpoint import Endpoint, NotUnderstood
from alertdrill.core.joining.openapi import chosen, endpoint_of, is_openapi, operations
from alertdrill.protocols.features import FeatureKind

WINE = {
    "type": "object",
    "required": ["alcohol", "year", "region", "at"],
    "properties": {
        "alcohol": {"type": "number", "minimum": 0.0},
        "ash": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "year": {"type": "integer"},
        "region": {"type": "string", "enum": ["a", "b"]},
        "at": {"type": "string", "format": "date-time"},
        "organic": {"type": "boolean", "default": False},
        "tags": {"items": {"type": "string"}, "type": "array", "default": []},
    },
}
REF: Any = {"$ref": "#/components/schemas/Wine"}


def document(body: Any, answer: Any = None, **parts: Any) -> Any:
    """What FastAPI writes for one operation, with pydantic's models among the components."""
    post = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": {"content": {"application/json": {"schema": answer or {}}}}},
        **parts,
    }
    return {"openapi": "3.1.0", "paths": {"/predict": {"post": post}}, "components": {"schemas": {"Wine": WINE}}}


def read(body: Any, answer: Any = None, **parts: Any) -> Endpoint:
    found = document(body, answer, **parts)
    (operation,) = operations(found)
    return endpoint_of(found, operation, "/predict", "OpenAPI")


def obj(**properties: Any) -> Any:
    return {"type": "object", "properties": properties, "required": list(properties)}


def template(endpoint: Endpoint) -> Any:
    return endpoint.protocol.model_dump()["body"]


def test_a_flat_model_gives_its_fields_in_order_with_their_kinds() -> None:
    found = read(REF)
    assert template(found) == "$row"
    assert [(one.name, one.kind, one.required) for one in found.fields or ()] == [
        ("alcohol", FeatureKind.NUMBER, True),
        ("ash", FeatureKind.NUMBER, False),
        ("year", FeatureKind.INTEGER, True),
        ("region", FeatureKind.CATEGORY, True),
        ("at", FeatureKind.TIMESTAMP, True),
        ("organic", FeatureKind.INTEGER, False),
    ]
    assert [(one.name, one.what, one.required) for one in found.skipped] == [("tags", "a list", False)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (obj(row=REF), {"row": "$row"}),
        ({"type": "array", "items": REF}, ["$row"]),
        (obj(instances={"type": "array", "items": REF}), {"instances": ["$row"]}),
        ({"type": "object", "additionalProperties": True}, "$row"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}, ["$values"]),
        (obj(x={"type": "array", "items": {"type": "number"}}), {"x": "$values"}),
        (obj(rows={"type": "array", "items": {"type": "object"}}), {"rows": ["$row"]}),
        (obj(w=REF, key={"type": "string", "default": "k"}), {"key": "k", "w": "$row"}),
    ],
    ids=["wrapped", "list", "wrapped list", "any object", "matrix", "BentoML's array", "any objects", "beside"],
)
def test_a_row_stands_where_the_body_has_it(body: Any, expected: Any) -> None:
    assert template(read(body)) == expected


def test_an_object_that_must_stand_in_a_flat_row_is_said_to_be_required() -> None:
    found = read(obj(amount={"type": "number"}, meta={"type": "object", "properties": {"a": {"type": "array"}}}))
    assert [one.name for one in found.fields or ()] == ["amount"]
    assert [(one.name, one.required) for one in found.skipped] == [("meta", True)]


def test_a_body_of_no_known_shape_is_not_understood() -> None:
    with pytest.raises(NotUnderstood, match="no known shape"):
        read({})


def test_a_reference_that_leads_to_itself_ends() -> None:
    found = document({"$ref": "#/components/schemas/Loop"})
    found["components"]["schemas"]["Loop"] = {"$ref": "#/components/schemas/Loop"}
    (operation,) = operations(found)
    with pytest.raises(NotUnderstood):
        endpoint_of(found, operation, "/predict", "OpenAPI")


INTEGER, NUMBER, TEXT = {"type": "integer"}, {"type": "number"}, {"type": "string"}


@pytest.mark.parametrize(
    ("answer", "label", "score"),
    [
        (obj(label=INTEGER, score=NUMBER), "/label", "/score"),
        (obj(prediction=INTEGER, probability=NUMBER, model=TEXT), "/prediction", "/probability"),
        (obj(prediction=NUMBER), None, "/prediction"),
        (INTEGER, "", None),
        (NUMBER, None, ""),
        ({"type": "array", "items": INTEGER}, "/0", None),
        (obj(result=obj(predicted_class=TEXT)), "/result/predicted_class", None),
    ],
)
def test_class_and_score_are_found_in_the_schema_of_the_answer(
    answer: Any, label: str | None, score: str | None
) -> None:
    found = read(REF, answer)
    assert found.answers_known
    assert (found.protocol.label, found.protocol.score) == (label, score)


def test_answers_to_lists_hold_a_list_of_predictions() -> None:
    rows = {"type": "array", "items": REF}
    found = read(rows, obj(predictions={"type": "array", "items": obj(label=INTEGER, score=NUMBER)}))
    assert found.protocol.model_dump(by_alias=True)["predictions"] == "/predictions"
    assert (found.protocol.label, found.protocol.score) == ("/label", "/score")


def test_an_answer_that_is_not_documented_is_not_guessed() -> None:
    found = read(REF)
    assert not found.answers_known
    assert (found.protocol.label, found.protocol.score) == (None, None)


def test_headers_that_requests_must_have_are_named() -> None:
    parameters = [{"name": "x-key", "in": "header", "required": True}, {"name": "q", "in": "query"}]
    assert read(REF, parameters=parameters).headers == ("x-key",)


def several(*paths: str) -> Any:
    found = document(REF)
    found["paths"] = dict.fromkeys(paths, found["paths"]["/predict"])
    return operations(found)


def test_the_operation_is_chosen_by_its_path_else_by_its_name() -> None:
    assert chosen(several("/v1/predict", "/feedback"), "").path == "/v1/predict"
    assert chosen(several("/predict", "/feedback"), "/api/v3/feedback").path == "/feedback"
    assert chosen(several("/anything"), "").path == "/anything"
    with pytest.raises(NotUnderstood, match="several that could predict"):
        chosen(several("/a", "/b"), "")
    with pytest.raises(NotUnderstood, match="no POST of JSON at /c"):
        chosen(several("/a", "/b"), "/c")


@pytest.mark.parametrize("other", [None, [], {}, {"openapi": "3.1.0"}, {"swagger": "2.0", "paths": {}}])
def test_what_is_no_openapi_document_is_told_apart(other: Any) -> None:
    assert not is_openapi(other)


def test_what_loads_models_does_not_predict() -> None:
    assert several("/v2/repository/index", "/v2/repository/models/load") == ()


def test_a_path_that_could_name_another_host_is_no_operation() -> None:
    found = document(REF)
    found["paths"] = {"@elsewhere.test/predict": found["paths"]["/predict"], "8/predict": found["paths"]["/predict"]}
    assert operations(found) == ()


def test_alternatives_that_lead_to_each_other_end() -> None:
    found = document(REF)
    both: Any = {"anyOf": [{"$ref": "#/components/schemas/B"}, {"$ref": "#/components/schemas/A"}]}
    found["components"]["schemas"] |= {"A": both, "B": both}
    found["components"]["schemas"]["Wine"] = obj(alcohol={"type": "number"}, a={"$ref": "#/components/schemas/A"})
    (operation,) = operations(found)
    skipped = endpoint_of(found, operation, "/predict", "OpenAPI").skipped
    assert [(one.name, one.what) for one in skipped] == [("a", "of no single type")]


def test_a_format_that_is_none_is_passed_by() -> None:
    (field,) = read(obj(a={"type": "string", "format": ["date"]})).fields or ()
    assert field.kind is FeatureKind.CATEGORY


def test_an_answer_is_looked_at_to_some_depth_only() -> None:
    answer: Any = 1
    for _ in range(900):
        answer = {"branch": answer}
    assert pointers_in({"label": "a", "tree": answer}, False) == {"predictions": "", "label": "/label", "score": None}


def test_a_constant_that_is_written_like_a_row_is_not_understood() -> None:
    with pytest.raises(NotUnderstood, match="one place for a row"):
        read(obj(row=REF, kind={"type": "string", "const": "$row"}))
