"""One battery over every fault of the catalogue: what holds for all of them, found by itself for a new one."""

import inspect
import json
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter

from alertdrill.core.draws import chosen, uniform
from alertdrill.core.faults.base import BodyFault, ExchangeFault, Fault, RowFault
from alertdrill.core.faults.catalogue import KINDS, FaultSpec
from alertdrill.core.payloads import Payloads
from alertdrill.core.plan import Plan, TargetPlan, make_injections, make_segments
from alertdrill.core.scenario import read_scenario
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

HEADINGS = ("What it does", "Why it matters", "Should trigger", "Example", "References")
SCHEMA = Schema(
    features=(
        Feature(name="amount", kind=FeatureKind.NUMBER),
        Feature(name="hour", kind=FeatureKind.INTEGER),
        Feature(name="merchant", kind=FeatureKind.CATEGORY),
    )
)
ROWS = 1000
K = 2  # steady state, gate, phase
SHARE = 0.3

every_fault = pytest.mark.parametrize("kind", sorted(KINDS))


def sections(kind: str) -> dict[str, str]:
    """Heading to text, in order."""
    text = inspect.getdoc(KINDS[kind]) or ""
    found = re.split(r"^(\w[\w ]*):\n", text, flags=re.MULTILINE)
    return {name: textwrap.dedent(body).strip() for name, body in zip(found[1::2], found[2::2], strict=True)}


def example(kind: str, **changes: object) -> dict[str, Any]:
    """The example of a fault's documentation, as a scenario file would give it."""
    (one,) = yaml.safe_load(sections(kind)["Example"])
    return {**one, **changes}


def sample() -> Rows:
    generator = np.random.default_rng(11)
    cells = np.zeros(200, dtype=np.uint8)
    cells[::20] = Cell.NULL
    merchants = np.array(["café", "shop", "bar"], dtype=object)[generator.integers(0, 3, 200)]
    return Rows(
        {
            "amount": Column(generator.lognormal(3, 1, 200), cells),
            "hour": Column(generator.integers(0, 24, 200).astype(np.float64), np.zeros(200, dtype=np.uint8)),
            "merchant": Column(merchants, np.zeros(200, dtype=np.uint8)),
        }
    )


def make_plan(fault: Mapping[str, object], seed: int = 3) -> Plan:
    phase = {"name": "broken", "duration": "10s", "faults": [fault]}
    load, target = {"rate": "100/s", "arrivals": "constant"}, {"bundled": "fraud"}
    reading = read_scenario(
        {"version": 1, "name": "x", "seed": seed, "target": target, "load": load, "phases": [phase]}
    )
    assert reading.scenario is not None, reading.findings
    segments = make_segments(reading.scenario, 5.0)
    return Plan(
        run_id="r", seed=seed, scenario_path="x", scenario=reading.scenario,
        target=TargetPlan(name="t", version="1", schema=SCHEMA, sample_sha256=""), rules=(), segments=segments,
        injections=make_injections(reading.scenario, segments),
    )  # fmt: skip


def effects(plan: Plan, split: int = ROWS) -> list[object]:
    """What every request of the phase becomes: its body, or what the proxy does to its exchange."""
    (injection,) = plan.injections
    if isinstance(injection.fault, ExchangeFault):
        mask = chosen(plan.seed, injection.id, K, 0, ROWS, injection.share)
        draws = [uniform(plan.seed, f"effect:{injection.id}", K, i) for i in range(ROWS)]
        return [injection.fault.effect(draw) if hit else None for hit, draw in zip(mask, draws, strict=True)]
    payloads = Payloads(plan, sample())
    blocks = [payloads.block(K, start, min(start + split, ROWS)) for start in range(0, ROWS, split)]
    return [body for block in blocks for body in block.bodies]


@every_fault
def test_the_documentation_has_the_five_headings_in_order(kind: str) -> None:
    found = sections(kind)
    assert tuple(found) == HEADINGS
    assert all(found.values())


@every_fault
def test_the_documented_example_is_this_fault_and_runs(kind: str) -> None:
    fault: Fault = TypeAdapter(FaultSpec).validate_python(example(kind))
    assert type(fault) is KINDS[kind]
    assert len(effects(make_plan(example(kind)))) == ROWS


@every_fault
def test_every_field_is_described(kind: str) -> None:
    fields = KINDS[kind].model_fields
    assert [name for name, field in fields.items() if name != "kind" and not field.description] == []


@every_fault
def test_a_fault_is_of_one_unit_and_has_its_one_method(kind: str) -> None:
    units = [base for base in (RowFault, BodyFault, ExchangeFault) if issubclass(KINDS[kind], base)]
    assert len(units) == 1
    method = "effect" if units[0] is ExchangeFault else "edit"
    assert method in vars(KINDS[kind])


@every_fault
def test_one_seed_gives_one_outcome(kind: str) -> None:
    one, again = (effects(make_plan(example(kind, share=SHARE))) for _ in range(2))
    assert one == again


@every_fault
def test_the_outcome_does_not_depend_on_the_size_of_the_batch(kind: str) -> None:
    plan = make_plan(example(kind, share=SHARE))
    assert effects(plan, split=1) == effects(plan, split=1000)


@every_fault
def test_a_share_of_0_is_the_identity(kind: str) -> None:
    touched, clean = (effects(make_plan(example(kind, share=share))) for share in (0, SHARE))
    base = make_plan(example("noop", share=0))
    if issubclass(KINDS[kind], ExchangeFault):
        assert touched == [None] * ROWS
    else:
        assert touched == effects(base)
    assert kind == "noop" or touched != clean


@every_fault
def test_only_the_chosen_requests_change_and_all_of_them_are_accounted_for(kind: str) -> None:
    plan, clean = (make_plan(example(kind, share=share)) for share in (SHARE, 0))
    (injection,) = plan.injections
    mask = chosen(plan.seed, injection.id, K, 0, ROWS, SHARE)
    changed = np.array([one != other for one, other in zip(effects(plan), effects(clean), strict=True)])
    assert not np.any(changed & ~mask)
    if not issubclass(KINDS[kind], ExchangeFault):
        touched = Payloads(plan, sample()).block(K, 0, ROWS).touched
        assert touched[injection.id].tolist() == mask.tolist()


@every_fault
def test_the_input_is_left_alone(kind: str) -> None:
    rows, before = sample(), sample()
    plan = make_plan(example(kind, share=1))
    Payloads(plan, rows).block(K, 0, ROWS)
    for name, column in before.columns.items():
        np.testing.assert_array_equal(rows.columns[name].values, column.values)
        np.testing.assert_array_equal(rows.columns[name].cells, column.cells)
        assert rows.columns[name].raw == column.raw


@every_fault
def test_what_a_row_fault_leaves_is_still_a_request(kind: str) -> None:
    if not issubclass(KINDS[kind], RowFault):
        pytest.skip("not a row fault")
    for body in effects(make_plan(example(kind, share=1))):
        assert isinstance(body, bytes)
        assert set(json.loads(body)) <= set(SCHEMA.names())


@every_fault
def test_a_body_fault_changes_every_body_that_it_touches_whatever_the_draw(kind: str) -> None:
    fault = TypeAdapter(FaultSpec).validate_python(example(kind))
    if not isinstance(fault, BodyFault):
        pytest.skip("not a body fault")
    for body in (b"{}", b'{"amount":12.5,"hour":3}'):
        for draw in (0.0, 0.5, 0.99, 1 - 2**-53):
            assert fault.edit(body, draw) not in (body, b"")
