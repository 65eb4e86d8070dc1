"""One prediction, asked with a row of the reference: whether the endpoint takes it as documents say, and answers so."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from alertdrill.adapters.model_server import Answer, ModelServer
from alertdrill.compose.discovery import LOGIN
from alertdrill.core.errors import BadInput, BadValue, Mistake
from alertdrill.core.joining.answers import pointers_in
from alertdrill.protocols.base import Protocol, as_json
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.json_template import ROW, VALUES, Json
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2
from alertdrill.protocols.pointer import Nowhere, finder
from alertdrill.protocols.rows import parse_csv
from alertdrill.protocols.schema import Schema

SHOWN = 120


@dataclass(frozen=True)
class Confirmed:
    """The schema with which the endpoint predicts, and what asking it showed."""

    schema: Schema
    notes: tuple[str, ...]


async def confirmed(server: ModelServer, schema: Schema, sample_csv: str, certain: bool) -> Confirmed:
    """Ask for a prediction of the first row.

    Args:
        server: to ask.
        schema: as documents have it.
        sample_csv: the rows.
        certain: whether the user named the protocol: then no other way of it is tried where it is refused.

    Raises:
        BadInput: the row is refused in every way.
    """
    refusals = []
    for one in [schema, *(() if certain else _others(schema))]:
        (body,) = encode(parse_csv(sample_csv, one).take(np.array([0])), one)
        answer = await server.post(one.path, body, one.form.content_type)
        refusal = _why_refused(one.protocol, answer)
        if refusal is None:
            return _read(schema, one, answer)
        refusals.append(refusal)
        if answer.status in (401, 403, 404, 405):
            break
    raise BadInput([_refused(server, schema, refusals[0])])


def _why_refused(protocol: Protocol, answer: Answer) -> str | None:
    """Why an answer is no prediction; None if it may be one."""
    said = protocol.error_of(answer.body) if not answer.ok else None
    if not answer.ok:
        return f"{answer.status}" + (f": {said[:SHOWN]}" if said else "")
    try:
        found = protocol.error_in(orjson.loads(answer.body))
    except ValueError:
        return f"{answer.status} and no JSON"
    return f"{answer.status} with an error inside: {found[:SHOWN]}" if found else None


def _refused(server: ModelServer, schema: Schema, why: str) -> Mistake:
    fix = "see what its documentation asks for, and give --protocol, or write schema.yaml by hand (docs/protocols.md)"
    if why.startswith(("401", "403")):
        fix = LOGIN
    if why.startswith(("404", "405")):
        fix = "name the address of the endpoint that predicts"
    expected = f"a prediction of a row of the reference, by {schema.protocol.kind}"
    return Mistake(server.origin + schema.path, why, expected, fix)


def _read(documented: Schema, schema: Schema, answer: Answer) -> Confirmed:
    """The schema with the path and the pointers that the answer shows."""
    notes = [f"one row was asked for: an answer in {answer.seconds * 1000:.0f} ms"]
    if schema.protocol != documented.protocol:
        notes.append(f"documents contradict it: it predicts for {_said(schema.protocol)}, not for rows as they say")
    value = orjson.loads(answer.body)
    protocol, told = _pointing(schema.protocol, value)
    notes += told
    if answer.path != schema.path:
        notes.append(f"it leads from {schema.path} to {answer.path}, which is asked from the start")
    changed = schema.speaking(protocol, answer.path)
    return Confirmed(changed, tuple(notes))


def _pointing(protocol: Protocol, answer: Any) -> tuple[Protocol, list[str]]:
    """The protocol with pointers that lead to class and score of an answer."""
    if protocol.watched and _leads(protocol, answer):
        return protocol, []
    found = _found(protocol, answer)
    shown = as_json(answer)[:SHOWN]
    if found is None:
        none = protocol.model_validate({**protocol.model_dump(by_alias=True), "label": None, "score": None})
        return none, [f"where class and score stand in {shown} is not known: write label and score in schema.yaml"]
    shows = {name: place for name, place in found.items() if place is not None and (place or name != "predictions")}
    at = ", ".join(f"{name} at {place or 'the whole'}" for name, place in shows.items())
    wrong = [f"documents contradict it: in its answer {shown} there is {at}"] if protocol.watched else []
    return protocol.model_validate({**protocol.model_dump(by_alias=True), **found}), wrong or [f"{at} of {shown}"]


def _leads(protocol: Protocol, answer: Any) -> bool:
    """Whether every pointer leads from a prediction to a plain value."""
    try:
        (prediction, *_) = protocol.predictions(answer)
        found = [finder(one)(prediction) for one in (protocol.label, protocol.score) if one is not None]
    except (Nowhere, ValueError):
        return False
    label_is_score = protocol.label == "" and isinstance(prediction, float)
    return not label_is_score and not any(isinstance(one, list | dict) for one in found)


def _found(protocol: Protocol, answer: Any) -> dict[str, str | None] | None:
    """The pointers that an answer shows by its names and types."""
    if isinstance(protocol, Json):
        found = pointers_in(answer, protocol.batches)
        return None if found is None else {**found, "predictions": found["predictions"] or ""}
    try:
        (prediction, *_) = protocol.predictions(answer)
    except (Nowhere, ValueError):
        return None
    if isinstance(prediction, list) and len(prediction) == 2 and all(isinstance(one, float) for one in prediction):
        return {"label": None, "score": "/1"}
    found = pointers_in(prediction, False)
    return None if found is None else {"label": found["label"], "score": found["score"]}


def _others(schema: Schema) -> Iterator[Schema]:
    """The same model behind the other ways of its protocol."""
    for one in _ways(schema.protocol):
        try:
            yield schema.speaking(one)
        except BadValue:
            continue


def _ways(protocol: Protocol) -> Iterator[Protocol]:
    match protocol:
        case Json():
            swapped = _swapped(protocol.body)
            yield Json.model_validate({**protocol.model_dump(by_alias=True), "body": swapped})
        case OipV2():
            frame: dict[str, Any] = {"parameters": {"content_type": "pd"}}
            texts: dict[str, Any] = {"text_parameters": {"content_type": "str"}}
            yield from (OipV2(**frame), OipV2(**frame, **texts), OipV2(), OipV2(tensors="one"), OipV2(flat=True))
        case Instances():
            yield from (Instances(rows=rows) for rows in ("objects", "values", "columns") if rows != protocol.rows)
        case Mlflow():
            yield from (Mlflow(format="inputs", named=False), Mlflow(format="inputs"), Mlflow(format="dataframe_split"))


def _swapped(body: Any) -> Any:
    """A template with the row in a list where it stands alone, and alone where it stands in a list."""
    if body in (ROW, VALUES):
        return [body]
    if isinstance(body, list):
        return body[0] if len(body) == 1 and body[0] in (ROW, VALUES) else [_swapped(one) for one in body]
    return {key: _swapped(one) for key, one in body.items()} if isinstance(body, dict) else body


def _said(protocol: Protocol) -> str:
    options = protocol.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return orjson.dumps({"kind": protocol.kind, **options}).decode()
