from typing import Any

import numpy as np
import pytest
from drill import make_plan, nulls_phase, read
from hypothesis import given, settings
from hypothesis import strategies as st
from sample import sample

from alertdrill.core.choices import with_choices
from alertdrill.core.payloads import Payloads
from alertdrill.core.plan import Injection, Plan
from alertdrill.core.touch import Touch, pack, unpack
from alertdrill.protocols.rows import Cell

K = 2  # steady state, gate, phase


def planned(load: dict[str, Any] | None = None, **fault: Any) -> tuple[Plan, Injection, Touch]:
    faults = [{"kind": "nulls", "features": ["amount"], "share": "40%"} | fault]
    phase = nulls_phase(duration="60s", faults=faults) | ({"load": load} if load else {})
    plan = with_choices(make_plan(read(phase)), sample())
    return plan, plan.injections[0], Touch(plan)


@given(mask=st.lists(st.booleans(), max_size=100))
def test_a_mask_survives_its_text(mask: list[bool]) -> None:
    assert unpack(pack(np.array(mask, dtype=bool)), len(mask)).tolist() == mask


@pytest.mark.parametrize("text", ["", "rubbish", "AAAA", pack(np.ones(3, dtype=bool)), pack(np.ones(105, dtype=bool))])
def test_a_text_that_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(text, 100)


@settings(max_examples=20)
@given(start=st.integers(0, 1200), n=st.integers(0, 60))
def test_the_mask_does_not_depend_on_where_it_is_cut(start: int, n: int) -> None:
    _, injection, touch = PLANNED
    stop = min(start + n, 1200)
    assert touch.mask(injection, start, stop).tolist() == WHOLE[start:stop].tolist()
    assert [touch.one(injection, i) for i in range(start, stop)] == WHOLE[start:stop].tolist()


PLANNED = planned()
WHOLE = PLANNED[2].mask(PLANNED[1], 0, 1200)


def test_the_share_is_kept_and_nothing_is_touched_after_the_last_request() -> None:
    _, injection, touch = PLANNED
    assert abs(WHOLE.mean() - 0.4) < 0.04
    assert not touch.one(injection, 1200)


def test_a_ramp_of_the_share_touches_more_and_more() -> None:
    _, injection, touch = planned(profile={"kind": "ramp", "over": "60s"}, share=1)
    mask = touch.mask(injection, 0, 1200)
    thirds = [mask[i : i + 400].mean() for i in (0, 400, 800)]
    assert thirds == pytest.approx([1 / 6, 1 / 2, 5 / 6], abs=0.06)
    assert [touch.one(injection, i) for i in range(1200)] == mask.tolist()


def test_a_ramp_of_the_dose_touches_as_many_as_without() -> None:
    ramp = {"kind": "ramp", "of": "dose", "over": "60s"}
    _, injection, touch = planned(kind="mean_shift", id="nulls", by="1sd", profile=ramp)
    assert touch.mask(injection, 0, 1200).tolist() == WHOLE.tolist()
    at = touch.schedule(K).at
    assert touch.doses(injection, np.arange(1200)) == pytest.approx(at / 60)
    assert touch.dose_one(injection, 600) == pytest.approx(at[600] / 60)


def test_without_a_dose_nothing_is_touched() -> None:
    late = {"kind": "ramp", "of": "dose", "at": "30s", "over": "10s"}
    _, injection, touch = planned(kind="mean_shift", id="nulls", by="1sd", share=1, profile=late)
    mask = touch.mask(injection, 0, 1200)
    assert mask.tolist() == (touch.schedule(K).at > 30).tolist()
    assert [touch.one(injection, i) for i in range(1200)] == mask.tolist()


def test_what_depends_on_the_rows_is_carried_by_the_plan() -> None:
    plan, injection, touch = planned(where={"country": "CH"}, share=1)
    assert injection.chosen is not None
    country = Payloads(plan, sample()).rows(K, 0, 1200).columns["country"].values
    assert touch.mask(injection, 0, 1200).tolist() == (country == "CH").tolist()
    again = Plan.model_validate_json(plan.model_dump_json())
    assert Touch(again).mask(again.injections[0], 0, 1200).tolist() == (country == "CH").tolist()


def test_an_exchange_fault_keeps_to_the_slice_of_the_rows_that_are_sent() -> None:
    fault = {"kind": "latency", "id": "nulls", "delay": "1s", "share": 1, "where": {"amount": "> 20"}}
    plan = with_choices(make_plan(read(nulls_phase(duration="60s", faults=[fault]))), sample())
    injection, touch = plan.injections[0], Touch(plan)
    amount = Payloads(plan, sample()).rows(K, 0, 1200).columns["amount"].values
    assert touch.mask(injection, 0, 1200).tolist() == (amount > 20).tolist()
    assert [touch.one(injection, i) for i in range(50)] == (amount > 20)[:50].tolist()


