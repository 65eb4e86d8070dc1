"""One battery over every fault of the catalogue: what holds for all of them, found by itself for a new one."""

import inspect
import json
import re
import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from alertdrill.core.choices import with_choices
from alertdrill.core.draws import uniform
from alertdrill.core.faults.base import (
    ArrivalFault,
    BodyFault,
    CellFault,
    ExchangeEffect,
    ExchangeFault,
    Fault,
    ProcessFault,
    RowFault,
    SampleFault,
    SlicedFault,
)
from alertdrill.core.faults.body.malformed_json import MalformedJson
from alertdrill.core.faults.catalogue import KINDS, FaultSpec
from alertdrill.core.feasibility import unknown_features
from alertdrill.core.payloads import Payloads
from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario.reading import read_scenario
from alertdrill.core.touch import Touch
from alertdrill.protocols.json_rows import is_json
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

HEADINGS = ("What it does", "Why it matters", "Should trigger", "Example", "References")
METHODS: Mapping[type[Fault], str] = {
    RowFault: "edit", SampleFault: "choose", BodyFault: "edit", ExchangeFault: "effect", ArrivalFault: "change",
    ProcessFault: "halt",
}  # fmt: skip
FEATURES = {
    **dict.fromkeys(("amount", "amount_24h", "distance_km"), FeatureKind.NUMBER),
    **dict.fromkeys(("hour", "transactions_1h"), FeatureKind.INTEGER),
    **dict.fromkeys(("merchant_category", "country", "device", "merchant", "card_id"), FeatureKind.CATEGORY),
    "sent_at": FeatureKind.TIMESTAMP,
}
SCHEMA = Schema(features=tuple(Feature(name=name, kind=kind) for name, kind in FEATURES.items()), label="is_fraud")
SMALLER: Mapping[str, dict[str, object]] = {"oversized_body": {"bytes": 4000}}  # thousands of them have to fit
ROWS = 1000
K = 2  # steady state, gate, phase
SHARE = 0.3

every_fault = pytest.mark.parametrize("kind", sorted(KINDS))
every_fault_on_requests = pytest.mark.parametrize(
    "kind", sorted(kind for kind, fault in KINDS.items() if not issubclass(fault, ProcessFault))
)


def kinds_of(*units: type[Fault]) -> Any:
    return pytest.mark.parametrize("kind", sorted(kind for kind, fault in KINDS.items() if issubclass(fault, units)))


def sections(kind: str) -> dict[str, str]:
    """Heading to text, in order."""
    text = inspect.getdoc(KINDS[kind]) or ""
    found = re.split(r"^(\w[\w ]*):\n", text, flags=re.MULTILINE)
    return {name: textwrap.dedent(body).strip() for name, body in zip(found[1::2], found[2::2], strict=True)}


def example(kind: str, **changes: object) -> dict[str, Any]:
    """The example of a fault's documentation, as a scenario file would give it."""
    (one,) = yaml.safe_load(sections(kind)["Example"])
    return {**one, **SMALLER.get(kind, {}), **changes}


@cache
def sample() -> Rows:
    generator = np.random.default_rng(11)
    n = 200
    cells = np.zeros(n, dtype=np.uint8)
    cells[::20] = Cell.NULL
    none = np.zeros(n, dtype=np.uint8)
    texts = {
        "merchant_category": ["grocery", "fashion", "travel"],
        "country": ["CZ", "FR", "NO", "RS"],
        "device": ["iPhone", "Android"],
        "merchant": ["café", "shop", "bar"],
        "card_id": [f"card-{i}" for i in range(20)],
    }
    columns = {}
    for name, kind in FEATURES.items():
        if kind is FeatureKind.CATEGORY:
            chosen = generator.integers(0, len(texts[name]), n)
            columns[name] = Column(np.array(texts[name], dtype=object)[chosen], none)
        elif kind is FeatureKind.TIMESTAMP:
            columns[name] = Column(1.7900e9 + np.arange(n) * 3600.0 + 0.25, none)
        else:
            values = generator.lognormal(5, 2, n).round(2)
            columns[name] = Column(values if kind is FeatureKind.NUMBER else np.floor(values), cells)
    labels = np.array(["0", "1"], dtype=object)[(generator.random(n) < 0.2).astype(int)]
    return Rows(columns, labels)


