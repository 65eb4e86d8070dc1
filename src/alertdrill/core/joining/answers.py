"""Where class and score stand in an answer: from its JSON Schema, or from one answer that was given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alertdrill.core.joining.json_schema import Node, Schemas, type_of

LABELS: tuple[str, ...] = (
    "label",
    "class",
    "prediction",
    "predicted_class",
    "predicted_label",
    "class_name",
    "category",
    "decision",
)
LABELS += ("y_pred", "predictions", "predicted", "is_fraud", "outcome", "result", "output")
SCORES = ("score", "probability", "proba", "prob", "confidence", "likelihood", "risk", "value", "estimate")
MAX_DEPTH = 4
Pointers = Mapping[str, str | None]
"""`predictions`, `label` and `score` of the protocol `json`."""


@dataclass(frozen=True)
class _Leaves:
    label: str | None = None
    score: str | None = None

    def __bool__(self) -> bool:
        return self.label is not None or self.score is not None


def pointers(node: Node, schemas: Schemas, batches: bool) -> Pointers | None:
    """Where predictions, classes and scores stand; None where the schema does not say.

    Args:
        node: the schema of an answer.
        schemas: of its document.
        batches: whether requests hold a list of rows, so that answers hold a list of predictions.
    """
    if not batches:
        found = _leaves(node, schemas, "", 0)
        return {"predictions": "", "label": found.label, "score": found.score} if found else None
    for at, one in [("", node), *((f"/{_part(name)}", each) for name, each in schemas.properties(node).items())]:
        items = schemas.items(one)
        found = _leaves(items, schemas, "", 0) if items is not None else _Leaves()
        if found:
            return {"predictions": at, "label": found.label, "score": found.score}
    return None


def _leaves(node: Node, schemas: Schemas, at: str, depth: int) -> _Leaves:
    """Class and score somewhere in one prediction."""
    of = type_of(node)
    if of in ("integer", "string", "boolean"):
        return _Leaves(label=at)
    if of == "number":
        return _Leaves(score=at)
    if depth == MAX_DEPTH:
        return _Leaves()
    items = schemas.items(node)
    if items is not None:  # one row was sent: the first of its answers
        return _leaves(items, schemas, f"{at}/0", depth + 1) if type_of(items) not in (None, "array") else _Leaves()
    return _in_object(schemas.properties(node), schemas, at, depth)


def _in_object(properties: Mapping[str, Node], schemas: Schemas, at: str, depth: int) -> _Leaves:
    found = {
        name: leaves
        for name, one in properties.items()
        if (leaves := _leaves(one, schemas, f"{at}/{_part(name)}", depth + 1))
    }
    label = next((found[name].label for name in _named(found, LABELS) if found[name].label is not None), None)
    score = next((found[name].score for name in _named(found, SCORES) if found[name].score is not None), None)
    if score is None:  # a regression predicts a number under the name of a prediction
        score = next((found[name].score for name in _named(found, LABELS) if found[name].score is not None), None)
    if label is None and score is None and len(found) == 1:
        return next(iter(found.values()))
    return _Leaves(label, score)


def _named(found: Mapping[str, object], names: tuple[str, ...]) -> list[str]:
    """The names of an answer that are among these, in the order of these."""
    lowered = {name.lower(): name for name in found}
    return [lowered[name] for name in names if name in lowered]


def _part(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def schema_of(value: Any, depth: int = MAX_DEPTH + 2) -> Node:
    """The JSON Schema that one value shows of itself, to some depth."""
    match value if depth else None:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case float():
            return {"type": "number"}
        case str():
            return {"type": "string"}
        case list():
            return {"type": "array", "items": schema_of(value[0], depth - 1) if value else {}}
        case dict():
            return {"type": "object", "properties": {name: schema_of(one, depth - 1) for name, one in value.items()}}
        case _:
            return {}


def pointers_in(answer: Any, batches: bool) -> Pointers | None:
    """Where predictions, classes and scores stand in one answer; None where it does not show."""
    return pointers(schema_of(answer), Schemas({}), batches)