def test_missing_not_at_random_prefers_the_high_values_of_the_broken_feature() -> None:
    plan, injection, touch = planned(select={"kind": "mnar"})
    mask = touch.mask(injection, 0, 1200)
    clean = make_plan(
        read(nulls_phase(duration="60s", faults=[{"kind": "noop", "features": ["amount"], "share": 0, "id": "nulls"}]))
    )
    amount = Payloads(clean, sample()).rows(K, 0, 1200).columns["amount"].values
    high = amount > np.median(sample().columns["amount"].values)
    assert abs(mask.mean() - 0.4) < 0.05
    assert mask[high].mean() > 1.8 * mask[~high].mean()
    assert Payloads(plan, sample()).block(K, 0, 1200).touched[injection.id].tolist() == mask.tolist()


def test_a_retry_is_touched_as_its_first_attempt_is() -> None:
    faults = [
        {"kind": "retry_storm", "share": "50%", "retries": 2},
        {"kind": "nulls", "features": ["amount"], "share": "40%"},
    ]
    expect = [{"alert": "NullsHigh", "within": "10s", "fault": "nulls"}]
    plan = make_plan(read(nulls_phase(duration="60s", faults=faults, expect=expect)))
    touch, nulls = Touch(plan), plan.injections[1]
    schedule = touch.schedule(K)
    mask = touch.mask(nulls, 0, len(schedule))
    assert len(schedule) > 1200
    assert mask.tolist() == mask[schedule.origin].tolist()
    block = Payloads(plan, sample()).block(K, 0, len(schedule))
    assert [block.bodies[i] for i in schedule.origin] == block.bodies


def test_what_is_not_sent_is_not_touched() -> None:
    faults = [{"kind": "traffic_loss", "share": "50%"}, {"kind": "nulls", "features": ["amount"], "share": "100%"}]
    expect = [{"alert": "NullsHigh", "within": "10s", "fault": "nulls"}]
    plan = make_plan(read(nulls_phase(duration="60s", faults=faults, expect=expect)))
    touch = Touch(plan)
    lost, nulls = (touch.mask(one, 0, 1200) for one in plan.injections)
    assert abs(lost.mean() - 0.5) < 0.05
    assert nulls.tolist() == (~lost).tolist()


def test_what_another_fault_ends_on_the_way_is_not_touched() -> None:
    faults = [
        {"kind": "latency", "delay": "1s", "share": "50%"},
        {"kind": "http_error", "status": 503, "share": "40%", "place": "edge"},
        {"kind": "latency", "id": "before", "delay": "1s", "share": "50%", "place": "edge"},
    ]
    expect = [{"alert": "NullsHigh", "within": "10s", "fault": "latency"}]
    plan = make_plan(read(nulls_phase(duration="60s", faults=faults, expect=expect)))
    touch = Touch(plan)
    held, ended, before = (touch.mask(one, 0, 1200) for one in plan.injections)
    drawn = np.array([touch.one(plan.injections[0], i) for i in range(1200)])
    assert held.tolist() == (drawn & ~ended).tolist()
    assert (before & ended).any()


@pytest.mark.parametrize(("load", "expected"), [({"factor": 3}, 3600), ({"rate": "5/s"}, 300), ({"factor": 0}, 0)])
def test_a_phase_can_have_a_load_of_its_own(load: dict[str, Any], expected: int) -> None:
    plan, _, touch = planned(load)
    assert plan.segments[K].count == len(touch.schedule(K)) == pytest.approx(expected, rel=0.05)
    assert plan.segments[0].arrivals.rate_per_s == 20


def test_a_slice_at_a_proxy_knows_the_rows_of_retries() -> None:
    faults = [
        {"kind": "retry_storm", "share": "50%", "retries": 2},
        {"kind": "latency", "delay": "1s", "share": 1, "where": {"amount": "> 20"}},
    ]
    expect = [{"alert": "NullsHigh", "within": "10s", "fault": "latency"}]
    plan = with_choices(make_plan(read(nulls_phase(duration="60s", faults=faults, expect=expect))), sample())
    touch = Touch(plan)
    count = len(touch.schedule(K))
    amount = Payloads(plan, sample()).rows(K, 0, count).columns["amount"].values
    assert touch.mask(plan.injections[1], 0, count).tolist() == (amount > 20).tolist()


def test_what_is_the_same_on_the_wire_is_not_touched() -> None:
    plan, injection, touch = planned(features=["hour"], share=1)
    hour = Payloads(make_plan(read(nulls_phase(duration="60s"))), sample()).rows(K, 0, 1200).columns["hour"]
    assert touch.mask(injection, 0, 1200).tolist() == (hour.cells != Cell.NULL).tolist()
    assert injection.chosen is not None
    assert (
        Payloads(plan, sample()).block(K, 0, 1200).touched[injection.id].tolist() == (hour.cells != Cell.NULL).tolist()
    )


def test_a_fault_touches_nothing_that_another_one_has_already_done() -> None:
    twice = [{"kind": "nulls", "id": name, "features": ["amount"], "share": 1} for name in ("nulls", "again")]
    expect = [{"alert": "NullsHigh", "within": "10s", "fault": "nulls"}]
    plan = with_choices(make_plan(read(nulls_phase(duration="60s", faults=twice, expect=expect))), sample())
    first, second = (Touch(plan).mask(one, 0, 1200) for one in plan.injections)
    assert first.all()
    assert not second.any()


def test_a_plan_whose_draws_tell_it_all_carries_no_choices() -> None:
    assert PLANNED[1].chosen is None