def make_plan(fault: Mapping[str, object], seed: int = 3, rows: int = ROWS) -> Plan:
    return _make_plan(json.dumps(fault), seed, rows)


@cache
def _make_plan(written: str, seed: int, rows: int) -> Plan:
    fault = json.loads(written)
    phase = {"name": "broken", "duration": f"{rows / 100:g}s", "faults": [fault]}
    load, target = {"rate": "100/s", "arrivals": "constant"}, {"bundled": "fraud"}
    reading = read_scenario(
        {"version": 1, "name": "x", "seed": seed, "target": target, "load": load, "phases": [phase]}
    )
    assert reading.findings == ()
    assert reading.scenario is not None
    assert list(unknown_features(reading.scenario, SCHEMA)) == []
    segments, injections = make_segments(reading.scenario, SCHEMA, 5.0)
    plan = Plan(
        run_id="r", seed=seed, scenario_path="x", scenario=reading.scenario,
        target=TargetPlan(name="t", version="1", schema=SCHEMA, sample_sha256=""), rules=(), segments=segments,
        injections=injections,
    )  # fmt: skip
    return with_choices(plan, sample())


def seen(effect: ExchangeEffect) -> tuple[object, ...]:
    """An effect as callers see it: what it makes of an answer, not the function that does so."""
    edited = effect.edit(b'{"score": 0.25, "id": "a"}') if effect.edit else None
    rest = (effect.delay_s, effect.upload_s, effect.answer, effect.cut, effect.replay, effect.kept, effect.download_s)
    return (*rest, edited)


def effects(plan: Plan, split: int = ROWS) -> list[object]:
    """What every request of the phase becomes: its body and when it is due, or what the proxy does to its exchange."""
    (injection,) = plan.injections
    touch = Touch(plan)
    if isinstance(injection.fault, ExchangeFault):
        count = plan.segments[K].count
        draws = [uniform(plan.seed, f"effect:{injection.id}", K, i) for i in range(count)]
        hits = [touch.one(injection, i) for i in range(count)]
        assert hits == touch.mask(injection, 0, count).tolist()
        return [
            seen(injection.fault.effect(draw, touch.dose_one(injection, i))) if hit else None
            for i, (hit, draw) in enumerate(zip(hits, draws, strict=True))
        ]
    payloads, schedule = Payloads(plan, sample()), touch.schedule(K)
    count = len(schedule)
    blocks = [payloads.block(K, start, min(start + split, count)) for start in range(0, count, split)]
    bodies = [(body, block.content_types.get(n)) for block in blocks for n, body in enumerate(block.bodies)]
    return [
        (at, goes, *body) for at, goes, body in zip(schedule.at.tolist(), schedule.sent.tolist(), bodies, strict=True)
    ]


def clean(plan: Plan) -> list[object]:
    """The same requests, with no fault at all."""
    return _clean(plan.seed, round(plan.segments[K].duration_s * 100))


@cache
def _clean(seed: int, rows: int) -> list[object]:
    return effects(make_plan(example("noop", share=0), seed, rows))


def test_the_catalogue_has_at_least_fifty_kinds() -> None:
    assert len(KINDS) >= 50


@every_fault
def test_the_documentation_has_the_five_headings_in_order(kind: str) -> None:
    found = sections(kind)
    assert tuple(found) == HEADINGS
    assert all(found.values())


@every_fault
def test_the_documented_example_is_this_fault_and_runs(kind: str) -> None:
    fault: Fault = TypeAdapter(FaultSpec).validate_python(example(kind))
    assert type(fault) is KINDS[kind]
    outcome = effects(make_plan(example(kind)))
    assert kind == "noop" or isinstance(fault, ProcessFault) or outcome != clean(make_plan(example(kind)))


