"""One battery over every way to write a row: each option that changes the bytes, with every data fault there is."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from test_faults import FEATURES, SCHEMA, example, sample

from alertdrill.core.choices import with_choices
from alertdrill.core.faults.base import BodyFault, Fault, RowFault
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.feasibility import unknown_features
from alertdrill.core.payloads import Payloads
from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario import Scenario
from alertdrill.core.scenario.reading import read_scenario
from alertdrill.core.touch import Touch
from alertdrill.core.traffic import PlannedTraffic
from alertdrill.monitor.bodies import Bodies
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.catalogue import PROTOCOLS
from alertdrill.protocols.encoding import Drawn, encode
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.malformed import Malformed
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

ROWS = 120
K = 2  # steady state, gate, phase
NUMBERS = tuple(feature for feature in SCHEMA.features if feature.numeric)
WAYS: dict[str, Protocol] = {
    "json": Json(),
    "json wrapped": Json(body={"row": "$row", "model": 'a"b'}),
    "json list": Json(body=["$row"]),
    "json values": Json(body={"input_data": [{"at": "$values"}]}),
    "oip_v2 each": OipV2(parameters={"content_type": "pd"}, text_parameters={"content_type": "str"}, outputs=("y",)),
    "oip_v2 each flat": OipV2(flat=True),
    "oip_v2 one": OipV2(tensors="one"),
    "instances": Instances(parameters={"threshold": 0.5}),
    "instances values": Instances(rows="values"),
    "instances columns": Instances(rows="columns", signature_name="serve"),
    "mlflow split": Mlflow(params={"a": 1}),
    "mlflow records": Mlflow(format="dataframe_records"),
    "mlflow inputs": Mlflow(format="inputs"),
    "mlflow instances": Mlflow(format="instances"),
    "mlflow matrix": Mlflow(format="inputs", named=False),
    "mlflow csv": Mlflow(format="csv"),
}
every_way = pytest.mark.parametrize("way", WAYS)
# Ways in which faults meet something of their own: the others differ from these by what stands around the row.
FAULTED = ("json wrapped", "json values", "oip_v2 each", "oip_v2 one", "instances", "instances columns", "mlflow split",
           "mlflow csv")  # fmt: skip
DATA_FAULTS = sorted(kind for kind, fault in KINDS.items() if issubclass(fault, RowFault | BodyFault))


# What edits bodies or needs something of a protocol, in every way; all the others in two that differ most.
OF_FORM = [kind for kind in DATA_FAULTS if issubclass(KINDS[kind], BodyFault) or KINDS[kind].needs]
PAIRS = [(way, kind) for way in FAULTED for kind in OF_FORM]
OF_ROWS = [kind for kind in DATA_FAULTS if kind not in (*OF_FORM, "noop")]
PAIRS += [(way, kind) for way in ("oip_v2 each", "mlflow csv") for kind in OF_ROWS]


@cache
def schema_of(way: str) -> Schema:
    """The features of the other battery; the numbers among them, where one tensor must hold them all."""
    protocol = WAYS[way]
    whole = SCHEMA.model_copy(update={"features": NUMBERS}) if way == "oip_v2 one" else SCHEMA
    return Schema(protocol=protocol, path="/predict", features=whole.features, label=whole.label)


def fitting(kind: str, schema: Schema) -> dict[str, Any]:
    """The example of a fault, on a feature that the schema has."""
    fault, names = example(kind, share=0.5), set(schema.names())
    features = fault.get("features")
    if isinstance(features, list) and not set(features) <= names:
        able = [one.name for one in schema.features if one.kind in getattr(KINDS[kind], "edits", ())]
        fault["features"] = able[: len(features)]
    return fault


def scenario_of(fault: dict[str, Any]) -> Scenario:
    phase = {"name": "broken", "duration": f"{ROWS / 100:g}s", "faults": [fault]}
    load, target = {"rate": "100/s", "arrivals": "constant"}, {"bundled": "fraud"}
    reading = read_scenario({"version": 1, "name": "x", "seed": 3, "target": target, "load": load, "phases": [phase]})
    assert reading.scenario is not None, reading.findings
    return reading.scenario


def plan_of(fault: dict[str, Any], schema: Schema) -> Plan:
    scenario = scenario_of(fault)
    segments, injections = make_segments(scenario, schema, 5.0)
    plan = Plan(
        run_id="r", seed=3, scenario_path="x", scenario=scenario, rules=(), segments=segments, injections=injections,
        target=TargetPlan(name="t", version="1", schema=schema, sample_sha256=""),
    )  # fmt: skip
    return with_choices(plan, sample())


@cache
def clean(way: str) -> Sequence[bytes]:
    """The bodies without a fault."""
    schema = schema_of(way)
    plan = plan_of({**example("noop", share=0), "features": [schema.names()[0]]}, schema)
    return Payloads(plan, sample()).block(K, 0, ROWS).bodies


def carried(kind: str, schema: Schema) -> bool:
    return not KINDS[kind].needs & schema.form.lacks.keys()


def plain(row: Any) -> dict[str, Any]:
    """A row as the flat object of `json` would have it."""
    return {name: None if value is None else value for name, value in row.items()}


@pytest.mark.parametrize("of", PROTOCOLS)
def test_every_option_is_described(of: type[Protocol]) -> None:
    fields = of.model_fields.items()
    assert [name for name, field in fields if name != "kind" and not field.description] == []


@every_way
def test_a_schema_survives_its_file(way: str) -> None:
    assert Schema.model_validate_json(schema_of(way).model_dump_json()) == schema_of(way)


@every_way
def test_rows_are_read_back_as_they_were_sent_nulls_and_odd_texts_included(way: str) -> None:
    schema = schema_of(way)
    odd = ['a"b', "c,d", "e\\n", "100%", "café", "{[]}", '],"data":[[']
    texts = np.array([odd[i % len(odd)] for i in range(len(sample()))], dtype=object)
    rows = sample()
    if way != "oip_v2 one":
        rows = rows.with_column("merchant", Column(texts, np.zeros(len(texts), dtype=np.uint8)))
    bodies, flat = encode(rows, schema), encode(rows, Schema(features=schema.features))
    for body, expected in zip(bodies, flat, strict=True):
        (read,) = schema.protocol.read(body, schema.features)
        assert plain(read) == json.loads(expected)


@every_way
def test_rows_drawn_from_a_sample_are_written_as_any_others_are(way: str) -> None:
    schema, positions = schema_of(way), np.array([5, 7, 5, 199, 0, 20])
    drawn = sample().take(positions)
    edited = drawn.with_column("amount", Column(drawn.columns["amount"].values + 1, drawn.columns["amount"].cells))
    writer = Drawn(sample(), schema)
    for rows in (drawn, edited, drawn):
        assert writer.encode(rows, drawn, positions) == encode(rows, schema)


@every_way
@pytest.mark.parametrize("name", ["100%", 'a"b', "é", "a%sb", 'x"],"data":[["', "name"])
def test_names_are_read_back(way: str, name: str) -> None:
    features = (Feature(name=name, kind=FeatureKind.NUMBER), Feature(name="y", kind=FeatureKind.NUMBER))
    schema = Schema(protocol=WAYS[way], path="/", features=features)
    none = np.zeros(1, dtype=np.uint8)
    (body,) = encode(Rows({name: Column(np.array([1.5]), none), "y": Column(np.array([2.5]), none)}), schema)
    assert plain(schema.protocol.read(body, features)[0]) == {name: 1.5, "y": 2.5}
    members = schema.form.split(body)
    assert members is None or schema.form.join(members) == body


@every_way
def test_a_body_is_taken_apart_and_put_together_again(way: str) -> None:
    schema = schema_of(way)
    for body in encode(sample().take(np.arange(3)), schema):
        members = schema.form.split(body)
        if members is None:
            assert not any(KINDS[kind].needs == {"json", "keys"} and carried(kind, schema) for kind in DATA_FAULTS)
            continue
        assert [json.loads(name) for name, _ in members] == list(schema.names())
        assert schema.form.join(members) == body
        assert schema.form.split(schema.form.added(body, (b'"more"', b"1"))) == [*members, (b'"more"', b"1")]


@pytest.mark.parametrize(("way", "kind"), PAIRS)
def test_a_data_fault_changes_what_it_touches_or_is_refused_with_the_reason(way: str, kind: str) -> None:
    schema = schema_of(way)
    fault = fitting(kind, schema)
    if not fault.get("features", True) or fault.get("field", "amount") not in schema.names():
        pytest.skip("no feature of the one tensor is of a kind for it")
    findings = list(unknown_features(scenario_of(fault), schema))
    if not carried(kind, schema):
        (reason,) = [one for one in findings if one.path[-1] == "kind"]
        assert any(why in reason.expected for why in schema.form.lacks.values())
        return
    assert findings == []
    plan = plan_of(fault, schema)
    (injection,) = plan.injections
    block, before = Payloads(plan, sample()).block(K, 0, ROWS), clean(way)
    changed = [one != before[i] or i in block.content_types for i, one in enumerate(block.bodies)]
    assert block.touched[injection.id].tolist() == changed == Touch(plan).mask(injection, 0, ROWS).tolist()
    assert any(changed)


@pytest.mark.parametrize("way", [way for way in WAYS if not schema_of(way).form.lacks.keys() & {"json", "keys"}])
def test_body_faults_edit_the_row_and_not_what_stands_around_it(way: str) -> None:
    schema = schema_of(way)
    for fault, name, kept in (
        (example("extra_field", share=1), "unexpected", True),
        (example("renamed_field", share=1), "amountEur", False),
    ):
        bodies = Payloads(plan_of(fault, schema), sample()).block(K, 0, 3).bodies
        rows = [schema.protocol.read(body, schema.features)[0] for body in bodies]
        assert all(name in row and ("amount" in row) == kept for row in rows)
    if carried("wrong_batch_shape", schema):
        edited = Payloads(plan_of(example("wrong_batch_shape", share=1), schema), sample()).block(K, 0, 3).bodies
        for body, before in zip(edited, clean(way), strict=False):
            at = before.index(b'{"amount"')
            assert (body[:at], body[at : at + 2]) == (before[:at], b"[{")


SEEN = ("malformed_json", "not_a_number", "nulls", "missing_key", "wrong_type", "wrong_batch_shape", "renamed_field")


@pytest.mark.parametrize("way", FAULTED)
@pytest.mark.parametrize("kind", [*SEEN, "empty_body", "duplicate_keys", "decimal_comma", "not_available"])
def test_the_plan_knows_what_the_monitor_will_read(way: str, kind: str) -> None:
    schema = schema_of(way)
    if not carried(kind, schema):
        return
    plan = plan_of(fitting(kind, schema), schema)
    bodies = Payloads(plan, sample()).block(K, 0, ROWS).bodies
    found = Bodies(schema.protocol, schema.features).read_all(bodies)
    assert found == [Bodies(schema.protocol, schema.features).read(body) for body in bodies]
    traffic = PlannedTraffic(plan, sample(), Touch(plan)).until(K, {K: 0.0}, {})
    assert traffic.malformed.tolist() == [isinstance(one, Malformed) for one in found]
    absent = [None if isinstance(one, Malformed) else _first(one).get("amount") is None for one in found]
    planned = traffic.nulls("amount").tolist()
    assert [one for one in absent if one is not None] == [
        one for one, known in zip(planned, absent, strict=True) if known is not None
    ]


def _first(rows: Sequence[Any] | None) -> Any:
    assert rows
    return rows[0]


@every_way
def test_a_null_a_missing_key_a_nan_and_a_text_are_told_apart_where_the_protocol_can(way: str) -> None:
    schema = schema_of(way)
    column = sample().columns["amount"].take(np.full(5, 1))
    marks = np.eye(5, dtype=bool)
    column = column.with_cells(marks[1], Cell.NULL).with_raw(marks[3], b"NaN").with_raw(marks[4], b'""')
    keyed = "keys" not in schema.form.lacks
    column = column.with_cells(marks[2], Cell.MISSING) if keyed else column
    bodies = encode(sample().take(np.full(5, 1)).with_column("amount", column), schema)
    read = Bodies(schema.protocol, schema.features).read_all(bodies)
    values = ["unread" if isinstance(one, Malformed) else _first(one).get("amount", "missing") for one in read]
    value = float(column.values[0])
    if way == "mlflow csv":
        assert values == [value, None, "missing", None, None]
    else:
        assert values == [value, None, "missing" if keyed else value, "unread", ""]


def test_a_fault_says_what_it_needs_of_a_protocol() -> None:
    bodies = {kind for kind in DATA_FAULTS if issubclass(KINDS[kind], BodyFault)}
    free = {kind for kind in bodies if not KINDS[kind].needs}
    assert free == {"byte_order_mark", "empty_body", "wrong_content_type"}
    others = {kind: fault for kind, fault in KINDS.items() if not issubclass(fault, RowFault | BodyFault)}
    assert {kind for kind, fault in others.items() if fault.needs} == set()
    assert issubclass(KINDS["missing_key"], Fault)
    assert len(FEATURES) == len(SCHEMA.features)
