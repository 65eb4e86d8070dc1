"""What the monitor will see of requests that faults altered, kept away, answered or multiplied."""

from typing import Any

import numpy as np
import pytest
from drill import make_plan, nulls_phase, read
from sample import sample

from alertdrill.core.choices import with_choices
from alertdrill.core.fill import Traffic
from alertdrill.core.plan import Plan
from alertdrill.core.touch import Touch
from alertdrill.core.traffic import PlannedTraffic

K = 2  # steady state, gate, phase


def planned(*faults: dict[str, Any], background_per_s: float = 0.0) -> tuple[Plan, Touch, Traffic]:
    phase = nulls_phase(duration="30s", faults=list(faults), expect=[])
    plan = with_choices(make_plan(read(phase)), sample()).model_copy(update={"background_per_s": background_per_s})
    touch = Touch(plan)
    return plan, touch, PlannedTraffic(plan, sample(), touch).until(K, {K: 100.0}, {})


def touched(plan: Plan, touch: Touch, position: int = 0) -> list[bool]:
    return touch.mask(plan.injections[position], 0, plan.segments[K].count).tolist()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "http_error", "status": 503}, 503),
        ({"kind": "rate_limited"}, 429),
        ({"kind": "connection_reset"}, 502),
        ({"kind": "truncated_answer"}, 502),
        ({"kind": "black_hole"}, 499),
    ],
)
def test_codes_are_those_that_the_monitor_counts(fault: dict[str, Any], code: int) -> None:
    plan, touch, traffic = planned({**fault, "share": 0.3, "place": "model"})
    assert (traffic.codes == code).tolist() == touched(plan, touch)
    assert set(traffic.codes.tolist()) == {0, code}


def test_what_ends_at_the_edge_never_reaches_the_monitor() -> None:
    plan, touch, traffic = planned({"kind": "http_error", "share": 0.3, "place": "edge"})
    assert len(traffic.at) == plan.segments[K].count - sum(touched(plan, touch))
    assert not traffic.codes.any()


@pytest.mark.parametrize("fault", [{"kind": "latency", "delay": "5s"}, {"kind": "black_hole"}])
def test_the_model_waits_for_its_dependency_no_longer_than_it_says(fault: dict[str, Any]) -> None:
    plan, touch, _ = planned({**fault, "share": 0.3, "place": "dependency"})
    waits = plan.target.model_copy(update={"dependency_waits_s": 1.0})
    traffic = PlannedTraffic(plan.model_copy(update={"target": waits}), sample(), touch).until(K, {K: 100.0}, {})
    assert (traffic.delay_s == 1.0).tolist() == touched(plan, touch)
    assert not traffic.codes.any()


@pytest.mark.parametrize("kind", ["slow_answer", "slow_upload"])
def test_slow_bodies_take_their_time_before_the_model(kind: str) -> None:
    plan, touch, traffic = planned({"kind": kind, "over": "2s", "share": 0.3, "place": "model"})
    assert (traffic.delay_s == 2.0).tolist() == touched(plan, touch)


@pytest.mark.parametrize("fault", [{"kind": "latency", "delay": "20s"}, {"kind": "slow_answer", "over": "11s"}])
def test_nobody_waits_longer_than_the_load_does(fault: dict[str, Any]) -> None:
    plan, touch, traffic = planned({**fault, "share": 0.3, "place": "model"})
    assert (traffic.delay_s == 10.0).tolist() == (traffic.codes == 499).tolist() == touched(plan, touch)


@pytest.mark.parametrize(
    ("fault", "malformed"),
    [
        ({"kind": "malformed_json", "form": "trailing_comma"}, True),
        ({"kind": "empty_body"}, True),
        ({"kind": "wrong_batch_shape"}, True),
        ({"kind": "oversized_body"}, True),
        ({"kind": "byte_order_mark"}, True),
        ({"kind": "extra_field"}, False),
        ({"kind": "wrong_content_type"}, False),
        ({"kind": "not_a_number", "features": ["amount"]}, True),
        ({"kind": "number_as_string", "features": ["amount"]}, False),
    ],
)
def test_a_body_that_holds_no_row_is_malformed(fault: dict[str, Any], malformed: bool) -> None:
    plan, touch, traffic = planned({**fault, "share": 0.3})
    assert traffic.malformed.tolist() == (touched(plan, touch) if malformed else [False] * plan.segments[K].count)


def test_a_renamed_field_is_missing() -> None:
    plan, touch, traffic = planned({"kind": "renamed_field", "field": "amount", "to": "Amount", "share": 0.3})
    assert traffic.nulls("amount").tolist() == touched(plan, touch)


def test_values_of_a_wrong_type_are_evidence_of_drift() -> None:
    _, _, traffic = planned({"kind": "number_as_string", "features": ["amount"], "share": 0.5})
    assert all(above.any() for _, above in traffic.evidence("amount"))
    assert not any(above.any() for _, above in planned()[2].evidence("amount"))


def test_lost_requests_are_not_seen_and_retries_are() -> None:
    plan, touch, traffic = planned({"kind": "traffic_loss", "share": 0.4})
    assert len(traffic.at) == plan.segments[K].count - sum(touched(plan, touch))
    plan, _, traffic = planned({"kind": "retry_storm", "share": 0.4, "retries": 2})
    assert len(traffic.at) == plan.segments[K].count > 600


def test_traffic_of_others_is_merged_in_untouched() -> None:
    plan, touch, traffic = planned({"kind": "nulls", "features": ["amount"], "share": 1.0}, background_per_s=60.0)
    ours = sum(touched(plan, touch))
    assert len(traffic.at) == pytest.approx(ours * 4, abs=10)
    assert traffic.nulls("amount").sum() == ours
    assert np.all(np.diff(traffic.at) >= 0)


def test_a_renamed_field_is_evidence_of_drift() -> None:
    _, _, traffic = planned({"kind": "renamed_field", "field": "amount", "to": "Amount", "share": 0.5})
    assert all(above.any() for _, above in traffic.evidence("amount"))