@every_fault
def test_every_field_is_described(kind: str) -> None:
    fields = KINDS[kind].model_fields
    assert [name for name, field in fields.items() if name != "kind" and not field.description] == []


@every_fault
def test_a_fault_stands_in_the_folder_of_its_unit_and_has_its_one_method(kind: str) -> None:
    fault = KINDS[kind]
    (unit,) = [base for base in METHODS if issubclass(fault, base)]
    assert fault.__module__ == f"alertdrill.core.faults.{fault.unit}.{kind}"
    method = "edit_column" if issubclass(fault, CellFault) else METHODS[unit]
    own = [name for name, value in vars(fault).items() if inspect.isfunction(value) and not name.startswith("_")]
    assert set(own) - {"unfit"} == {method}


@every_fault
def test_a_fault_survives_the_plan(kind: str) -> None:
    plan = make_plan(example(kind))
    again = Plan.model_validate_json(plan.model_dump_json())
    assert again == plan
    assert effects(again) == effects(plan)


@every_fault_on_requests
def test_one_seed_gives_one_outcome_and_another_seed_another(kind: str) -> None:
    one, again, other = (effects(make_plan(example(kind, share=SHARE), seed)) for seed in (3, 3, 4))
    assert one == again
    assert one != other


@every_fault_on_requests
@pytest.mark.parametrize("split", [1, 7])
def test_the_outcome_does_not_depend_on_how_requests_are_split_among_workers(kind: str, split: int) -> None:
    plan = make_plan(example(kind, share=SHARE), rows=200)
    assert effects(plan, split) == effects(plan, 10_000)


@every_fault_on_requests
def test_a_batch_of_ten_thousand_is_the_same_requests(kind: str) -> None:
    plan = make_plan(example(kind, share=SHARE), rows=10_000)
    short = make_plan(example(kind, share=SHARE))
    whole = effects(plan, 10_000)
    assert len(whole) >= 10_000 or issubclass(KINDS[kind], ArrivalFault)
    if not issubclass(KINDS[kind], ArrivalFault):
        assert whole[:ROWS] == effects(short)


@every_fault
def test_a_share_of_0_is_the_identity(kind: str) -> None:
    plan = make_plan(example(kind, share=0))
    if issubclass(KINDS[kind], ExchangeFault):
        assert effects(plan) == [None] * ROWS
    else:
        assert effects(plan) == clean(plan)


@kinds_of(RowFault, SampleFault, BodyFault)
def test_the_touched_requests_are_those_that_change_and_the_journal_is_the_plan(kind: str) -> None:
    plan = make_plan(example(kind, share=SHARE))
    (injection,) = plan.injections
    mask = Touch(plan).mask(injection, 0, ROWS)
    changed = np.array([one != other for one, other in zip(effects(plan), clean(plan), strict=True)])
    assert changed.tolist() == mask.tolist() or kind == "noop"
    assert mask.any()
    assert Payloads(plan, sample()).block(K, 0, ROWS).touched[injection.id].tolist() == mask.tolist()


@kinds_of(ArrivalFault)
def test_an_arrival_fault_accounts_for_every_arrival_that_it_adds_or_takes(kind: str) -> None:
    plan = make_plan(example(kind, share=SHARE))
    (injection,) = plan.injections
    schedule = Touch(plan).schedule(K)
    touched = schedule.touched[injection.id]
    added = len(schedule) - ROWS
    assert touched.any()
    assert touched.sum() == added + (~schedule.sent).sum()
    assert np.all(np.diff(schedule.at) >= 0)
    assert np.all((schedule.at >= 0) & (schedule.at < 10))
    assert np.all(schedule.origin <= np.arange(len(schedule)))
    block = Payloads(plan, sample()).block(K, 0, len(schedule))
    assert block.touched[injection.id].tolist() == touched.tolist()
    assert [block.bodies[i] for i in schedule.origin] == list(block.bodies)


