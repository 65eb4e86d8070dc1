"""Data faults on bodies that users of a locustfile built."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from alertdrill.core.faults.base import Body
from alertdrill.core.own_bodies import Edited, OwnBodies
from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario import Scenario
from alertdrill.core.touch import Touch
from alertdrill.protocols.members import replaced
from alertdrill.protocols.rows import parse_csv
from alertdrill.protocols.schema import Schema

SCHEMA = Schema.model_validate(
    {
        "path": "/predict",
        "features": [
            {"name": "amount", "kind": "number"},
            {"name": "hour", "kind": "integer"},
            {"name": "country", "kind": "category"},
            {"name": "seen", "kind": "timestamp"},
        ],
    }
)
SAMPLE = parse_csv(
    "amount,hour,country,seen\n" + "".join(f"{n}.5,{n},RS,2026-01-01T00:00:0{n}Z\n" for n in range(10)), SCHEMA
)
BODY = b'{ "session" : "a, {b}",\n "amount": 12.50, "hour":3 ,"country": "CZ", "seen": "2026-01-02T00:00:00+01:00" }'
ALL = {"share": "100%"}
JSON = "application/json"


def plan_of(faults: Sequence[Mapping[str, object]]) -> tuple[Plan, int]:
    """A plan with some faults in a phase, and the number of its segment."""
    scenario = Scenario.model_validate(
        {
            "version": 1,
            "name": "own",
            "target": {"bundled": "fraud"},
            "load": {"rate": "50/s", "locustfile": "users.py", "users": 5},
            "phases": [{"name": "broken", "duration": "10s", "faults": list(faults)}],
        }
    )
    segments, injections = make_segments(scenario, SCHEMA, tail_s=5.0)
    target = TargetPlan(name="test", version="1", schema_=SCHEMA, sample_sha256="")
    plan = Plan(
        run_id="run-1",
        seed=0,
        scenario_path="own.yaml",
        scenario=scenario,
        target=target,
        rules=(),
        segments=segments,
        injections=injections,
    )
    return plan, plan.phase_segment("broken").k


def edited(data: bytes, *faults: Mapping[str, object], i: int = 0, content_type: str = JSON) -> Edited:
    """One body with some faults in a phase."""
    plan, k = plan_of(faults)
    return OwnBodies(plan, SAMPLE, Touch(plan)).of(k, i, Body(data, content_type))


def test_a_body_without_faults_is_let_through() -> None:
    assert edited(BODY) == Edited(Body(BODY, JSON), (), ())


def test_a_fault_changes_its_value_and_no_other_byte() -> None:
    found = edited(BODY, {"kind": "nulls", "features": ["amount"], **ALL})
    assert found.body.data == BODY.replace(b"12.50", b"null")
    assert found.touched == found.picked == ("broken/nulls",)


def test_a_missing_key_takes_its_member_out() -> None:
    found = edited(BODY, {"kind": "missing_key", "features": ["hour"], **ALL})
    assert found.body.data == BODY.replace(b' "hour":3 ,', b"")


def test_a_null_is_added_where_the_feature_has_no_key() -> None:
    found = edited(b'{"hour": 3}', {"kind": "nulls", "features": ["amount"], **ALL})
    assert json.loads(found.body.data) == {"hour": 3, "amount": None}


def test_what_a_fault_leaves_as_it_is_was_neither_picked_nor_touched() -> None:
    already = BODY.replace(b"12.50", b"null")
    assert edited(already, {"kind": "nulls", "features": ["amount"], **ALL}) == Edited(Body(already, JSON), (), ())


def test_the_control_touches_what_it_leaves_as_it_is() -> None:
    found = edited(BODY, {"kind": "noop", "features": ["amount"], **ALL})
    assert found == Edited(Body(BODY, JSON), ("broken/noop",), ("broken/noop",))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[1, 2]",
        b'{"instances": [{"amount": 1}]}',
        b'{"amount": NaN}',
        b'{"amount": 1, "amount": 2}',
        b"amount=1",
        b"\xff\xfe",
    ],
)
def test_a_body_that_is_no_row_is_let_through_and_counts_as_picked(data: bytes) -> None:
    faults: list[dict[str, Any]] = [{"kind": "nulls", "features": ["amount"], **ALL}, {"kind": "extra_field", **ALL}]
    assert edited(data, *faults) == Edited(Body(data, JSON), (), ("broken/nulls", "broken/extra_field"))


def test_nobody_can_tell_whether_a_slice_picks_a_body_that_is_no_row() -> None:
    fault = {"kind": "nulls", "features": ["amount"], **ALL, "where": {"country": "RS"}}
    assert edited(b"[]", fault) == Edited(Body(b"[]", JSON), (), ())


@pytest.mark.parametrize(("where", "touched"), [("CZ", True), ("RS", False)])
def test_a_slice_looks_at_what_the_user_sends(where: str, touched: bool) -> None:
    fault = {"kind": "nulls", "features": ["amount"], **ALL, "where": {"country": where}}
    assert bool(edited(BODY, fault).touched) == touched


def test_the_share_picks_the_same_requests_as_the_plan() -> None:
    fault = {"kind": "nulls", "features": ["amount"], "share": "30%"}
    plan, k = plan_of([fault])
    touch = Touch(plan)
    bodies = OwnBodies(plan, SAMPLE, touch)
    got = [bool(bodies.of(k, i, Body(BODY, JSON)).touched) for i in range(200)]
    assert got == touch.chosen_at(plan.injections[0], np.arange(200)).tolist()
    assert 30 < sum(got) < 90


def test_several_faults_act_one_after_the_other() -> None:
    mean, scale = (
        {"kind": "mean_shift", "features": ["amount"], "by": 10, **ALL},
        {"kind": "scale", "features": ["amount"], "factor": 2, **ALL},
    )
    assert json.loads(edited(BODY, mean, scale).body.data)["amount"] == 45.0


def test_the_spread_is_that_of_the_sample() -> None:
    found = edited(BODY, {"kind": "mean_shift", "features": ["amount"], "by": "1sd", **ALL})
    assert json.loads(found.body.data)["amount"] == pytest.approx(12.5 + np.std(np.arange(10), ddof=1))


@pytest.mark.parametrize("value", [b'"12"', b"[1]", b"true", b'""'])
def test_a_value_of_another_kind_keeps_its_bytes(value: bytes) -> None:
    odd = BODY.replace(b"12.50", value)
    found = edited(odd, {"kind": "mean_shift", "features": ["amount"], "by": 10, **ALL})
    assert found == Edited(Body(odd, JSON), (), ())


def test_a_time_is_moved() -> None:
    found = edited(BODY, {"kind": "clock_offset", "features": ["seen"], "by": "1h", **ALL})
    assert json.loads(found.body.data)["seen"] == "2026-01-02T00:00:00.000Z"


def test_body_faults_edit_what_row_faults_left() -> None:
    nulls, cut = {"kind": "nulls", "features": ["amount"], **ALL}, {"kind": "extra_field", **ALL}
    found = edited(BODY, nulls, cut)
    assert found.touched == ("broken/nulls", "broken/extra_field")
    assert json.loads(found.body.data)["amount"] is None
    assert len(json.loads(found.body.data)) == 6


def test_a_fault_of_the_content_type_changes_what_the_user_said() -> None:
    found = edited(BODY, {"kind": "wrong_content_type", **ALL}, content_type="application/json; charset=utf-8")
    assert found.body.data == BODY
    assert found.body.content_type == "text/plain"
    assert found.touched == ("broken/wrong_content_type",)


@pytest.mark.parametrize(
    ("data", "values", "after"),
    [
        (b'{"a":1}', {b'"a"': b"2"}, b'{"a":2}'),
        (b' { "a" : [1, {"a": 2}] , "b":3}\n', {b'"a"': b"null"}, b' { "a" : null , "b":3}\n'),
        (b'{"a":1, "b":2}', {b'"a"': None}, b'{ "b":2}'),
        (b'{"a":1}', {b'"a"': None}, b"{}"),
        (b'{"a":1}', {b'"b"': b"2"}, b'{"a":1,"b":2}'),
        (b'{"a":"\\",\\"b"}', {b'"a"': b"2"}, b'{"a":2}'),
    ],
)
def test_members_are_replaced_in_place(data: bytes, values: dict[bytes, bytes | None], after: bytes) -> None:
    assert replaced(data, values) == after


def test_the_same_request_gets_the_same_bytes_from_another_process() -> None:
    fault = {"kind": "gaussian_noise", "features": ["amount"], "sd": 1, **ALL}
    assert edited(BODY, fault, i=17) == edited(BODY, fault, i=17)
    assert edited(BODY, fault, i=17) != edited(BODY, fault, i=18)
