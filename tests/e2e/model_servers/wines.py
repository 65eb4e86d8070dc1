"""The wines as a target: their schema, their rows, and requests with faults as a drill would send them."""

import csv
import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import numpy as np
from pydantic import TypeAdapter
from sklearn.datasets import load_wine

from alertdrill.core.faults.base import Body, BodyFault
from alertdrill.core.faults.catalogue import FaultSpec
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.rows import Cell, Column, Rows, parse_csv
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

WINES = load_wine()
FEATURES = tuple(Feature(name=name, kind=FeatureKind.NUMBER) for name in WINES.feature_names)
FIRST = FEATURES[0].name
ONE = np.array([True])


def sample_csv() -> str:
    """All wines."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([WINES.feature_names, *WINES.data.tolist()])
    return out.getvalue()


def write(folder: Path, protocol: Protocol, path: str) -> Schema:
    """schema.json and sample.csv in a folder."""
    schema = Schema(protocol=protocol, path=path, features=FEATURES)
    (folder / "schema.json").write_text(json.dumps({"path": path, "features": [one.model_dump() for one in FEATURES]}))
    (folder / "sample.csv").write_text(sample_csv())
    return schema


Edit = Callable[[Column], Column]
ROW_PROBES: dict[str, Edit] = {
    "clean": lambda column: column,
    "null": lambda column: column.with_cells(ONE, Cell.NULL),
    "nan": lambda column: column.with_raw(ONE, b"NaN"),
    "text": lambda column: column.with_raw(ONE, b'"abc"'),
    "numeric text": lambda column: column.with_raw(ONE, b'"14.2"'),
    "missing": lambda column: column.with_cells(ONE, Cell.MISSING),
    "tenfold": lambda column: column.with_values(ONE, column.values * 10),
}
BODY_PROBES = {
    "extra": {"kind": "extra_field", "share": 1},
    "truncated": {"kind": "malformed_json", "share": 1},
    "empty": {"kind": "empty_body", "share": 1},
    "text/plain": {"kind": "wrong_content_type", "share": 1},
}


def probed(schema: Schema, probe: str) -> Body:
    """The request of the first wine with one thing wrong."""
    row: Rows = parse_csv(sample_csv(), schema).take(np.array([0]))
    row = row.with_column(FIRST, ROW_PROBES.get(probe, ROW_PROBES["clean"])(row.columns[FIRST]))
    (data,) = encode(row, schema)
    body = Body(data, schema.form.content_type, schema.form)
    if probe not in BODY_PROBES:
        return body
    fault: BodyFault = TypeAdapter(FaultSpec).validate_python(BODY_PROBES[probe])
    return fault.edit(body, 0.5)


def carried(schema: Schema, probe: str) -> bool:
    """Whether the protocol can carry it."""
    needs = {"missing": {"keys"}, "extra": {"keys", "json"}, "truncated": {"json"}}.get(probe, set())
    return not needs & {trait.value for trait in schema.form.lacks}


def statuses(url: str, schema: Schema) -> dict[str, int]:
    """Which status each probe is answered with; what is no prediction says so in words."""
    found = {}
    for probe in filter(partial(carried, schema), [*ROW_PROBES, *BODY_PROBES]):
        body = probed(schema, probe)
        headers = {"Content-Type": body.content_type}
        answer = httpx.post(url + schema.path, content=body.data, headers=headers, timeout=30.0)
        if answer.status_code == 200:
            assert schema.protocol.why_none(answer.content) is None, (probe, answer.text)
        else:
            assert schema.protocol.error_of(answer.content) or not answer.content, (probe, answer.text)
        found[probe] = answer.status_code
    return found