@every_fault
def test_the_input_is_left_alone(kind: str) -> None:
    rows = sample().take(np.arange(len(sample())))
    for column in rows.columns.values():
        column.values.flags.writeable = column.cells.flags.writeable = False
    plan = make_plan(example(kind, share=1))
    Payloads(plan, rows).block(K, 0, ROWS)
    for name, column in sample().columns.items():
        assert rows.columns[name].values.tolist() == pytest.approx(column.values.tolist(), nan_ok=True) or (
            rows.columns[name].values.tolist() == column.values.tolist()
        )
        assert rows.columns[name].cells.tolist() == column.cells.tolist()


@kinds_of(RowFault)
def test_what_a_row_fault_leaves_is_still_one_flat_object(kind: str) -> None:
    for body in Payloads(make_plan(example(kind, share=1)), sample()).block(K, 0, ROWS).bodies:
        keys = re.findall(rb'[{,]"(\w+)":', body) if not is_json(body) else [key.encode() for key in orjson.loads(body)]
        assert set(keys) <= {name.encode() for name in SCHEMA.names()} | {b"value"}
        assert (body[:1], body[-1:]) == (b"{", b"}")


@kinds_of(BodyFault)
@given(
    draw=st.floats(0, 1, exclude_max=True), body=st.sampled_from([b"{}", b'{"amount":12.5,"hour":3}', b'{"x":"a,}"}'])
)
@settings(max_examples=25, deadline=None)
def test_a_body_fault_changes_every_body_that_it_touches_whatever_the_draw(kind: str, draw: float, body: bytes) -> None:
    from alertdrill.core.faults.base import Body

    fault = TypeAdapter(FaultSpec).validate_python(example(kind))
    given_body = Body(body, "application/json")
    edited = fault.edit(given_body, draw)
    assert edited != given_body
    assert edited.data or kind == "empty_body"
    assert "\n" not in edited.content_type
    assert "\r" not in edited.content_type
    if isinstance(fault, MalformedJson):
        assert not is_json(edited.data)


@every_fault_on_requests
def test_a_profile_keeps_a_fault_to_its_time(kind: str) -> None:
    plan = make_plan(example(kind, share=1, profile={"kind": "pulse", "at": "4s", "lasts": "3s"}))
    (injection,) = plan.injections
    touch = Touch(plan)
    at = touch.schedule(K).at[touch.mask(injection, 0, plan.segments[K].count)]
    assert len(at)
    assert at.min() >= 4
    assert at.max() < (7 if not issubclass(KINDS[kind], ArrivalFault) else 10)


@every_fault
def test_a_dose_of_nothing_changes_nothing_and_a_fault_without_size_has_none(kind: str) -> None:
    late = {"kind": "ramp", "of": "dose", "at": "9s", "over": "1s"}
    fault = KINDS[kind]
    if not fault.has_dose:
        phases = [{"name": "p", "duration": "10s", "faults": [example(kind, profile=late)]}]
        load, target = {"rate": "100/s"}, {"bundled": "fraud"}
        reading = read_scenario({"version": 1, "name": "x", "target": target, "load": load, "phases": phases})
        assert any("profile" in finding.path for finding in reading.findings)
        return
    plan = make_plan(example(kind, share=1, profile=late))
    ramped, without = effects(plan), clean(plan)
    if issubclass(fault, RowFault):
        assert ramped[:900] == without[:900]
        assert ramped[950:] != without[950:]
    elif issubclass(fault, ExchangeFault):
        full = effects(make_plan(example(kind, share=1)))
        assert all(one != other for one, other in zip(ramped[:899], full[:899], strict=True))
    else:
        assert [one[0] for one in ramped if one[0] < 9] == [one[0] for one in without if one[0] < 9]


