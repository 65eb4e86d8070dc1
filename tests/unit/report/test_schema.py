import contextlib
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from pydantic import TypeAdapter, ValidationError
from tests.unit.adapters.scenario_trees import FUZZ, GOOD, at, fault_tree, places, rearranged_trees, removed
from tests.unit.report.json_schema import is_valid

from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.scenario.reading import read_scenario
from alertdrill.core.units import Comparison, DurationS, Factor, RatePerS, Share, Shift
from alertdrill.report.schema import SCHEMAS, result_schema, scenario_schema
from alertdrill.report.schema_include import with_include

SCENARIO = json.loads(scenario_schema())
START = "version: 1\nname: one\ntarget: {bundled: fraud}\nload: {rate: 100/s}\n"
FAULTS = [fault_tree(fault) for fault in KINDS.values()]
MAPPINGS = [path for path in places(GOOD) if isinstance(at(GOOD, path), dict)]


def valid(text: str) -> bool:
    return is_valid(yaml.safe_load(text), SCENARIO)


def test_defaults_of_the_scenario_schema_have_their_units() -> None:
    limits = SCENARIO["$defs"]["Limits"]["properties"]
    assert {name: field["default"] for name, field in limits.items() if name != "include"} == {
        "max_rate": "500/s",
        "max_duration": "15m",
        "lease": "5s",
    }


def test_the_scenario_schema_refuses_unknown_keys_and_the_result_schema_lets_them_grow() -> None:
    assert not is_valid({**GOOD, "colour": "red"}, SCENARIO)
    assert '"additionalProperties": false' not in result_schema()


def test_the_result_schema_has_every_key_of_a_result_as_required() -> None:
    schema = json.loads(result_schema())
    assert {"schema", "run_id", "verdict", "expectations", "load"} <= set(schema["required"])
    assert schema["$defs"]["ExpectationResult"]["properties"]["ttd_s"]["anyOf"] == [
        {"type": "number"},
        {"type": "null"},
    ]


def test_only_scenarios_include() -> None:
    assert "include" not in SCHEMAS["result"]()


def test_the_bundled_scenario_is_valid() -> None:
    assert is_valid(GOOD, SCENARIO)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_example_of_a_fault_is_valid(kind: str) -> None:
    assert is_valid(fault_tree(KINDS[kind]), SCENARIO)


@pytest.mark.parametrize(("path", "key"), [(path, key) for path in MAPPINGS for key in at(GOOD, path)])
def test_a_key_that_the_reader_demands_the_schema_demands(path: tuple[Any, ...], key: str) -> None:
    tree = removed(GOOD, (*path, key))
    demanded = any(one.got in ("nothing", "no kind") for one in read_scenario(tree).findings)
    assert is_valid(tree, SCENARIO) is not demanded


@pytest.mark.parametrize("path", MAPPINGS)
def test_any_mapping_may_include_and_then_needs_nothing_else(path: tuple[Any, ...]) -> None:
    tree = GOOD
    for key in at(GOOD, path):
        tree = removed(tree, (*path, key))
    tree = json.loads(json.dumps(tree))
    at(tree, path)["include"] = "more.yaml"
    assert is_valid(tree, SCENARIO)
    at(tree, path)["include"] = ["more.yaml", "still-more.yaml"]
    assert is_valid(tree, SCENARIO)


@pytest.mark.parametrize(
    "text",
    [
        "include: base.yaml",
        "include: base.yaml\nload: {arrivals: constant}\ntarget: {headers: {X-Team: a}}\nmonitoring: {prometheus: {}}",
        START + "phases: [include: phases.yaml]",
        START + "phases: [{name: a, duration: 1s, faults: [{include: fault.yaml, share: 10%}, include: faults.yaml]}]",
        START + "phases: [{include: p.yaml, expect: [{alert: A, include: e.yaml, notifies: {include: n.yaml}}]}]",
        START + "phases: [include: p.yaml]\ntags: [one, include: tags.yaml]\nmonitoring: {rules: [include: r.yaml]}",
        START + "phases: [include: p.yaml]\nmust_not_fire: [{labels: {include: [l.yaml], severity: P0}}]",
        START.replace("{bundled: fraud}", "{include: t.yaml, headers: {include: h.yaml}}")
        + "phases: [include: p.yaml]",
    ],
)
def test_whatever_can_be_included_is_valid(text: str) -> None:
    assert valid(text)


@pytest.mark.parametrize(
    "text",
    [
        "include: 5",
        "include: []",
        "include: ['']",
        "include: base.yaml\ncolour: red",
        "include: base.yaml\nload: {rate: 100}",
        "include: base.yaml\nphases: [{name: a}]",
        "include: base.yaml\ntags: [{include: tags.yaml, more: 1}]",
        START + "phases: [{include: p.yaml, expect: [{alert: A}]}]",
        START + "phases: [{name: a, duration: 1s, faults: [{kind: nulls}]}]",
        START + "phases: [{name: a, duration: 1s, expect: [{alert: A, within: 1s, notifies: {}}]}]",
        START.replace("{bundled: fraud}", "{}") + "phases: [include: p.yaml]",
        START + "phases: [include: p.yaml]\nmonitoring: {prometheus: {}}",
    ],
)
def test_what_an_include_cannot_mend_is_not_valid(text: str) -> None:
    assert not valid(text)


def test_entries_of_lists_wherever_they_are_can_be_included() -> None:
    texts = {"items": {"type": "string"}, "minItems": 2, "type": "array"}
    free = {"additionalProperties": texts, "type": "object"}
    schema = with_include({"properties": {"pair": texts, "free": free}, "required": ["pair"], "type": "object"})
    for value in ["a", "b"], [{"include": "a.yaml"}], ["a", {"include": ["a.yaml", "b.yaml"]}]:
        assert is_valid({"pair": value, "free": {"key": value}}, schema)
        assert not is_valid({"free": {"key": value}}, schema)
    assert not is_valid({"pair": [{"include": "a.yaml", "more": 1}]}, schema)


@pytest.mark.parametrize("quantity", [Share, DurationS, RatePerS, Factor, Shift, Comparison])
def test_a_quantity_is_valid_however_the_reader_lets_it_be_written(quantity: Any) -> None:
    numbers = ["1", ".5", "0.5", "+0.5", "1.25"]
    units = ["", "%", " %", "ms", "s", "h", "/s", " / m", "sd", " sd"]
    texts = [
        f"{blank}{sign}{number}{unit}{blank}"
        for blank in ("", " ")
        for number in numbers
        for sign in ("", "== ", "<", "-")
        for unit in units
    ]
    adapter = TypeAdapter(quantity)
    schema, accepted = adapter.json_schema(), 0
    for value in (*texts, "1h30m", 0, 1, 0.5):
        with contextlib.suppress(ValidationError):
            adapter.validate_python(value)
            assert is_valid(value, schema)
            accepted += 1
    assert accepted > 5


@FUZZ
@given(tree=rearranged_trees([GOOD], changes=2) | rearranged_trees(FAULTS, changes=1))
def test_whatever_the_reader_accepts_is_valid(tree: Any) -> None:
    assert is_valid(tree, SCENARIO) or read_scenario(tree).findings
