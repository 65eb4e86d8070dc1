"""An OpenAPI document: which of its operations predict, and how they take rows (FastAPI, BentoML)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from alertdrill.core.joining.answers import pointers
from alertdrill.core.joining.endpoint import Endpoint, Field, NotUnderstood, Skipped
from alertdrill.core.joining.json_schema import Node, Schemas, names_required, type_of
from alertdrill.protocols.json_template import ROW, Json

USUAL = ("predict", "infer", "invocations", "score", "classify", "forecast", "inference")
NO_MODEL = "/v2/repository/"
"""What servers of the Open Inference Protocol load and unload models by."""

BY_HAND = "write the body as protocol: {kind: json, body: …} by hand (docs/protocols.md), or give --protocol"


@dataclass(frozen=True)
class Operation:
    """A POST of a document that takes JSON.

    Attributes:
        path: as the document has it, without the server's prefix.
        body: schema of what it takes, resolved.
        answer: schema of what it answers with 200, resolved; empty: not said.
        headers: that requests must have.
    """

    path: str
    body: Node
    answer: Node
    headers: tuple[str, ...]


def is_openapi(document: Any) -> bool:
    """Whether this is an OpenAPI document, version 3."""
    return isinstance(document, dict) and "openapi" in document and isinstance(document.get("paths"), dict)


def operations(document: Any) -> tuple[Operation, ...]:
    """The operations that may predict: they take JSON by POST, at paths without parameters."""
    schemas, found = Schemas(document), []
    for path, item in document["paths"].items():
        post = item.get("post") if isinstance(item, dict) else None
        if not isinstance(post, dict) or not path.startswith("/") or "{" in path or NO_MODEL in path:
            continue
        body = _json_of(schemas.resolved(post.get("requestBody")), schemas)
        if body is not None:
            given = post.get("responses")
            answers = given if isinstance(given, dict) else {}
            answer = _json_of(schemas.resolved(answers.get("200", answers.get("default"))), schemas)
            found.append(Operation(path, body, answer or {}, tuple(_headers(post, schemas))))
    return tuple(found)


def _json_of(holder: Node, schemas: Schemas) -> Node | None:
    """The schema of the JSON that a body holds; None where it holds none."""
    content = holder.get("content")
    for kind, one in content.items() if isinstance(content, dict) else ():
        if str(kind).split(";")[0].strip().endswith("json") and isinstance(one, dict):
            return schemas.resolved(one.get("schema"))
    return None


def _headers(post: Node, schemas: Schemas) -> Iterator[str]:
    parameters = post.get("parameters")
    for one in parameters if isinstance(parameters, list) else ():
        one = schemas.resolved(one)
        if one.get("in") == "header" and one.get("required") is True and isinstance(one.get("name"), str):
            yield one["name"]


def chosen(found: Sequence[Operation], wanted: str) -> Operation:
    """The operation that predicts.

    Args:
        found: those of the document, at least one.
        wanted: path that the user named, from the root of the server; empty or `/`: none.

    Raises:
        NotUnderstood: none is at that path, or several could be meant.
    """
    paths = ", ".join(one.path for one in found)
    if wanted.strip("/"):
        at = [one for one in found if f"/{wanted.strip('/')}".endswith("/" + one.path.strip("/"))]
        if at:
            return max(at, key=lambda one: len(one.path))
        raise NotUnderstood(f"no POST of JSON at {wanted}", f"one of {paths}", "name one of these")
    if len(found) == 1:
        return found[0]
    usual = [one for one in found if one.path.strip("/").split("/")[-1].lower() in USUAL]
    if len(usual) == 1:
        return usual[0]
    raise NotUnderstood(f"several that could predict ({paths})", "one", "add its path to the address")


def endpoint_of(document: Any, operation: Operation, path: str, source: str) -> Endpoint:
    """How an operation takes rows.

    Args:
        document: it belongs to.
        operation: the one that predicts.
        path: where it is, from the root of the server.
        source: what to call the document.

    Raises:
        NotUnderstood: its body is of a shape that no row fits into.
    """
    schemas = Schemas(document)
    shape = _shape(operation.body, schemas)
    try:
        protocol = Json(body=shape.body)
    except ValidationError:  # a constant beside the row is itself written like the place of a row
        raise NotUnderstood(f"a body of {json.dumps(shape.body)}", f"one place for a row, {ROW}", BY_HAND) from None
    found = pointers(operation.answer, schemas, protocol.batches)
    return Endpoint(
        source=source,
        path=path,
        protocol=Json.model_validate({"body": shape.body, **(found or {"label": None, "score": None})}),
        fields=shape.fields,
        skipped=shape.skipped,
        answers_known=found is not None,
        headers=operation.headers,
        notes=shape.notes,
    )


@dataclass(frozen=True)
class _Shape:
    """The template of a body, and the row in it."""

    body: Any
    fields: tuple[Field, ...] | None = None
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


def _shape(body: Node, schemas: Schemas) -> _Shape:
    """The shape of a body: an object that is the row, one that holds it, or a list."""
    row, parts, required = _row(body, schemas), schemas.properties(body), names_required(body)
    holders = {name: held for name, one in parts.items() if (held := _row(one, schemas)) is not None}
    wanted = [name for name in holders if name in required] or list(holders)
    flat = row is not None and (row.fields is None or row.body != "$row" or not set(wanted) & required)
    if row is not None and (flat or len(wanted) != 1):
        return row
    if len(wanted) != 1:
        raise NotUnderstood(
            f"a body of {', '.join(parts) or 'no known shape'}", "one object or list of rows in it", BY_HAND
        )
    name = wanted[0]
    beside = {one: _constant(parts[one]) for one in sorted(required - {name}) if one in parts}
    missing = [one for one, value in beside.items() if value is None]
    if missing and row is not None:
        return row
    if missing:
        got = f"{', '.join(missing)}, which every body must have beside the row"
        raise NotUnderstood(got, "a default or an example of each", BY_HAND)
    return _within(name, holders[name], {key: value[0] for key, value in beside.items() if value}, parts)


def _within(name: str, held: _Shape, beside: Mapping[str, Any], parts: Mapping[str, Node]) -> _Shape:
    """A row under a name of the body, with what must stand beside it."""
    left = [one for one in parts if one != name and one not in beside]
    notes = [f"{key}: {json.dumps(value)} stands in every body beside the row" for key, value in beside.items()]
    notes += [f"{', '.join(left)}: optional beside the row, left out"] if left else []
    return _Shape({**beside, name: held.body}, held.fields, held.skipped, (*held.notes, *notes))


def _row(node: Node, schemas: Schemas) -> _Shape | None:
    """A row or a list of rows; None where it is neither."""
    items = schemas.items(node)
    if items is not None:
        return _list(items, schemas)
    if type_of(node) != "object" and "properties" not in node:
        return None
    if not schemas.properties(node):
        return _Shape("$row")
    fields, skipped = schemas.fields(node)
    return _Shape("$row", fields, skipped) if fields else None


def _list(items: Node, schemas: Schemas) -> _Shape | None:
    """Rows in a list: objects, lists of numbers; or the numbers of one row."""
    if type_of(items) in ("number", "integer"):
        return _Shape("$values", notes=("a list of numbers is taken for one row; --try tells",))
    inner = schemas.items(items)
    if inner is not None:
        return _Shape(["$values"]) if type_of(inner) in ("number", "integer", None) else None
    row = _row(items, schemas)
    return _Shape([row.body], row.fields, row.skipped, row.notes) if row is not None and row.body == "$row" else None


def _constant(node: Node) -> tuple[Any] | None:
    """A value for what a body must have beside the row; None where the document gives none."""
    for key in ("const", "default", "example"):
        if key in node:
            return (node[key],)
    for key in ("enum", "examples"):
        values = node.get(key)
        if isinstance(values, list) and values:
            return (values[0],)
    return None