@kinds_of(SlicedFault)
def test_where_keeps_a_fault_to_one_slice(kind: str) -> None:
    plan = make_plan(example(kind, share=1, where={"country": ["RS", "NO"], "distance_km": "> 100"}))
    (injection,) = plan.injections
    rows = Payloads(make_plan(example("noop", share=0)), sample()).rows(K, 0, ROWS)
    inside = np.isin(rows.columns["country"].values.astype(str), ["RS", "NO"])
    far = (rows.columns["distance_km"].values > 100) & (rows.columns["distance_km"].cells == Cell.VALUE)
    mask = Touch(plan).mask(injection, 0, ROWS)
    assert mask.any()
    assert not np.any(mask & ~(inside & far))
    if issubclass(KINDS[kind], BodyFault | ExchangeFault) or kind in ("noop", "missing_key", "not_a_number"):
        assert mask.tolist() == (inside & far).tolist()


@kinds_of(SlicedFault)
def test_selection_by_another_feature_prefers_its_high_values_and_keeps_the_share(kind: str) -> None:
    select = {"kind": "mar", "feature": "distance_km"}
    plan = make_plan(example(kind, share=SHARE, select=select), rows=5000)
    (injection,) = plan.injections
    mask = Touch(plan).mask(injection, 0, 5000)
    rows = Payloads(make_plan(example("noop", share=0), rows=5000), sample()).rows(K, 0, 5000)
    high = rows.columns["distance_km"].values > np.median(sample().columns["distance_km"].values)
    assert 0 < mask.mean() < SHARE + 0.03
    assert mask[high].mean() > 1.5 * mask[~high].mean()
    if issubclass(KINDS[kind], BodyFault | ExchangeFault) or kind in ("noop", "missing_key", "not_a_number"):
        assert abs(mask.mean() - SHARE) < 0.03


@kinds_of(CellFault)
def test_cells_are_touched_each_on_its_own(kind: str) -> None:
    edits = KINDS[kind].edits
    names = [name for name, of in FEATURES.items() if of in edits][:2]
    if len(names) < 2:
        pytest.skip("the target has one such feature only")
    plan = make_plan(example(kind, features=names, share=SHARE, of="cells"))
    (injection,) = plan.injections
    mask = Touch(plan).mask(injection, 0, ROWS)
    assert 0 < mask.mean() < 1 - (1 - SHARE) ** 2 + 0.06
    assert Payloads(plan, sample()).block(K, 0, ROWS).touched[injection.id].tolist() == mask.tolist()


@every_fault_on_requests
@given(seed=st.integers(0, 2**62), share=st.floats(0, 1))
@settings(max_examples=5, deadline=None)
def test_a_larger_share_touches_what_a_smaller_one_touched(kind: str, seed: int, share: float) -> None:
    few, many = (make_plan(example(kind, share=one), seed, rows=100) for one in (share / 2, share))
    if issubclass(KINDS[kind], ArrivalFault):
        assert (
            Touch(few).schedule(K).touched["broken/" + kind].sum()
            <= Touch(many).schedule(K).touched["broken/" + kind].sum() + 0
        )
        return
    masks = [Touch(plan).mask(plan.injections[0], 0, 100) for plan in (few, many)]
    assert not np.any(masks[0] & ~masks[1])


@kinds_of(ProcessFault)
def test_a_fault_on_processes_is_for_all_of_them_and_all_of_its_phase_or_a_control(kind: str) -> None:
    whole, control = make_plan(example(kind)), make_plan(example(kind, share=0))
    assert [Touch(plan).mask(plan.injections[0], 0, ROWS).sum() for plan in (whole, control)] == [ROWS, 0]
    for wrong in ({"share": 0.5}, {"profile": {"kind": "pulse", "lasts": "1s"}}):
        phases = [{"name": "p", "duration": "10s", "faults": [example(kind, **wrong)]}]
        load, target = {"rate": "100/s"}, {"bundled": "fraud"}
        reading = read_scenario({"version": 1, "name": "x", "target": target, "load": load, "phases": phases})
        assert [finding.path[4:] for finding in reading.findings] == [tuple(wrong)]
